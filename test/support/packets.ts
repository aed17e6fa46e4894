/**
 * Frames, built by hand for tests of the network stack: field by field as in the RFCs, with a checksum that is computed
 * in the plainest way, so that a mistake in the kernel cannot cancel out. Every field can be given a wrong value.
 */
import { parseIpv4, parseMac } from '../../src/lib/bytes.ts';

const word = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
const long = (value: number): number[] => [...word(value >>> 16), ...word(value & 0xffff)];
const address = (text: string): number[] => long(parseIpv4(text));

/** RFC 1071, as its text says it: one 16-bit word after the other, the carry added at once. */
export function naiveSum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

export const naiveChecksum = (bytes: ArrayLike<number>): number => 0xffff - naiveSum(bytes);

const BROADCAST = 'ff:ff:ff:ff:ff:ff';

export interface FrameFields {
  readonly to: string;
  readonly from: string;
  readonly type: number;
  readonly payload: ArrayLike<number>;
}

export function frame(fields: FrameFields): Uint8Array {
  return Uint8Array.from([
    ...parseMac(fields.to),
    ...parseMac(fields.from),
    ...word(fields.type),
    ...Array.from(fields.payload),
  ]);
}

export interface Ipv4Fields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: ArrayLike<number>;
  readonly version?: number;
  /** In 32-bit words, as on the wire. */
  readonly ihl?: number;
  readonly tos?: number;
  readonly totalLength?: number;
  readonly identification?: number;
  readonly fragment?: number;
  readonly ttl?: number;
  readonly options?: readonly number[];
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

export function ipv4(fields: Ipv4Fields): Uint8Array {
  const options = fields.options ?? [];
  const headerBytes = 20 + options.length;
  const header = [
    ((fields.version ?? 4) << 4) | (fields.ihl ?? headerBytes / 4),
    fields.tos ?? 0,
    ...word(fields.totalLength ?? headerBytes + fields.payload.length),
    ...word(fields.identification ?? 0x1234),
    ...word(fields.fragment ?? 0),
    fields.ttl ?? 64,
    fields.protocol,
    ...[0, 0],
    ...address(fields.source),
    ...address(fields.destination),
    ...options,
  ];
  header.splice(10, 2, ...word(naiveChecksum(header) + (fields.checksumError ?? 0)));
  return Uint8Array.from([...header, ...Array.from(fields.payload)]);
}

export interface UdpFields {
  /** For the pseudo-header. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: ArrayLike<number>;
  readonly length?: number;
  /** Instead of the right one. */
  readonly checksum?: number;
}

export function udp(fields: UdpFields): Uint8Array {
  const length = fields.length ?? 8 + fields.data.length;
  const ports = [...word(fields.sourcePort), ...word(fields.destinationPort)];
  const data = Array.from(fields.data);
  const pseudoHeader = [...address(fields.source), ...address(fields.destination), 0, 17, ...word(length)];
  const computed = naiveChecksum([...pseudoHeader, ...ports, ...word(length), 0, 0, ...data]);
  const checksum = fields.checksum ?? (computed === 0 ? 0xffff : computed);
  return Uint8Array.from([...ports, ...word(length), ...word(checksum), ...data]);
}

export interface TcpFields {
  /** For the pseudo-header. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  /** Whole words. */
  readonly options?: readonly number[];
  readonly data?: ArrayLike<number>;
  /** In 32-bit words, as on the wire. */
  readonly dataOffset?: number;
}

export function tcp(fields: TcpFields): Uint8Array {
  const { source, destination, options = [], data = [], dataOffset = 5 + options.length / 4 } = fields;
  const segment = [
    ...word(fields.sourcePort),
    ...word(fields.destinationPort),
    ...long(fields.seq),
    ...long(fields.ack ?? 0),
    ...[dataOffset << 4, fields.flags, ...word(fields.window ?? 8192), 0, 0, 0, 0],
    ...options,
    ...Array.from(data),
  ];
  const pseudoHeader = [...address(source), ...address(destination), 0, 6, ...word(segment.length)];
  segment.splice(16, 2, ...word(naiveChecksum([...pseudoHeader, ...segment])));
  return Uint8Array.from(segment);
}

export interface IcmpFields {
  readonly type: number;
  readonly code?: number;
  /** The second word: identifier and sequence number, pointer, or zero. */
  readonly word?: number;
  readonly data?: ArrayLike<number>;
  readonly checksumError?: number;
}

export function icmp(fields: IcmpFields): Uint8Array {
  const message = [fields.type, fields.code ?? 0, 0, 0, ...long(fields.word ?? 0), ...Array.from(fields.data ?? [])];
  message.splice(2, 2, ...word(naiveChecksum(message) + (fields.checksumError ?? 0)));
  return Uint8Array.from(message);
}

export interface ArpFields {
  readonly opcode: number;
  readonly senderMac: string;
  readonly sender: string;
  readonly targetMac?: string;
  readonly target: string;
  readonly hardware?: number;
  readonly protocol?: number;
  readonly hardwareLength?: number;
  readonly protocolLength?: number;
}

export function arp(fields: ArpFields): Uint8Array {
  return Uint8Array.from([
    ...word(fields.hardware ?? 1),
    ...word(fields.protocol ?? 0x0800),
    fields.hardwareLength ?? 6,
    fields.protocolLength ?? 4,
    ...word(fields.opcode),
    ...parseMac(fields.senderMac),
    ...address(fields.sender),
    ...parseMac(fields.targetMac ?? '00:00:00:00:00:00'),
    ...address(fields.target),
  ]);
}

/** An ARP packet in its frame: a request goes to all, unless `to` says otherwise. */
export function arpFrame(fields: ArpFields, to = BROADCAST): Uint8Array {
  return frame({ to, from: fields.senderMac, type: 0x0806, payload: arp(fields) });
}
