/**
 * The statistics counters. They live in the register file, from which software reads them; this unit alone adds to
 * them. A counter sticks at its maximum. 82540EM manual, section 13.7. Lengths run from DA to FCS.
 */
import type { Contention } from './mac-port.ts';
import { E1000 } from './registers.ts';

const { GORCH, GORCL, GOTCH, GOTCL, TORH, TORL, TOTH, TOTL } = E1000;
const { COLC, DC, ECOL, LATECOL, MCC, SCC, TNCRS } = E1000;
const { BPRC, BPTC, GPRC, GPTC, MPRC, MPTC, PRC64, PTC64, TPR, TPT } = E1000;

/** All ones, as int32: where a counter sticks. */
const STUCK = -1;

/** Collisions of a frame that ECOL counts: by then IEEE 802.3 gives it up, clause 4.4.2. */
const EXCESSIVE_COLLISIONS = 16;

/** Upper limits of the first five size classes; the sixth is open. */
const SIZE_CLASSES = [64, 127, 255, 511, 1023] as const;

export class Statistics {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Adds one to the counter in `slot`, a declared register's `n`. */
  count(slot: number): void {
    const value = this.#words[slot]!;
    if (value !== STUCK) this.#words[slot] = value + 1;
  }

  /** Adds `times` to the counter in `slot`. */
  countTimes(slot: number, times: number): void {
    const sum = (this.#words[slot]! >>> 0) + times;
    this.#words[slot] = sum > 0xffff_ffff ? STUCK : sum;
  }

  /** Adds `octets` to the pair of counters in slots `low` and `high`. */
  addOctets(low: number, high: number, octets: number): void {
    const sum = (this.#words[low]! >>> 0) + octets;
    this.#words[low] = sum;
    if (sum <= 0xffff_ffff) return;
    if (this.#words[high] === STUCK) this.#words[low] = STUCK;
    else this.#words[high]! += 1;
  }

  /** A frame of `wireBytes` came in and passed the address filter, good or bad. */
  received(wireBytes: number): void {
    this.count(TPR.n);
    this.addOctets(TORL.n, TORH.n, wireBytes);
  }

  /** That frame was good. `firstOctet` is the first of its destination address. */
  receivedGood(wireBytes: number, firstOctet: number, broadcast: boolean): void {
    this.count(GPRC.n);
    this.addOctets(GORCL.n, GORCH.n, wireBytes);
    this.count(PRC64.n + sizeClass(wireBytes));
    if (broadcast) this.count(BPRC.n);
    else if ((firstOctet & 1) !== 0) this.count(MPRC.n);
  }

  /** A frame of `wireBytes` went out whole. */
  transmitted(wireBytes: number, firstOctet: number, broadcast: boolean): void {
    this.count(TPT.n);
    this.addOctets(TOTL.n, TOTH.n, wireBytes);
    this.count(GPTC.n);
    this.addOctets(GOTCL.n, GOTCH.n, wireBytes);
    this.count(PTC64.n + sizeClass(wireBytes));
    if (broadcast) this.count(BPTC.n);
    else if ((firstOctet & 1) !== 0) this.count(MPTC.n);
  }

  /** A frame of `wireBytes` was given up. */
  transmitFailed(wireBytes: number): void {
    this.count(TPT.n);
    this.addOctets(TOTL.n, TOTH.n, wireBytes);
  }

  /**
   * How a frame fared in half duplex; `sent` if it went out in the end. A frame that TCTL.CT had given up before the 16th
   * collision counts in COLC alone.
   */
  contended({ collisions, lateCollisions, deferred }: Contention, sent: boolean): void {
    if (deferred) this.count(DC.n);
    if (collisions === 0) return;
    this.countTimes(COLC.n, collisions - lateCollisions);
    this.countTimes(LATECOL.n, lateCollisions);
    if (collisions >= EXCESSIVE_COLLISIONS) this.count(ECOL.n);
    else if (sent) this.count(collisions === 1 ? SCC.n : MCC.n);
  }

  /** A frame went out while the MAC saw no carrier of its own. */
  sentWithoutCarrier(): void {
    this.count(TNCRS.n);
  }

  /** Software has read the register in `slot`: the high half of a pair takes the low half with it. */
  wasRead(slot: number): void {
    if (slot === GORCH.n || slot === GOTCH.n || slot === TORH.n || slot === TOTH.n) this.#words[slot - 1] = 0;
  }
}

function sizeClass(wireBytes: number): number {
  let index = 0;
  while (index < SIZE_CLASSES.length && wireBytes > SIZE_CLASSES[index]!) index += 1;
  return index;
}
