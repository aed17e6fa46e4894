/**
 * One direction of a signal-accurate wire: every frame is coded into its symbols and decoded from them, and on the way
 * each symbol is bad with a fixed probability. A bad symbol is one that noise has carried across the nearest threshold:
 * of two levels the other one; of three the middle one, or, from the middle, either of the others.
 */
import type { Prng, PrngState } from '../../sim/prng.ts';
import type { Frame } from '../frame.ts';
import { type BitErrorState, BitErrors } from '../medium/bit-errors.ts';
import type { SpeedMbps } from '../ports.ts';
import { type LineCode, throughTheLine } from './line-code.ts';

export interface SignalPathState {
  readonly errors: BitErrorState;
  readonly side: PrngState;
}

export class SignalPath {
  readonly #errors: BitErrors;
  /** Whether noise pushes the middle level up or down. */
  readonly #side: Prng;

  /** Each symbol is bad with probability `symbolErrorRate`. Throws a RangeError unless that is from 0 to below 1. */
  constructor(symbolErrorRate: number, prng: Prng) {
    if (!(symbolErrorRate >= 0 && symbolErrorRate < 1)) {
      throw new RangeError(`a symbol error rate lies between 0 and 1, not at ${symbolErrorRate}`);
    }
    this.#errors = new BitErrors(symbolErrorRate, prng.fork('errors'));
    this.#side = prng.fork('side');
  }

  /** What comes out when `frame` goes in at `bitNs` a bit: `frame` itself if it is whole, null if nothing does. */
  carry(frame: Frame, bitNs: number): Frame | null {
    return throughTheLine(frame, (1000 / bitNs) as SpeedMbps, this.#disturb);
  }

  save(): SignalPathState {
    return { errors: this.#errors.save(), side: this.#side.save() };
  }

  load(state: SignalPathState): void {
    this.#errors.load(state.errors);
    this.#side.load(state.side);
  }

  readonly #disturb = (symbols: Int8Array, { levels }: LineCode): void => {
    const struck = this.#errors.strike(symbols.length);
    if (struck === null) return;
    for (const at of struck) {
      if (levels === 2) symbols[at] = -symbols[at]!;
      else symbols[at] = symbols[at] === 0 ? 1 - 2 * (this.#side.word() & 1) : 0;
    }
  };
}
