/**
 * The descriptors of one ring that are on chip: a circular array, the first of which is the ring's head. 82540EM
 * manual, sections 3.2.4 and 3.4.1. Its owner, the transmitter or the receiver, says when to fetch and what is done.
 */
import { CACHE_DESCRIPTORS, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { DescriptorRing } from './ring.ts';
import type { Ring } from './taps.ts';

export interface CacheState {
  readonly bytes: Uint8Array;
  readonly first: number;
  readonly held: number;
}

export class DescriptorCache {
  readonly bytes = new Uint8Array(CACHE_DESCRIPTORS * DESCRIPTOR_BYTES);
  readonly ring: DescriptorRing;
  readonly #chip: Chip;
  readonly #name: Ring;
  #first = 0;
  #held = 0;

  constructor(chip: Chip, ring: Ring) {
    this.#chip = chip;
    this.#name = ring;
    this.ring = new DescriptorRing(chip.words, ring);
  }

  /** Descriptors on chip. */
  get held(): number {
    return this.#held;
  }

  /** Descriptors that the hardware owns and that are not on chip. */
  get waiting(): number {
    return Math.max(0, this.ring.owned - this.#held);
  }

  /** Place in `bytes` of the `i`th descriptor that is held. */
  at(i: number): number {
    return ((this.#first + i) % CACHE_DESCRIPTORS) * DESCRIPTOR_BYTES;
  }

  /** Descriptors that one burst can fetch: up to the tail, the end of the ring, and the room on chip. */
  get burst(): number {
    const { ring, waiting } = this;
    if (waiting === 0) return 0;
    const toEnd = CACHE_DESCRIPTORS - (this.#held === 0 ? 0 : (this.#first + this.#held) % CACHE_DESCRIPTORS);
    return Math.min(waiting, ring.count - ring.index(this.#held), toEnd, CACHE_DESCRIPTORS - this.#held);
  }

  /** Fetches a burst; nothing when there is none. */
  fetch(): void {
    const { burst, ring } = this;
    if (burst === 0) return;
    if (this.#held === 0) this.#first = 0;
    const index = ring.index(this.#held);
    const address = ring.address(index);
    const at = this.at(this.#held);
    this.#chip.dmaRead(address, this.bytes, at, burst * DESCRIPTOR_BYTES);
    this.#chip.tapDescriptors(this.#name, 'fetch', index, address, this.bytes, at, burst);
    this.#held += burst;
  }

  /** The oldest descriptor is done with: the head moves past it. Its octets stay where they are until the next fetch. */
  shift(): void {
    this.#first = (this.#first + 1) % CACHE_DESCRIPTORS;
    this.#held -= 1;
    this.ring.advance();
  }

  /** Forgets what is on chip. */
  clear(): void {
    this.#held = 0;
  }

  save(): CacheState {
    return { bytes: this.bytes.slice(), first: this.#first, held: this.#held };
  }

  load(state: CacheState): void {
    this.bytes.set(state.bytes);
    this.#first = state.first;
    this.#held = state.held;
  }
}
