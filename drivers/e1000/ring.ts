/**
 * A descriptor ring: memory that driver and hardware share, and the packet that belongs to each descriptor. What the
 * hardware may own and what not is the business of `tx.ts` and `rx.ts`.
 *
 * Both sides see the same memory at once, so no cache is flushed here. The order of writes is what matters: all of a
 * descriptor stands in memory before the tail register is written. Stores happen in program order on this hart; on one
 * that reorders them, a fence (`fence w,o` on RISC-V) belongs in front of each tail write.
 */
import type { DmaBuffer, DmaMemory, PacketBuffer } from '../../kernel/driver-api.ts';
import { DESCRIPTOR_BYTES } from './registers.ts';

/** RDLEN and TDLEN count in units of 128 octets, which are eight descriptors (13.4.27, 13.4.38). */
const COUNT_MULTIPLE = 8;
const MAX_COUNT = 4096;
const RING_ALIGN_BYTES = 16;

export class DescriptorRing {
  readonly count: number;
  readonly view: DataView;
  /** By descriptor: the packet that is its user's again when the descriptor is done with, null for none. */
  readonly packets: (PacketBuffer | null)[];
  readonly #buffer: DmaBuffer;
  readonly #memory: DmaMemory;

  /** Throws when there is no memory for `count` descriptors. */
  constructor(memory: DmaMemory, count: number, owner: string) {
    const buffer = memory.allocate(count * DESCRIPTOR_BYTES, RING_ALIGN_BYTES, owner);
    if (buffer === null) throw new Error(`no memory for the ${owner} of ${count} descriptors`);
    this.count = count;
    this.view = buffer.view;
    this.packets = new Array<PacketBuffer | null>(count).fill(null);
    this.#buffer = buffer;
    this.#memory = memory;
  }

  /** Descriptors from `from` up to, not including, `to`. */
  distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.count;
  }

  get sizeBytes(): number {
    return this.count * DESCRIPTOR_BYTES;
  }

  /** Bits 31:0 of the ring's physical address. */
  get addressLow(): number {
    return this.#buffer.address >>> 0;
  }

  /** Bits 63:32. */
  get addressHigh(): number {
    return high(this.#buffer.address);
  }

  /** The descriptor that follows `index`. */
  after(index: number): number {
    return index + 1 === this.count ? 0 : index + 1;
  }

  /**
   * Fills a whole descriptor, whose buffer is `packet` from `start` on. `word2` and `word3` are its third and fourth
   * word. The hardware writes its status into the fourth, where it is zero now: a DD of the last time round must not be
   * taken for a new one.
   */
  fill(index: number, packet: PacketBuffer, word2: number, word3: number): void {
    const address = packet.address + packet.start;
    this.fillWords(index, address, high(address), word2, word3);
  }

  /** Fills a whole descriptor by its four words. */
  fillWords(index: number, word0: number, word1: number, word2: number, word3: number): void {
    const at = index * DESCRIPTOR_BYTES;
    this.view.setUint32(at, word0, true);
    this.view.setUint32(at + 4, word1, true);
    this.view.setInt32(at + 8, word2, true);
    this.view.setInt32(at + 12, word3, true);
  }

  /** Takes the packet of a descriptor out of the ring. */
  take(index: number): PacketBuffer {
    const packet = this.packets[index]!;
    this.packets[index] = null;
    return packet;
  }

  free(): void {
    this.#memory.free(this.#buffer);
  }
}

/** Throws a RangeError unless the hardware can have a ring of `count` descriptors. */
export function checkRingSize(name: string, count: number): void {
  if (Number.isInteger(count) && count >= COUNT_MULTIPLE && count <= MAX_COUNT && count % COUNT_MULTIPLE === 0) return;
  throw new RangeError(`${name} is ${count}, not a multiple of ${COUNT_MULTIPLE} up to ${MAX_COUNT}`);
}

/** The high word of a physical address. */
function high(address: number): number {
  return Math.floor(address / 0x1_0000_0000);
}
