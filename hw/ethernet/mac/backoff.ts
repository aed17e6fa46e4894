/**
 * Truncated binary exponential backoff, clause 4.2.3.2.5: after the nth collision of a frame a station waits r slots,
 * r uniform in [0, 2^min(n, 10)), counted from the end of its jam. Carrier does not stop that wait.
 */
import type { Prng, PrngState } from '../../sim/prng.ts';
import { BACKOFF_LIMIT } from './parameters.ts';

export class Backoff {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Slots to wait after collision `collisions` of a frame, counted from 1. */
  draw(collisions: number): number {
    return this.#prng.below(2 ** Math.min(collisions, BACKOFF_LIMIT));
  }

  save(): PrngState {
    return this.#prng.save();
  }

  load(state: PrngState): void {
    this.#prng.load(state);
  }
}
