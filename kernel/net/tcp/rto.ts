/**
 * The retransmission timeout, RFC 6298: smoothed round-trip time, its variation, and the backoff.
 */

import { DEFAULT_TCP_OPTIONS } from './user.ts';

/** Before the first sample (section 2.1). */
const INITIAL_RTO_NS = 1_000_000_000;
/** Section 2.5: at least 60 s. */
const MAX_RTO_NS = 60_000_000_000;
/** When data begin to flow after a SYN was lost (section 5.7). */
const RTO_AFTER_LOST_SYN_NS = 3_000_000_000;
/** Doublings after which the limit is reached whatever the RTO was. */
const MAX_DOUBLINGS = 16;

export class RttEstimator {
  srttNs = 0;
  rttvarNs = 0;
  /** Without backoff. */
  baseNs = INITIAL_RTO_NS;
  sampled = false;
  /** Expiries since the last sample: the exponent of the backoff. */
  backoff = 0;
  readonly #minRtoNs: number;
  readonly #granularityNs: number;
  readonly #slopNs: number;

  /** The least timeout (section 2.4), G, and what is added to every timeout that was measured. */
  constructor(
    minRtoNs = DEFAULT_TCP_OPTIONS.minRtoNs,
    granularityNs = DEFAULT_TCP_OPTIONS.rtoGranularityNs,
    slopNs = DEFAULT_TCP_OPTIONS.rtoSlopNs,
  ) {
    this.#minRtoNs = minRtoNs;
    this.#granularityNs = granularityNs;
    this.#slopNs = slopNs;
  }

  /** Section 2.2 and 2.3. The variation goes first: it is taken against the old mean. */
  sample(rttNs: number): void {
    this.backoff = 0;
    if (this.sampled) {
      this.rttvarNs = 0.75 * this.rttvarNs + 0.25 * Math.abs(this.srttNs - rttNs);
      this.srttNs = 0.875 * this.srttNs + 0.125 * rttNs;
    } else {
      this.sampled = true;
      this.srttNs = rttNs;
      this.rttvarNs = rttNs / 2;
    }
    const rtoNs = Math.ceil(this.srttNs + Math.max(this.#granularityNs, 4 * this.rttvarNs)) + this.#slopNs;
    this.baseNs = Math.min(MAX_RTO_NS, Math.max(this.#minRtoNs, rtoNs));
  }

  /** Section 5.7: the SYN was sent more than once, so what is known of the path is that it loses. */
  synWasLost(): void {
    this.backoff = 0;
    if (!this.sampled) this.baseNs = RTO_AFTER_LOST_SYN_NS;
  }

  /** The timeout, doubled for each expiry (section 5.5) until there is a new sample (section 5, last paragraph; Karn). */
  timeoutNs(): number {
    return this.#doubled(this.backoff);
  }

  /** The time to the zero window probe after `probes` that were sent already (RFC 9293 section 3.8.6.1). */
  probeNs(probes: number): number {
    return this.#doubled(probes);
  }

  #doubled(times: number): number {
    return Math.min(MAX_RTO_NS, this.baseNs * 2 ** Math.min(times, MAX_DOUBLINGS));
  }
}
