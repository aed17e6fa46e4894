/**
 * Independent bit errors at a fixed rate, as gaps: how many good bits pass before the next bad one is drawn once per
 * error, so that a frame without errors costs a subtraction. The gap is geometric.
 *
 * It is found by multiplication alone, from the powers (1 - rate)^(2^k), because every engine agrees on those to the
 * last bit, and not on logarithms.
 */
import type { Prng, PrngState } from '../../sim/prng.ts';

/** Gaps up to 2**50 bits, which at a gigabit is thirteen days without an error. */
const GAP_BITS = 50;

export interface BitErrorState {
  readonly prng: PrngState;
  readonly gap: number;
}

export class BitErrors {
  readonly #prng: Prng;
  /** Power k is the chance that 2**k bits in a row are good. Empty when no bit ever is bad. */
  readonly #powers: readonly number[];
  /** Good bits still to pass. */
  #gap: number;

  /** Errors with probability `rate` per bit, 0 <= rate < 1. */
  constructor(rate: number, prng: Prng) {
    if (!(rate >= 0 && rate < 1)) throw new RangeError(`a bit error rate lies between 0 and 1, not at ${rate}`);
    this.#prng = prng;
    const powers: number[] = [];
    for (let k = 0, power = 1 - rate; rate > 0 && k < GAP_BITS; k++, power *= power) powers.push(power);
    this.#powers = powers;
    this.#gap = this.#draw();
  }

  /** The positions of the bad ones among the next `bits` bits, or null when all are good. */
  strike(bits: number): readonly number[] | null {
    if (this.#gap >= bits) {
      this.#gap -= bits;
      return null;
    }
    const positions: number[] = [];
    let at = this.#gap;
    for (; at < bits; at += 1 + this.#draw()) positions.push(at);
    this.#gap = at - bits;
    return positions;
  }

  save(): BitErrorState {
    return { prng: this.#prng.save(), gap: this.#gap };
  }

  load(state: BitErrorState): void {
    this.#prng.load(state.prng);
    this.#gap = state.gap;
  }

  /** The largest n for which (1 - rate)^n still exceeds a uniform number: a geometric gap. */
  #draw(): number {
    if (this.#powers.length === 0) return Number.POSITIVE_INFINITY;
    const uniform = ((this.#prng.word() >>> 5) * 0x400_0000 + (this.#prng.word() >>> 6)) / 2 ** 53;
    let gap = 0;
    let chance = 1;
    for (let k = GAP_BITS - 1; k >= 0; k--) {
      const longer = chance * this.#powers[k]!;
      if (longer <= uniform) continue;
      chance = longer;
      gap += 2 ** k;
    }
    return gap;
  }
}
