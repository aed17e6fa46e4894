/**
 * Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng; section numbers below are that draft's). Blocks
 * are little-endian and leave through a sink, one chunk a block, which owns the chunk from then on. Nothing here knows
 * of files or of the hour: time zero of the capture is the moment the world began, and the same run gives the same
 * bytes.
 *
 * Packets are whole Ethernet frames, DA to FCS. The interface says so (`if_fcslen`, in bits), and each packet says so
 * again (`epb_flags`, in octets): readers have disagreed about the unit of the former, never about the latter.
 */
import { writeLe16, writeLe32 } from '../lib/bytes.ts';

/** Takes the next bytes of the file. */
export type ByteSink = (chunk: Uint8Array) => void;

type CaptureDirection = 'inbound' | 'outbound';

/** Link-layer error bits of `epb_flags`, section 4.3.1. */
export const PACKET_ERROR = {
  CRC: 1 << 24,
  TOO_SHORT: 1 << 26,
  UNALIGNED: 1 << 28,
  SYMBOL: 1 << 31,
} as const;

/** One packet of a capture. */
export interface CapturedPacket {
  /** What `addInterface` returned. */
  readonly interfaceId: number;
  /** Virtual time in integer nanoseconds. */
  readonly timeNs: number;
  /** Octets from DA to FCS; what has fewer than four has no FCS. */
  readonly bytes: Uint8Array;
  /** Seen from the interface, or null when the tap is in the middle of a wire. */
  readonly direction: CaptureDirection | null;
  /** A union of {@link PACKET_ERROR} bits; 0 for a good frame. */
  readonly errors: number;
  readonly comments: readonly string[];
}

/** What an interface saw in all, for its statistics block. */
interface InterfaceTotals {
  readonly endNs: number;
  readonly received: number;
  readonly dropped: number;
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;

const END_OF_OPTIONS = 0;
const COMMENT = 1;
const SHB_HARDWARE = 2;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const IF_FCSLEN = 13;
const EPB_FLAGS = 2;
const ISB_STARTTIME = 2;
const ISB_ENDTIME = 3;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;

const TSRESOL_NANOSECONDS = 9;
const FCS_BITS = 32;
const FCS_OCTETS = 4;
const FLAGS_FCS_SHIFT = 5;
const FLAGS_DIRECTION = { inbound: 1, outbound: 2 } as const;

/** The length of an option is a 16-bit field; longer text ends at the last whole character that fits. */
const MAX_OPTION_BYTES = 0xffff;

const TWO_POW_32 = 0x1_0000_0000;

/** An option of a block: its code and its value, without padding. */
type Option = readonly [code: number, value: Uint8Array];

export class PcapngWriter {
  readonly #sink: ByteSink;
  #interfaceCount = 0;

  /** Writes the section header. `hardware` describes the machine that was captured. */
  constructor(sink: ByteSink, hardware: string) {
    this.#sink = sink;
    const fields = new Uint8Array(16);
    writeLe32(fields, 0, BYTE_ORDER_MAGIC);
    writeLe16(fields, 4, 1); // version 1.0
    fields.fill(0xff, 8); // the length of the section is not known
    this.#block(SECTION_HEADER, fields, [
      [SHB_HARDWARE, text(hardware)],
      [SHB_USERAPPL, text('Ringtail')],
    ]);
  }

  /** Declares one tap, at any time before its first packet, and returns its number. */
  addInterface(name: string, description: string): number {
    const fields = new Uint8Array(8);
    writeLe16(fields, 0, LINKTYPE_ETHERNET);
    this.#block(INTERFACE_DESCRIPTION, fields, [
      [IF_NAME, text(name)],
      [IF_DESCRIPTION, text(description)],
      [IF_TSRESOL, Uint8Array.of(TSRESOL_NANOSECONDS)],
      [IF_FCSLEN, Uint8Array.of(FCS_BITS)],
    ]);
    return this.#interfaceCount++;
  }

  packet(packet: CapturedPacket): void {
    const { bytes } = packet;
    const fields = new Uint8Array(20 + padded(bytes.length));
    writeLe32(fields, 0, packet.interfaceId);
    writeTimestamp(fields, 4, packet.timeNs);
    writeLe32(fields, 12, bytes.length);
    writeLe32(fields, 16, bytes.length);
    fields.set(bytes, 20);
    const flags = new Uint8Array(4);
    const direction = packet.direction === null ? 0 : FLAGS_DIRECTION[packet.direction];
    const fcsOctets = bytes.length < FCS_OCTETS ? 0 : FCS_OCTETS;
    writeLe32(flags, 0, packet.errors | (fcsOctets << FLAGS_FCS_SHIFT) | direction);
    this.#block(ENHANCED_PACKET, fields, [
      [EPB_FLAGS, flags],
      ...packet.comments.map((comment): Option => [COMMENT, text(comment)]),
    ]);
  }

  /** Closes the account of one interface. A file is complete without it. */
  statistics(interfaceId: number, totals: InterfaceTotals): void {
    const fields = new Uint8Array(12);
    writeLe32(fields, 0, interfaceId);
    writeTimestamp(fields, 4, totals.endNs);
    this.#block(INTERFACE_STATISTICS, fields, [
      [ISB_STARTTIME, new Uint8Array(8)],
      [ISB_ENDTIME, fields.slice(4, 12)],
      [ISB_IFRECV, counter(totals.received)],
      [ISB_IFDROP, counter(totals.dropped)],
    ]);
  }

  /** Section 3.1: type, length, body, length again. `fields` has a length that is a multiple of four. */
  #block(type: number, fields: Uint8Array, options: readonly Option[]): void {
    const optionBytes = options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 4);
    const block = new Uint8Array(12 + fields.length + optionBytes);
    writeLe32(block, 0, type);
    writeLe32(block, 4, block.length);
    block.set(fields, 8);
    let at = 8 + fields.length;
    for (const [code, value] of options) {
      writeLe16(block, at, code);
      writeLe16(block, at + 2, value.length);
      block.set(value, at + 4);
      at += 4 + padded(value.length);
    }
    writeLe16(block, at, END_OF_OPTIONS);
    writeLe32(block, at + 4, block.length);
    this.#sink(block);
  }
}

const padded = (length: number): number => (length + 3) & ~3;

/** A timestamp, section 4.3: the upper word of 64 first. */
function writeTimestamp(target: Uint8Array, at: number, timeNs: number): void {
  writeLe32(target, at, Math.floor(timeNs / TWO_POW_32));
  writeLe32(target, at + 4, timeNs);
}

/** A 64-bit counter: little-endian throughout, unlike a timestamp. */
function counter(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeLe32(bytes, 0, value);
  writeLe32(bytes, 4, Math.floor(value / TWO_POW_32));
  return bytes;
}

function text(value: string): Uint8Array {
  const bytes = new Uint8Array(Math.min(MAX_OPTION_BYTES, 3 * value.length));
  return bytes.subarray(0, new TextEncoder().encodeInto(value, bytes).written);
}
