/**
 * What the transmitter works out for software: checksums, and the cutting of one long TCP or UDP packet into segments.
 * 82540EM manual, sections 3.3.5 to 3.3.7, 3.5 and 3.6.
 *
 * All offsets come from the guest. One that points outside the packet has no effect.
 */
import { readBe16, readBe32, readLe16, writeBe16, writeBe32 } from '../../../src/lib/bytes.ts';
import { fold, onesSum } from './checksum.ts';
import { TX_POPTS, TX_TUCMD, txDataLength } from './descriptors.ts';

const CONTEXT_BYTES = 16;
const IPV6_HEADER_BYTES = 40;
const TCP_FIN_AND_PSH = 0x09;
const TCP_FLAGS_AT = 13;

/** A context descriptor, kept until the next one of its kind. All zeros at first. */
export class OffloadContext {
  readonly #raw = new Uint8Array(CONTEXT_BYTES);

  /** Takes over the descriptor at `at` of `bytes`. */
  set(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < CONTEXT_BYTES; i++) this.#raw[i] = bytes[at + i]!;
  }

  get ipCss(): number {
    return this.#raw[0]!;
  }

  get ipCso(): number {
    return this.#raw[1]!;
  }

  get ipCse(): number {
    return readLe16(this.#raw, 2);
  }

  get tuCss(): number {
    return this.#raw[4]!;
  }

  get tuCso(): number {
    return this.#raw[5]!;
  }

  get tuCse(): number {
    return readLe16(this.#raw, 6);
  }

  /** Octets behind the header that the packet announces. */
  get payloadBytes(): number {
    return txDataLength(this.#raw, 0);
  }

  get isTcp(): boolean {
    return (this.#raw[11]! & TX_TUCMD.TCP) !== 0;
  }

  get isIpv4(): boolean {
    return (this.#raw[11]! & TX_TUCMD.IP) !== 0;
  }

  get headerBytes(): number {
    return this.#raw[13]!;
  }

  get segmentBytes(): number {
    return readLe16(this.#raw, 14);
  }

  /** Inserts the checksums that `popts` asks for into the packet of `length` octets at `start`. */
  insertChecksums(bytes: Uint8Array, start: number, length: number, popts: number): void {
    if ((popts & TX_POPTS.IXSM) !== 0) insertChecksum(bytes, start, length, this.ipCss, this.ipCso, this.ipCse);
    if ((popts & TX_POPTS.TXSM) !== 0) insertChecksum(bytes, start, length, this.tuCss, this.tuCso, this.tuCse);
  }

  save(): Uint8Array {
    return this.#raw.slice();
  }

  load(state: Uint8Array): void {
    this.#raw.set(state);
  }
}

/**
 * Sums the packet from `css` to `cse`, inclusive (0: to its end), and stores the complement at `cso`. What stood there
 * is part of the sum: software has put the sum of the pseudo-header there, or zero.
 */
export function insertChecksum(
  bytes: Uint8Array,
  start: number,
  length: number,
  css: number,
  cso: number,
  cse: number,
): void {
  const end = cse === 0 ? length : Math.min(length, cse + 1);
  if (css >= end || cso + 2 > length) return;
  writeBe16(bytes, start + cso, ~onesSum(bytes, start + css, start + end) & 0xffff);
}

/**
 * Makes the header at `start` that of segment `index`: lengths, identification, sequence number, flags, and the length
 * that the sum of the pseudo-header leaves out.
 */
export function editHeader(
  bytes: Uint8Array,
  start: number,
  length: number,
  context: OffloadContext,
  index: number,
  last: boolean,
): void {
  const end = start + context.headerBytes;
  const ip = start + context.ipCss;
  if (ip + 6 <= end) {
    if (context.isIpv4) {
      writeBe16(bytes, ip + 2, length - context.ipCss);
      writeBe16(bytes, ip + 4, readBe16(bytes, ip + 4) + index);
    } else {
      writeBe16(bytes, ip + 4, length - context.ipCss - IPV6_HEADER_BYTES);
    }
  }
  const transport = start + context.tuCss;
  const transportBytes = length - context.tuCss;
  if (context.isTcp) {
    if (transport + TCP_FLAGS_AT < end) {
      writeBe32(bytes, transport + 4, readBe32(bytes, transport + 4) + index * context.segmentBytes);
      if (!last) bytes[transport + TCP_FLAGS_AT]! &= ~TCP_FIN_AND_PSH;
    }
  } else if (transport + 6 <= end) {
    writeBe16(bytes, transport + 4, transportBytes);
  }
  const sum = start + context.tuCso;
  if (sum + 2 <= end && transportBytes > 0) writeBe16(bytes, sum, fold(readBe16(bytes, sum) + transportBytes));
}
