/**
 * The TCP header on the way in, RFC 9293 section 3.1, with the options of RFC 9293, RFC 7323 and RFC 2018. One
 * {@link Segment} is filled in again and again, so that a segment costs no allocation. What goes out is written by
 * `segment-writer.ts`.
 */
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import { isGood, pseudoHeaderSum, sum } from '../checksum.ts';

export const TCP_PROTOCOL = 6;
export const TCP_HEADER_BYTES = 20;

// Control bits. ECE and CWR (RFC 3168) are not obeyed; AE and the reserved bits are ignored.
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;

/** Option kinds. */
export const OPTION = {
  END: 0,
  NO_OPERATION: 1,
  MAXIMUM_SEGMENT_SIZE: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  TIMESTAMPS: 8,
} as const;

/** Largest shift of the window scale (RFC 7323 section 2.3). */
export const MAX_WINDOW_SHIFT = 14;
/** SACK blocks that fit into the options. */
const MAX_SACK_BLOCKS = 4;

/** The addresses of the packet that a segment came in. */
interface Addresses {
  readonly source: number;
  readonly destination: number;
}

/** A received segment, in the names of RFC 9293 section 3.3.1. Sequence numbers and timestamps are int32. */
export class Segment {
  sourceAddress = 0;
  destinationAddress = 0;
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  /** As it stands in the header: not scaled. */
  window = 0;
  urgentPointer = 0;
  /** Where the data are. */
  bytes: Uint8Array = new Uint8Array(0);
  dataAt = 0;
  dataBytes = 0;
  /** 0: absent. */
  mss = 0;
  /** -1: absent. At most 14. */
  windowShift = -1;
  sackPermitted = false;
  hasTimestamps = false;
  tsVal = 0;
  tsEcr = 0;
  /** Left and right edges, one after the other. */
  readonly sackEdges = new Int32Array(2 * MAX_SACK_BLOCKS);
  sackBlocks = 0;

  /** SEG.LEN: SYN and FIN count. */
  get length(): number {
    return this.dataBytes + ((this.flags & SYN) === 0 ? 0 : 1) + ((this.flags & FIN) === 0 ? 0 : 1);
  }
}

export type SegmentFault = 'malformed TCP' | 'bad TCP checksum';

/** Reads the segment of `length` octets at `start`, the whole payload of an IPv4 packet. Null when all is well. */
export function parseSegment(
  bytes: Uint8Array,
  start: number,
  length: number,
  addresses: Addresses,
  segment: Segment,
): SegmentFault | null {
  if (length < TCP_HEADER_BYTES) return 'malformed TCP';
  const headerBytes = (bytes[start + 12]! >>> 4) * 4;
  if (headerBytes < TCP_HEADER_BYTES || headerBytes > length) return 'malformed TCP';
  const { source, destination } = addresses;
  if (!isGood(sum(bytes, start, length, pseudoHeaderSum(source, destination, TCP_PROTOCOL, length)))) {
    return 'bad TCP checksum';
  }
  segment.sourceAddress = source;
  segment.destinationAddress = destination;
  segment.sourcePort = readBe16(bytes, start);
  segment.destinationPort = readBe16(bytes, start + 2);
  segment.seq = readBe32(bytes, start + 4) | 0;
  segment.ack = readBe32(bytes, start + 8) | 0;
  segment.flags = bytes[start + 13]! & 0x3f;
  segment.window = readBe16(bytes, start + 14);
  segment.urgentPointer = readBe16(bytes, start + 18);
  segment.bytes = bytes;
  segment.dataAt = start + headerBytes;
  segment.dataBytes = length - headerBytes;
  segment.mss = 0;
  segment.windowShift = -1;
  segment.sackPermitted = false;
  segment.hasTimestamps = false;
  segment.sackBlocks = 0;
  if (headerBytes > TCP_HEADER_BYTES) parseOptions(bytes, start + TCP_HEADER_BYTES, start + headerBytes, segment);
  return null;
}

/**
 * RFC 9293 section 3.2 (MUST-4 to MUST-7, MUST-64, MUST-68): options stand at any octet; unknown ones are passed over
 * by their length. One whose length cannot be ends the list: what follows it cannot be found.
 */
function parseOptions(bytes: Uint8Array, from: number, end: number, segment: Segment): void {
  let at = from;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === OPTION.END) return;
    if (kind === OPTION.NO_OPERATION) {
      at += 1;
      continue;
    }
    if (at + 1 >= end) return;
    const length = bytes[at + 1]!;
    if (length < 2 || at + length > end) return;
    parseOption(bytes, at, kind, length, segment);
    at += length;
  }
}

/** One option, which lies in the header. With a length that is not its own it is as good as unknown. */
function parseOption(bytes: Uint8Array, at: number, kind: number, length: number, segment: Segment): void {
  const syn = (segment.flags & SYN) !== 0;
  if (kind === OPTION.TIMESTAMPS && length === 10) {
    segment.hasTimestamps = true;
    segment.tsVal = readBe32(bytes, at + 2) | 0;
    segment.tsEcr = readBe32(bytes, at + 6) | 0;
  } else if (kind === OPTION.SACK && length >= 10 && (length - 2) % 8 === 0) {
    segment.sackBlocks = Math.min(MAX_SACK_BLOCKS, (length - 2) >> 3);
    for (let i = 0; i < 2 * segment.sackBlocks; i++) segment.sackEdges[i] = readBe32(bytes, at + 2 + 4 * i);
  } else if (!syn) {
    // The others are for SYNs alone (RFC 9293 MUST-67, RFC 7323 section 2.2, RFC 2018 section 2).
  } else if (kind === OPTION.MAXIMUM_SEGMENT_SIZE && length === 4) {
    segment.mss = readBe16(bytes, at + 2);
  } else if (kind === OPTION.WINDOW_SCALE && length === 3) {
    segment.windowShift = Math.min(bytes[at + 2]!, MAX_WINDOW_SHIFT);
  } else if (kind === OPTION.SACK_PERMITTED && length === 2) {
    segment.sackPermitted = true;
  }
}
