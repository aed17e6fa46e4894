/**
 * The TCP header on the way out: the inverse of `segment.ts`. The caller has put the data where they belong, and says
 * what stands in front.
 */
import { writeBe16, writeBe32 } from '../../../src/lib/bytes.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import { complement, pseudoHeaderSum, sum } from '../checksum.ts';
import { push } from '../packet.ts';
import { OPTION, TCP_HEADER_BYTES, TCP_PROTOCOL } from './segment.ts';

/** Octets of the timestamps option, with the two NOPs that put it on a word (RFC 7323 appendix A). */
export const TIMESTAMPS_BYTES = 12;
/** Octets that SACK blocks take besides 8 each. */
const SACK_FIXED_BYTES = 4;
/** Octets of options that the header has room for. */
const MAX_OPTION_BYTES = 40;

/** A header to be written. Like a received one, it is filled in again and again. */
export class OutgoingHeader {
  sourceAddress = 0;
  destinationAddress = 0;
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  /** As it goes into the field: scaled. */
  window = 0;
  urgentPointer = 0;
  /** 0: none. */
  mss = 0;
  /** -1: none. */
  windowShift = -1;
  sackPermitted = false;
  hasTimestamps = false;
  tsVal = 0;
  tsEcr = 0;
  readonly sackEdges = new Int32Array(8);
  sackBlocks = 0;

  /** Forgets the options. */
  clearOptions(): void {
    this.mss = 0;
    this.windowShift = -1;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.sackBlocks = 0;
  }
}

/** Octets that the options of `header` take, a multiple of four. */
export function optionBytes(header: OutgoingHeader): number {
  let bytes = header.mss === 0 ? 0 : 4;
  if (header.windowShift >= 0) bytes += 4;
  if (header.hasTimestamps) bytes += TIMESTAMPS_BYTES;
  else if (header.sackPermitted) bytes += 4;
  if (header.sackBlocks > 0) bytes += SACK_FIXED_BYTES + 8 * header.sackBlocks;
  return bytes;
}

/** SACK blocks that fit behind the timestamps, if there are any (RFC 2018 section 3). */
export const sackBlocksThatFit = (hasTimestamps: boolean): number =>
  (MAX_OPTION_BYTES - SACK_FIXED_BYTES - (hasTimestamps ? TIMESTAMPS_BYTES : 0)) >> 3;

/** Puts `header` in front of the data that `packet` starts with, checksum and all. */
export function writeHeader(packet: PacketBuffer, header: OutgoingHeader): void {
  const headerBytes = TCP_HEADER_BYTES + optionBytes(header);
  push(packet, headerBytes);
  const { bytes, start, length } = packet;
  writeBe16(bytes, start, header.sourcePort);
  writeBe16(bytes, start + 2, header.destinationPort);
  writeBe32(bytes, start + 4, header.seq);
  writeBe32(bytes, start + 8, header.ack);
  bytes[start + 12] = headerBytes << 2;
  bytes[start + 13] = header.flags;
  writeBe16(bytes, start + 14, header.window);
  writeBe16(bytes, start + 16, 0);
  writeBe16(bytes, start + 18, header.urgentPointer);
  if (headerBytes > TCP_HEADER_BYTES) writeOptions(bytes, start + TCP_HEADER_BYTES, header);
  const pseudoHeader = pseudoHeaderSum(header.sourceAddress, header.destinationAddress, TCP_PROTOCOL, length);
  writeBe16(bytes, start + 16, complement(sum(bytes, start, length, pseudoHeader)));
}

/** Each option is filled up to a word by NOPs in front of it, so none needs padding behind. */
function writeOptions(bytes: Uint8Array, from: number, header: OutgoingHeader): void {
  let at = from;
  if (header.mss !== 0) {
    writeBe16(bytes, at, (OPTION.MAXIMUM_SEGMENT_SIZE << 8) | 4);
    writeBe16(bytes, at + 2, header.mss);
    at += 4;
  }
  if (header.windowShift >= 0) {
    writeBe16(bytes, at, (OPTION.NO_OPERATION << 8) | OPTION.WINDOW_SCALE);
    writeBe16(bytes, at + 2, (3 << 8) | header.windowShift);
    at += 4;
  }
  const nops = (OPTION.NO_OPERATION << 8) | OPTION.NO_OPERATION;
  const sackPermitted = (OPTION.SACK_PERMITTED << 8) | 2;
  if (header.hasTimestamps) {
    writeBe16(bytes, at, header.sackPermitted ? sackPermitted : nops);
    writeBe16(bytes, at + 2, (OPTION.TIMESTAMPS << 8) | 10);
    writeBe32(bytes, at + 4, header.tsVal);
    writeBe32(bytes, at + 8, header.tsEcr);
    at += TIMESTAMPS_BYTES;
  } else if (header.sackPermitted) {
    writeBe16(bytes, at, nops);
    writeBe16(bytes, at + 2, sackPermitted);
    at += 4;
  }
  if (header.sackBlocks > 0) {
    writeBe16(bytes, at, nops);
    writeBe16(bytes, at + 2, (OPTION.SACK << 8) | (2 + 8 * header.sackBlocks));
    for (let i = 0; i < 2 * header.sackBlocks; i++)
      writeBe32(bytes, at + SACK_FIXED_BYTES + 4 * i, header.sackEdges[i]!);
  }
}
