/**
 * SYN cookies, RFC 4987 section 3.6: when the SYN queue is full, the ISN of the SYN,ACK holds all that must be known of
 * the connection, and the ACK brings it back. What does not fit, window scale, SACK and timestamps, is not used then.
 *
 * The cookie: 5 bits of a slow counter, 3 bits that stand for an MSS, 24 bits of a keyed hash of both and the endpoints
 * and the peer's ISN.
 */
import { KeyedHash } from './isn.ts';
import type { Segment } from './segment.ts';

/** One step of the counter. A cookie of this step or the last is good. */
const STEP_NS = 64_000_000_000;
const COUNTER_MASK = 31;
const HASH_MASK = 0xff_ffff;
/** What the peer's MSS is rounded down to. */
const MSS_STEPS = [216, 536, 1024, 1220, 1360, 1400, 1440, 1460] as const;

export class SynCookies {
  readonly #hash: KeyedHash;

  constructor(random: () => number) {
    this.#hash = new KeyedHash(random);
  }

  /** The ISN of the SYN,ACK that answers `syn`. */
  make(syn: Segment, mss: number, nowNs: number): number {
    let step = MSS_STEPS.length - 1;
    while (step > 0 && MSS_STEPS[step]! > mss) step -= 1;
    return this.#cookie(syn, syn.seq, Math.floor(nowNs / STEP_NS), step);
  }

  /** The MSS in the cookie that `ack` acknowledges, or 0: it is none of ours, or too old. */
  check(ack: Segment, nowNs: number): number {
    const cookie = (ack.ack - 1) | 0;
    const step = (cookie >>> 24) & 7;
    const counter = Math.floor(nowNs / STEP_NS);
    const irs = (ack.seq - 1) | 0;
    for (let age = 0; age <= 1; age++) {
      if (this.#cookie(ack, irs, counter - age, step) === cookie) return MSS_STEPS[step]!;
    }
    return 0;
  }

  #cookie(segment: Segment, irs: number, counter: number, step: number): number {
    const ports = (segment.sourcePort << 16) | segment.destinationPort;
    const head = ((counter & COUNTER_MASK) << 27) | (step << 24);
    const addresses = segment.sourceAddress ^ Math.imul(segment.destinationAddress, 0x9e3779b1);
    return head | (this.#hash.hash(addresses, ports, irs, head ^ counter) & HASH_MASK);
  }
}
