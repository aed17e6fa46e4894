/**
 * The statistics as QEMU 7.2 keeps them. The counters of good packets and octets are no counters of their own but copies
 * of the totals, made at each packet: they forget that software has read and cleared them.
 */
import { FCS_BYTES, MIN_FRAME_BYTES } from '../../../ethernet/frame.ts';
import { isBroadcast } from '../filter.ts';
import { E1000 } from '../registers.ts';
import { Statistics } from '../statistics.ts';

const { BPTC, GORCH, GORCL, GOTCH, GOTCL, GPRC, GPTC, MPTC, PRC64, PTC64, TORH, TORL, TOTH, TOTL, TPR, TPT } = E1000;

/** Least lengths of the size classes. */
const SIZE_CLASSES = [MIN_FRAME_BYTES, 65, 128, 256, 512, 1024] as const;

export class Counters {
  readonly #statistics: Statistics;

  constructor(words: Int32Array) {
    this.#statistics = new Statistics(words);
  }

  /** Adds one to the counter in `slot`. */
  count(slot: number): void {
    this.#statistics.count(slot);
  }

  /** Software has read the register in `slot`. */
  wasRead(slot: number): void {
    this.#statistics.wasRead(slot);
  }

  /** A frame of `octetBytes` to `destination` went out; without its VLAN tag it has `untaggedBytes`. */
  sent(destination: Uint8Array, octetBytes: number, untaggedBytes: number): void {
    if (isBroadcast(destination)) this.count(BPTC.n);
    else if ((destination[0]! & 1) !== 0) this.count(MPTC.n);
    this.#countSize(PTC64.n, octetBytes + FCS_BYTES);
    this.count(TPT.n);
    this.#statistics.addOctets(TOTL.n, TOTH.n, untaggedBytes + FCS_BYTES);
    this.count(GPTC.n);
    this.#statistics.addOctets(GOTCL.n, GOTCH.n, untaggedBytes + FCS_BYTES);
  }

  /** A frame of `octetBytes` came in; in memory it takes `storedBytes`. */
  received(octetBytes: number, storedBytes: number): void {
    this.#countSize(PRC64.n, storedBytes);
    this.count(TPR.n);
    this.count(GPRC.n);
    this.#statistics.addOctets(TORL.n, TORH.n, octetBytes + FCS_BYTES);
    this.#statistics.addOctets(GORCL.n, GORCH.n, octetBytes + FCS_BYTES);
  }

  /** What is shorter than the shortest class is in none. */
  #countSize(firstSlot: number, bytes: number): void {
    let index = SIZE_CLASSES.length - 1;
    while (index >= 0 && bytes < SIZE_CLASSES[index]!) index -= 1;
    if (index >= 0) this.count(firstSlot + index);
  }
}
