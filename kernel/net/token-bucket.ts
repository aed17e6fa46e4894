/**
 * A token bucket: a burst at once, then so many a second, as RFC 1812 section 4.3.2.8 recommends for ICMP errors.
 */
export class TokenBucket {
  readonly #burst: number;
  readonly #intervalNs: number;
  #tokens: number;
  /** When the bucket was last filled up to `#tokens`. */
  #filledNs = 0;

  /** Holds `burst` tokens, and gets one more each `intervalNs`. */
  constructor(burst: number, intervalNs: number) {
    this.#burst = burst;
    this.#intervalNs = intervalNs;
    this.#tokens = burst;
  }

  /** Takes a token out. False when there is none at `nowNs`. */
  take(nowNs: number): boolean {
    const earned = Math.floor((nowNs - this.#filledNs) / this.#intervalNs);
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledNs += earned * this.#intervalNs;
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }
}
