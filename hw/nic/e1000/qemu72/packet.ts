/**
 * The packet that QEMU 7.2's transmitter is putting together, and its offloads. One buffer of 64 KiB serves all packets
 * and is never cleared; a length of 16 bits counts in it. Offsets come from the guest and are taken as they are: what
 * they reach beyond the packet is what earlier packets left there.
 */
import { readBe16, readBe32, writeBe16, writeBe32 } from '../../../../src/lib/bytes.ts';
import { onesSum } from '../checksum.ts';
import { TX_POPTS } from '../descriptors.ts';
import { OffloadContext } from '../offload.ts';

/** Octets that the buffer holds. */
export const BUFFER_BYTES = 0x1_0000;
/** In front of the buffer: where the addresses go to make room for a VLAN tag. */
const TAG_BYTES = 4;
const ADDRESSES_BYTES = 12;
/** Behind the buffer: what offsets reach that begin at its end. */
const SPILL_BYTES = 512;
const MAX_HEADER_BYTES = 255;
const TCP_FIN_AND_PSH = 0x09;
const TCP_FLAGS_AT = 13;

export interface PacketState {
  readonly bytes: Uint8Array;
  readonly header: Uint8Array;
  readonly checksum: Uint8Array;
  readonly segmentation: Uint8Array;
  readonly fields: readonly [length: number, segments: number, popts: number, segmenting: boolean, tag: number | null];
}

export class Packet {
  /** The packet is `length` octets from `start`. */
  readonly bytes = new Uint8Array(TAG_BYTES + BUFFER_BYTES + SPILL_BYTES);
  readonly start = TAG_BYTES;
  /** Sixteen bits: a full buffer is an empty one. */
  length = 0;
  /** POPTS of the first data descriptor. */
  popts = 0;
  segmenting = false;
  /** The VLAN tag to insert: EtherType in the high half, what follows it in the low one. */
  tag: number | null = null;
  readonly checksum = new OffloadContext();
  readonly segmentation = new OffloadContext();
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #segments = 0;

  /** The context that applies to the packet. */
  get context(): OffloadContext {
    return this.segmenting ? this.segmentation : this.checksum;
  }

  /** A new segmentation context: segments count from zero. */
  forgetSegments(): void {
    this.#segments = 0;
  }

  /** The packet begins with the header that all segments have: keeps it. */
  keepHeader(): void {
    const { headerBytes } = this.segmentation;
    this.#header.set(this.bytes.subarray(this.start, this.start + headerBytes));
  }

  /** The next segment begins with the header. */
  restoreHeader(): void {
    const { headerBytes } = this.segmentation;
    this.bytes.set(this.#header.subarray(0, headerBytes), this.start);
    this.length = headerBytes;
  }

  /** Fills in what the segment's header is to say. Returns whether this was the last of several segments. */
  editHeader(): boolean {
    const { bytes, start, length } = this;
    const context = this.segmentation;
    const ip = start + context.ipCss;
    writeBe16(bytes, ip + (context.isIpv4 ? 2 : 4), length - context.ipCss);
    if (context.isIpv4) writeBe16(bytes, ip + 4, readBe16(bytes, ip + 4) + this.#segments);
    const transport = start + context.tuCss;
    const transportBytes = (length - context.tuCss) & 0xffff;
    const finished = context.isTcp ? this.#editTcp(transport) : false;
    if (!context.isTcp) writeBe16(bytes, transport + 4, transportBytes);
    if ((this.popts & TX_POPTS.TXSM) !== 0) {
      const sum = readBe16(bytes, start + context.tuCso) + transportBytes;
      writeBe16(bytes, start + context.tuCso, (sum >>> 16) + (sum & 0xffff));
    }
    this.#segments = (this.#segments + 1) & 0xffff;
    return finished;
  }

  insertChecksums(): void {
    const { popts, context } = this;
    if ((popts & TX_POPTS.TXSM) !== 0) this.#insertChecksum(context.tuCss, context.tuCso, context.tuCse);
    if ((popts & TX_POPTS.IXSM) !== 0) this.#insertChecksum(context.ipCss, context.ipCso, context.ipCse);
  }

  /** The packet as a frame of its own, with the tag in it. Making room for that leaves its mark in the buffer. */
  frame(): Uint8Array {
    const { bytes, start, length, tag } = this;
    if (tag === null) return bytes.slice(start, start + length);
    bytes.copyWithin(0, start, start + ADDRESSES_BYTES);
    writeBe32(bytes, ADDRESSES_BYTES, tag);
    return bytes.slice(0, TAG_BYTES + length);
  }

  /** Where the frame's destination address is, even if it is too short for one. After `frame`. */
  get destination(): Uint8Array {
    return this.bytes.subarray(this.tag === null ? this.start : 0);
  }

  /** The packet is over. */
  clear(): void {
    this.length = this.popts = this.#segments = 0;
    this.segmenting = false;
    this.tag = null;
  }

  save(): PacketState {
    return {
      bytes: this.bytes.slice(),
      header: this.#header.slice(),
      checksum: this.checksum.save(),
      segmentation: this.segmentation.save(),
      fields: [this.length, this.#segments, this.popts, this.segmenting, this.tag],
    };
  }

  load(state: PacketState): void {
    this.bytes.set(state.bytes);
    this.#header.set(state.header);
    this.checksum.load(state.checksum);
    this.segmentation.load(state.segmentation);
    [this.length, this.#segments, this.popts, this.segmenting, this.tag] = state.fields;
  }

  #editTcp(transport: number): boolean {
    const { bytes } = this;
    const { segmentBytes, payloadBytes } = this.segmentation;
    const sent = this.#segments * segmentBytes;
    writeBe32(bytes, transport + 4, readBe32(bytes, transport + 4) + sent);
    if ((payloadBytes - sent) >>> 0 <= segmentBytes) return this.#segments > 0;
    bytes[transport + TCP_FLAGS_AT]! &= ~TCP_FIN_AND_PSH;
    return false;
  }

  /** Where the sum would end behind the packet's end, or begin there, there is nothing to sum: the complement of zero. */
  #insertChecksum(css: number, cso: number, cse: number): void {
    const { bytes, start, length } = this;
    const end = cse !== 0 && cse < length ? cse + 1 : length;
    if (cso >= (end - 1) >>> 0) return;
    const sum = css < end ? ~onesSum(bytes, start + css, start + end) & 0xffff : 0;
    writeBe16(bytes, start + cso, sum === 0 ? 0xffff : sum);
  }
}
