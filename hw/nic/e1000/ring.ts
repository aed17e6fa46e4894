/**
 * A descriptor ring as its five registers describe it: base, length, head and tail. The hardware owns the descriptors
 * from head up to, not including, tail; equal pointers mean that it owns none. 82540EM manual, sections 3.2.6 and 3.4.
 *
 * All five are software's to write, so anything may stand there: while a pointer lies outside the ring, or the ring has
 * no length, the hardware owns nothing.
 */
import { DESCRIPTOR_BYTES } from './chip.ts';
import { E1000 } from './registers.ts';
import type { Ring } from './taps.ts';

const { RDBAH, RDBAL, RDH, RDLEN, RDT, TDBAH, TDBAL, TDH, TDLEN, TDT } = E1000;

export class DescriptorRing {
  readonly #words: Int32Array;
  readonly #low: number;
  readonly #high: number;
  readonly #length: number;
  readonly #head: number;
  readonly #tail: number;

  constructor(words: Int32Array, ring: Ring) {
    const receive = ring === 'rx';
    this.#words = words;
    this.#low = receive ? RDBAL.n : TDBAL.n;
    this.#high = receive ? RDBAH.n : TDBAH.n;
    this.#length = receive ? RDLEN.n : TDLEN.n;
    this.#head = receive ? RDH.n : TDH.n;
    this.#tail = receive ? RDT.n : TDT.n;
  }

  /** Descriptors in the ring. */
  get count(): number {
    return this.#words[this.#length]! / DESCRIPTOR_BYTES;
  }

  get head(): number {
    return this.#words[this.#head]!;
  }

  get tail(): number {
    return this.#words[this.#tail]!;
  }

  /** Descriptors that the hardware owns. */
  get owned(): number {
    const { head, tail, count } = this;
    if (head >= count || tail >= count) return 0;
    return tail >= head ? tail - head : tail - head + count;
  }

  /** Index of the descriptor `steps` behind the head; `steps` is less than the ring. */
  index(steps: number): number {
    const index = this.head + steps;
    return index >= this.count ? index - this.count : index;
  }

  /** Physical address of descriptor `index`. */
  address(index: number): number {
    return (
      (this.#words[this.#low]! >>> 0) + (this.#words[this.#high]! >>> 0) * 0x1_0000_0000 + index * DESCRIPTOR_BYTES
    );
  }

  /** Gives the descriptor at the head back to software. */
  advance(): void {
    this.#words[this.#head] = this.index(1);
  }
}
