/**
 * When a half-duplex MAC may begin to send: the process Deference of clause 4.2.8, with the inter-frame gap in two
 * parts. It has no timer. Carrier edges move one number, the time from which the medium counts as free, and a station
 * in backoff, which is where stations of a busy medium mostly are, pays nothing more for them.
 *
 * After another's carrier, one that begins within part 1 of the gap begins the wait anew; in part 2 carrier is ignored,
 * so that every station gets its turn to collide. After an own transmission both parts ignore carrier.
 *
 * A carrier that begins in this very nanosecond cannot be heard yet, and a silence of no length is none: the order of
 * events of one instant then does not matter, which makes a run independent of the order in which stations are listed.
 */
import type { Spacing } from './parameters.ts';

const NEVER = Number.POSITIVE_INFINITY;

export interface DeferenceState {
  readonly carrier: boolean;
  readonly carrierNs: number;
  readonly transmitting: boolean;
  readonly gapNs: number;
  readonly own: boolean;
  readonly clearNs: number;
  readonly clearBeforeNs: number;
}

export class Deference {
  /** Nanoseconds per bit at the speed of the link. */
  bitNs = 1;
  readonly #spacing: Spacing;
  /** Another station's signal is here, and since when. */
  #carrier = false;
  #carrierNs = -1;
  #transmitting = false;
  /** When the latest gap began, and whether it follows an own transmission. */
  #gapNs = 0;
  #own = false;
  /** From when on a frame may be sent; Infinity while that hangs on the end of a carrier. */
  #clearNs = 0;
  /** What `#clearNs` was before the latest carrier. */
  #clearBeforeNs = 0;

  constructor(spacing: Spacing) {
    this.#spacing = spacing;
  }

  get carrier(): boolean {
    return this.#carrier;
  }

  /** When a frame that waits at `nowNs` may go, as things stand; Infinity while carrier has to end first. */
  clearAt(nowNs: number): number {
    if (!this.#carrier) return Math.max(this.#clearNs, nowNs);
    if (this.#carrierNs === nowNs && this.#clearBeforeNs <= nowNs) return nowNs;
    return this.#clearNs < nowNs ? NEVER : this.#clearNs;
  }

  /** Another station's carrier begins. True if a frame that waits has to wait for its end. */
  carrierOn(nowNs: number): boolean {
    this.#carrier = true;
    this.#carrierNs = nowNs;
    this.#clearBeforeNs = this.#clearNs;
    if (this.#transmitting) return false;
    if (nowNs > this.#clearNs) {
      this.#own = false;
      this.#clearNs = NEVER;
      return true;
    }
    if (this.#own ? nowNs > this.#gapNs : nowNs > this.#gapNs + this.#spacing.part1Bits * this.bitNs) return false;
    this.#clearNs = NEVER;
    return true;
  }

  /** Carrier ends. Without one it does nothing. */
  carrierOff(nowNs: number): void {
    if (!this.#carrier) return;
    this.#carrier = false;
    if (this.#transmitting) return;
    if (this.#clearNs === NEVER) {
      this.#beginGap(nowNs);
    } else if (nowNs > this.#clearNs) {
      // It was ignored, and has outlasted the gap that it was ignored in.
      this.#own = false;
      this.#beginGap(nowNs);
    }
  }

  transmitBegins(): void {
    this.#transmitting = true;
  }

  /** The last bit of an own transmission, or of its jam, has left. */
  transmitEnds(nowNs: number): void {
    this.#transmitting = false;
    this.#own = true;
    if (this.#carrier) this.#clearNs = this.#clearBeforeNs = NEVER;
    else this.#beginGap(nowNs);
  }

  /** The link has changed: whatever was heard before is gone. */
  linkChanged(bitNs: number): void {
    this.bitNs = bitNs;
    this.#carrier = false;
    if (this.#clearNs === NEVER) this.#clearNs = 0;
  }

  save(): DeferenceState {
    return {
      carrier: this.#carrier,
      carrierNs: this.#carrierNs,
      transmitting: this.#transmitting,
      gapNs: this.#gapNs,
      own: this.#own,
      clearNs: this.#clearNs,
      clearBeforeNs: this.#clearBeforeNs,
    };
  }

  load(state: DeferenceState): void {
    this.#carrier = state.carrier;
    this.#carrierNs = state.carrierNs;
    this.#transmitting = state.transmitting;
    this.#gapNs = state.gapNs;
    this.#own = state.own;
    this.#clearNs = state.clearNs;
    this.#clearBeforeNs = state.clearBeforeNs;
  }

  #beginGap(nowNs: number): void {
    const { backToBackBits, wholeBits } = this.#spacing;
    this.#gapNs = nowNs;
    this.#clearNs = nowNs + (this.#own ? backToBackBits : wholeBits) * this.bitNs;
  }
}
