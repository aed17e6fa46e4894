/**
 * What a station hears at its place on a shared medium, where signals add up. One signal by itself is a frame. When a
 * second one joins it, or the station itself sends, all from there on is noise until silence comes back; a receiver
 * makes of it a frame that is not one, or, when the delimiter was hit too, nothing.
 */
import type { MediumListener, Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';
import { jammed, truncate } from './damage.ts';

const NEVER = Number.POSITIVE_INFINITY;

export interface ReceptionState {
  readonly signals: number;
  readonly first: TransmissionState | null;
  readonly latest: TransmissionState | null;
  readonly latestNs: number;
  readonly own: TransmissionState | null;
  readonly startNs: number;
  readonly noiseNs: number;
}

export class Reception {
  #listener: MediumListener | null;
  /** Others' signals that are here now. */
  #signals = 0;
  /** The one that broke the silence, and when it did. */
  #first: Transmission | null = null;
  #startNs = 0;
  /** From when on there is more than one. */
  #noiseNs = NEVER;
  /** The one that came on top of others last, and when it did. */
  #latest: Transmission | null = null;
  #latestNs = -1;
  /** The latest own one. */
  #own: Transmission | null = null;

  constructor(listener: MediumListener) {
    this.#listener = listener;
  }

  /** Another's signal begins here. */
  begin(transmission: Transmission, nowNs: number): void {
    this.#signals += 1;
    if (this.#signals > 1) {
      if (this.#noiseNs === NEVER) this.#noiseNs = nowNs;
      this.#latest = transmission;
      this.#latestNs = nowNs;
      this.#listener?.carrier?.noise?.();
      return;
    }
    this.#first = transmission;
    this.#startNs = nowNs;
    this.#noiseNs = this.#own !== null && this.#own.endNs > nowNs ? nowNs : NEVER;
    this.#listener?.carrier?.carrierOn(transmission);
  }

  /** Another's signal has ended here. One that began in this nanosecond has not met it. */
  end(transmission: Transmission, nowNs: number): void {
    this.#signals -= 1;
    if (this.#signals === 0) {
      this.#fallSilent(nowNs);
    } else if (this.#signals === 1 && this.#latestNs === nowNs && this.#latest !== transmission) {
      if (this.#noiseNs === nowNs) this.#noiseNs = NEVER;
      this.#fallSilent(nowNs);
      this.#signals = 0;
      this.begin(this.#latest!, nowNs);
    }
  }

  /** The station itself sends. */
  sends(transmission: Transmission, nowNs: number): void {
    this.#own = transmission;
    if (this.#signals > 0 && this.#noiseNs === NEVER) this.#noiseNs = nowNs;
  }

  /** The station is gone: the rest of what is on its way here passes unheard. */
  close(): void {
    this.#listener = null;
  }

  save(): ReceptionState {
    return {
      signals: this.#signals,
      first: this.#first === null ? null : saveTransmission(this.#first),
      latest: this.#latest === null ? null : saveTransmission(this.#latest),
      latestNs: this.#latestNs,
      own: this.#own === null ? null : saveTransmission(this.#own),
      startNs: this.#startNs,
      noiseNs: this.#noiseNs,
    };
  }

  load(state: ReceptionState): void {
    this.#signals = state.signals;
    this.#first = state.first === null ? null : loadTransmission(state.first);
    this.#latest = state.latest === null ? null : loadTransmission(state.latest);
    this.#latestNs = state.latestNs;
    this.#own = state.own === null ? null : loadTransmission(state.own);
    this.#startNs = state.startNs;
    this.#noiseNs = state.noiseNs;
  }

  #fallSilent(nowNs: number): void {
    const first = this.#first!;
    this.#first = null;
    const listener = this.#listener;
    if (listener === null) return;
    this.#deliver(listener, first, nowNs);
    listener.carrier?.carrierOff(first);
  }

  #deliver(listener: MediumListener, first: Transmission, nowNs: number): void {
    const { frame, bitNs, headBits, aborted, startNs, jamNs } = first;
    const noise = this.#noiseNs !== NEVER;
    if (!aborted && !noise) {
      listener.arrived(frame, first, this.#startNs);
      return;
    }
    const bits = Math.floor((nowNs - this.#startNs) / bitNs) - headBits;
    const cleanNs = Math.min(jamNs - startNs, this.#noiseNs - this.#startNs);
    const remains =
      cleanNs >= nowNs - this.#startNs
        ? truncate(frame, bits, false)
        : jammed(frame, bits, Math.floor(cleanNs / bitNs) - headBits);
    if (remains !== null) listener.arrived(remains, first, this.#startNs);
  }
}
