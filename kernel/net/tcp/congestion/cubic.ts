/**
 * CUBIC, RFC 9438: after a loss the window follows a cubic function of time, flat around the size at which the loss
 * was, so that growth does not depend on the round-trip time. Units of the function are segments and seconds.
 */
import type { CongestionAlgorithm } from '../user.ts';
import { NewReno } from './newreno.ts';

/** Section 4.1: constant C, in segments per second cubed. */
const C = 0.4;
/** Section 4.6: what is left of the window after a loss. */
const BETA = 0.7;
/** Section 4.3: growth of a Reno window that is cut by {@link BETA}, in segments per round trip. */
const RENO_ALPHA = (3 * (1 - BETA)) / (1 + BETA);
const NS_PER_SECOND = 1e9;
/** Section 4.2: target is at most half as much again as the window. */
const MAX_GROWTH = 1.5;

export class Cubic extends NewReno {
  override readonly name: CongestionAlgorithm = 'cubic';
  /** W_max, in segments. */
  #wMax = 0;
  /** K: seconds until the function is back at W_max. */
  #k = 0;
  /** When this stage of congestion avoidance began; -1: it has not. */
  #epochNs = -1;
  /** W_est, what Reno would have by now, in segments. */
  #renoWindow = 0;
  /** Growth that is not yet a whole byte. */
  #credit = 0;

  override lost(flightBytes: number, _nowNs: number): void {
    const window = this.cwnd / this.mss;
    // Section 4.7, fast convergence: a flow that loses before it is back at W_max makes room for others.
    this.#wMax = window < this.#wMax ? (window * (1 + BETA)) / 2 : window;
    this.#epochNs = -1;
    this.ssthresh = Math.max(Math.floor(flightBytes * BETA), 2 * this.mss);
  }

  override idle(): void {
    super.idle();
    this.#epochNs = -1;
  }

  protected override avoid(bytes: number, nowNs: number, srttNs: number): void {
    const window = this.cwnd / this.mss;
    if (this.#epochNs < 0) this.#begin(window, nowNs);
    const acknowledged = bytes / this.mss;
    this.#renoWindow += RENO_ALPHA * (acknowledged / window);
    const seconds = (nowNs - this.#epochNs + srttNs) / NS_PER_SECOND;
    const cubic = C * (seconds - this.#k) ** 3 + this.#wMax;
    const target = Math.min(Math.max(cubic, window), MAX_GROWTH * window);
    this.#credit += Math.max(((target - window) / window) * acknowledged, this.#renoWindow - window) * this.mss;
    if (this.#credit < 1) return;
    const grown = Math.floor(this.#credit);
    this.#credit = 0;
    this.cwnd += grown;
  }

  #begin(window: number, nowNs: number): void {
    this.#epochNs = nowNs;
    this.#renoWindow = window;
    this.#credit = 0;
    if (this.#wMax < window) this.#wMax = window;
    this.#k = Math.cbrt((this.#wMax - window) / C);
  }
}
