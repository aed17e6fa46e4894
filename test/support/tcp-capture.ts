/** TCP as a capture shows it: read from the frames of a pcapng file, apart from the code that made them. */
import { formatIpv4, readBe16, readBe32 } from '../../src/lib/bytes.ts';
import { readPackets } from './pcapng-reader.ts';

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'];

export interface CapturedSegment {
  readonly timeNs: number;
  /** `192.0.2.1:80`. */
  readonly from: string;
  readonly to: string;
  readonly flags: readonly string[];
  readonly sequence: number;
  readonly text: string;
}

/** The segments of a pcapng file, as they went over the wire. */
export function readSegments(chunks: readonly Uint8Array[]): CapturedSegment[] {
  return readPackets(chunks).flatMap(({ timeNs, bytes }) => {
    if (readBe16(bytes, 12) !== 0x0800 || bytes[23] !== 6) return [];
    const tcp = 14 + 4 * (bytes[14]! & 15);
    const end = 14 + readBe16(bytes, 16);
    const data = tcp + 4 * (bytes[tcp + 12]! >>> 4);
    return {
      timeNs,
      from: `${formatIpv4(readBe32(bytes, 26))}:${readBe16(bytes, tcp)}`,
      to: `${formatIpv4(readBe32(bytes, 30))}:${readBe16(bytes, tcp + 2)}`,
      flags: FLAGS.filter((_, bit) => (bytes[tcp + 13]! & (1 << bit)) !== 0),
      sequence: readBe32(bytes, tcp + 4),
      text: Buffer.from(bytes.subarray(data, end)).toString('latin1'),
    };
  });
}

/** The segments of each connection, by the endpoint of its client, in the order in which they were opened. */
export function conversations(segments: readonly CapturedSegment[], server: string): Map<string, CapturedSegment[]> {
  const byClient = new Map<string, CapturedSegment[]>();
  for (const segment of segments) {
    const client = segment.from === server ? segment.to : segment.from;
    const known = byClient.get(client);
    if (known === undefined) byClient.set(client, [segment]);
    else known.push(segment);
  }
  return byClient;
}
