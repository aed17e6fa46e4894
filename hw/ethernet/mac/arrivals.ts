/**
 * The receive side of a half-duplex MAC, clause 4.2.9, as far as it differs: what arrived while an own frame collided is
 * lost, and at 1000 Mb/s so is what does not fill a slot, unless it continues a burst. Fragments at the lower speeds
 * are frames below 64 octets; `receive.ts` names them.
 */
import { HEADER_BITS } from '../ports.ts';
import type { MacCounters } from './counters.ts';
import { SLOT_BITS } from './parameters.ts';

/** A slot at 1000 Mb/s behind preamble and delimiter, at a nanosecond a bit. */
const MIN_GIGABIT_EVENT_NS = HEADER_BITS + SLOT_BITS[1000];

export interface ArrivalsState {
  readonly collidedFromNs: number;
  readonly collidedToNs: number;
  readonly endNs: number;
}

export class Arrivals {
  readonly #counters: MacCounters;
  /** The latest own attempt that collided, jam included. */
  #collidedFromNs = -1;
  #collidedToNs = -1;
  /** When the latest arrival ended. */
  #endNs = -1;

  constructor(counters: MacCounters) {
    this.#counters = counters;
  }

  /** An own attempt has collided; its jam will have ended at `toNs`. */
  collided(fromNs: number, toNs: number): void {
    this.#collidedFromNs = fromNs;
    this.#collidedToNs = toNs;
  }

  /** Whether what came in from `startNs` to `nowNs` is for the client. */
  accept(startNs: number, nowNs: number, gigabit: boolean): boolean {
    if (startNs < this.#collidedToNs && nowNs > this.#collidedFromNs) {
      this.#counters.arrivalsCollided += 1;
      return false;
    }
    const continues = startNs === this.#endNs;
    this.#endNs = nowNs;
    if (!gigabit || continues || nowNs - startNs >= MIN_GIGABIT_EVENT_NS) return true;
    this.#counters.arrivalsShort += 1;
    return false;
  }

  save(): ArrivalsState {
    return { collidedFromNs: this.#collidedFromNs, collidedToNs: this.#collidedToNs, endNs: this.#endNs };
  }

  load(state: ArrivalsState): void {
    this.#collidedFromNs = state.collidedFromNs;
    this.#collidedToNs = state.collidedToNs;
    this.#endNs = state.endNs;
  }
}
