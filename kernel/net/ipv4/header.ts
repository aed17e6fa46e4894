/**
 * The IPv4 header, RFC 791 section 3.1: `parse` and `emit`, which are each other's inverse. One {@link Ipv4Header} is
 * filled in again and again, so that a packet costs no allocation.
 */
import { readBe16, readBe32, writeBe16, writeBe32 } from '../../../src/lib/bytes.ts';
import { complement, isGood, sum, update } from '../checksum.ts';
import { IPV4_HEADER_BYTES } from '../packet.ts';

/** Flags and fragment offset, one 16-bit word. */
export const DONT_FRAGMENT = 0x4000;
export const MORE_FRAGMENTS = 0x2000;
export const FRAGMENT_OFFSET = 0x1fff;

/** Where the fields stand, in octets from the start of the header. */
const AT = {
  versionAndIhl: 0,
  typeOfService: 1,
  totalLength: 2,
  identification: 4,
  fragment: 6,
  timeToLive: 8,
  protocol: 9,
  headerChecksum: 10,
  source: 12,
  destination: 16,
} as const;

/** The fields, in host order. Addresses are unsigned. */
export class Ipv4Header {
  /** Internet header length in octets, 20 to 60: options are what lies beyond 20. */
  headerBytes = IPV4_HEADER_BYTES;
  typeOfService = 0;
  /** Octets of header and payload. */
  totalBytes = IPV4_HEADER_BYTES;
  identification = 0;
  /** Flags and fragment offset. */
  fragment = 0;
  timeToLive = 0;
  protocol = 0;
  source = 0;
  destination = 0;

  /** Where in the payload of the whole datagram this piece of it starts, in octets. */
  get offsetBytes(): number {
    return (this.fragment & FRAGMENT_OFFSET) * 8;
  }

  /** Whether the packet is a piece of a larger one. */
  get isFragment(): boolean {
    return (this.fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) !== 0;
  }
}

/** Why a header was refused. */
export type HeaderFault = 'malformed IPv4 header' | 'bad IPv4 checksum';

/**
 * Reads the header at `start` of a packet of which `length` octets have arrived, and makes the checks of RFC 1122
 * section 3.2.1. Octets after the total length are the link's padding. Null when all is well.
 */
export function parse(bytes: Uint8Array, start: number, length: number, header: Ipv4Header): HeaderFault | null {
  if (!parseUnchecked(bytes, start, length, header)) return 'malformed IPv4 header';
  if (header.totalBytes > length) return 'malformed IPv4 header';
  return isGood(sum(bytes, start, header.headerBytes)) ? null : 'bad IPv4 checksum';
}

/**
 * Reads the header that an ICMP error quotes: the packet may be cut short after it, and routers on the way changed it
 * without care for its checksum (RFC 1812 section 4.3.2.3). False when it is not a header.
 */
export function parseUnchecked(bytes: Uint8Array, start: number, length: number, header: Ipv4Header): boolean {
  if (length < IPV4_HEADER_BYTES || bytes[start]! >>> 4 !== 4) return false;
  header.headerBytes = (bytes[start]! & 15) * 4;
  header.totalBytes = readBe16(bytes, start + AT.totalLength);
  if (header.headerBytes < IPV4_HEADER_BYTES || header.headerBytes > length) return false;
  if (header.totalBytes < header.headerBytes) return false;
  header.typeOfService = bytes[start + AT.typeOfService]!;
  header.identification = readBe16(bytes, start + AT.identification);
  header.fragment = readBe16(bytes, start + AT.fragment);
  header.timeToLive = bytes[start + AT.timeToLive]!;
  header.protocol = bytes[start + AT.protocol]!;
  header.source = readBe32(bytes, start + AT.source);
  header.destination = readBe32(bytes, start + AT.destination);
  return true;
}

/** Writes `header` at `start`, with its checksum. Options, if there are any, stand behind it already. */
export function emit(bytes: Uint8Array, start: number, header: Ipv4Header): void {
  bytes[start + AT.versionAndIhl] = 0x40 | (header.headerBytes >>> 2);
  bytes[start + AT.typeOfService] = header.typeOfService;
  writeBe16(bytes, start + AT.totalLength, header.totalBytes);
  writeBe16(bytes, start + AT.identification, header.identification);
  writeBe16(bytes, start + AT.fragment, header.fragment);
  bytes[start + AT.timeToLive] = header.timeToLive;
  bytes[start + AT.protocol] = header.protocol;
  writeBe16(bytes, start + AT.headerChecksum, 0);
  writeBe32(bytes, start + AT.source, header.source);
  writeBe32(bytes, start + AT.destination, header.destination);
  writeBe16(bytes, start + AT.headerChecksum, complement(sum(bytes, start, header.headerBytes)));
}

/** Takes one hop off the time to live, which is not 0, of the header at `start`, and mends its checksum (RFC 1624). */
export function decrementTimeToLive(bytes: Uint8Array, start: number): void {
  const word = readBe16(bytes, start + AT.timeToLive);
  bytes[start + AT.timeToLive] = (word >>> 8) - 1;
  writeBe16(bytes, start + AT.headerChecksum, update(readBe16(bytes, start + AT.headerChecksum), word, word - 0x100));
}

/** The length of the header at `start`, in octets. */
export const headerBytesOf = (bytes: Uint8Array, start: number): number => (bytes[start + AT.versionAndIhl]! & 15) * 4;

/** Flags and fragment offset of the header at `start`. */
export const fragmentWordOf = (bytes: Uint8Array, start: number): number => readBe16(bytes, start + AT.fragment);

/**
 * Changes in the header at `start` what cutting and putting together change, its checksum too. `fragment` is flags and
 * offset.
 */
export function rewrite(
  bytes: Uint8Array,
  start: number,
  headerBytes: number,
  totalBytes: number,
  fragment: number,
): void {
  bytes[start + AT.versionAndIhl] = 0x40 | (headerBytes >>> 2);
  writeBe16(bytes, start + AT.totalLength, totalBytes);
  writeBe16(bytes, start + AT.fragment, fragment);
  writeBe16(bytes, start + AT.headerChecksum, 0);
  writeBe16(bytes, start + AT.headerChecksum, complement(sum(bytes, start, headerBytes)));
}
