/**
 * Descriptors that are done with and wait to be written back together. Who waits how long is up to the transmitter and
 * the receiver; here is what waits, and the writing. 82540EM manual, sections 3.2.5 and 3.4.2.
 */
import { CACHE_DESCRIPTORS, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { RX_AT, TX_AT } from './descriptors.ts';
import type { DescriptorRing } from './ring.ts';
import type { Ring } from './taps.ts';

export interface WriteBackState {
  readonly bytes: Uint8Array;
  readonly indexes: Int32Array;
}

export class WriteBack {
  readonly #chip: Chip;
  readonly #ring: DescriptorRing;
  readonly #name: Ring;
  /** What the hardware writes of a descriptor: of one to send its status, of one to receive all but the address. */
  readonly #from: number;
  readonly #length: number;
  readonly #bytes = new Uint8Array(CACHE_DESCRIPTORS * DESCRIPTOR_BYTES);
  readonly #indexes = new Int32Array(CACHE_DESCRIPTORS);
  #count = 0;

  constructor(chip: Chip, ring: DescriptorRing, name: Ring) {
    this.#chip = chip;
    this.#ring = ring;
    this.#name = name;
    this.#from = name === 'rx' ? RX_AT.LENGTH : TX_AT.STA;
    this.#length = name === 'rx' ? DESCRIPTOR_BYTES - RX_AT.LENGTH : 1;
  }

  /** Descriptors that wait. */
  get count(): number {
    return this.#count;
  }

  /** The descriptor at `at` of `cache`, the ring's head, is done with. There is room for as many as are on chip. */
  add(cache: Uint8Array, at: number): void {
    const to = this.#count * DESCRIPTOR_BYTES;
    for (let i = 0; i < DESCRIPTOR_BYTES; i++) this.#bytes[to + i] = cache[at + i]!;
    this.#indexes[this.#count] = this.#ring.head;
    this.#count += 1;
  }

  /** Writes back all that wait, in order. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      const at = i * DESCRIPTOR_BYTES;
      const index = this.#indexes[i]!;
      const address = this.#ring.address(index);
      this.#chip.dmaWrite(address + this.#from, this.#bytes, at + this.#from, this.#length);
      this.#chip.tapDescriptors(this.#name, 'write-back', index, address, this.#bytes, at, 1);
    }
  }

  /** Forgets what waits: the ring is another one now. */
  clear(): void {
    this.#count = 0;
  }

  save(): WriteBackState {
    return {
      bytes: this.#bytes.slice(0, this.#count * DESCRIPTOR_BYTES),
      indexes: this.#indexes.slice(0, this.#count),
    };
  }

  load(state: WriteBackState): void {
    this.#bytes.set(state.bytes);
    this.#indexes.set(state.indexes);
    this.#count = state.indexes.length;
  }
}
