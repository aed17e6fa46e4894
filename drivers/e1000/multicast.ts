/**
 * The multicast table, 13.5.1: 4096 bits, of which a frame's destination address selects one by twelve of its own bits,
 * 47 to 36 as RCTL.MO is 0. Addresses that share the bit come in too; the kernel looks again.
 */
import type { Mmio } from './mmio.ts';
import { MTA } from './registers.ts';

const WORDS = 128;
/** With more addresses than this the table lets in so much else that it is of little use. */
const MAX_HASHED_GROUPS = 256;

export class MulticastTable {
  readonly #regs: Mmio;
  readonly #enabled: boolean;
  /** What the registers hold, or shall hold once they are written. */
  #words = new Int32Array(WORDS);
  /** Whether all multicast frames are to be received, RCTL.MPE: there is no table for the addresses. */
  promiscuous = false;

  constructor(regs: Mmio, enabled: boolean) {
    this.#regs = regs;
    this.#enabled = enabled;
  }

  /** Works out table and `promiscuous` for `groups`, and writes the words that change if the interface is `open`. */
  set(groups: readonly Uint8Array[], open: boolean): void {
    this.promiscuous = groups.length > (this.#enabled ? MAX_HASHED_GROUPS : 0);
    if (this.promiscuous) return; // and the table stays as it is until it is needed again
    const before = this.#words;
    const words = new Int32Array(WORDS);
    for (const group of groups) {
      const hash = (group[4]! >>> 4) | (group[5]! << 4);
      words[hash >>> 5]! |= 1 << (hash & 31);
    }
    this.#words = words;
    for (let i = 0; open && i < WORDS; i++) if (words[i] !== before[i]) this.#regs.write(MTA + 4 * i, words[i]!);
  }

  /** Writes the whole table: a reset leaves it undefined. */
  write(): void {
    for (let i = 0; i < WORDS; i++) this.#regs.write(MTA + 4 * i, this.#words[i]!);
  }
}
