/**
 * The filtering database, IEEE 802.1D-2004 clause 7.9: which port leads to an address, for each VLAN by itself. A switch
 * owns one. Dynamic entries are learned from source addresses, overwritten when a station moves, and forgotten at
 * exactly the ageing time after they were last seen; static ones stay as they are.
 *
 * The key is a MAC address and a VLAN, 60 bits in two words. A hash table with open addressing (linear probing, at most
 * half full, deletion by shifting back) leads to an entry; entries are chained in the order in which they
 * were last seen, so that one timer, armed for the first of the chain, ages them all. An entry is 32 octets in a typed
 * array, half a line of a cache. Nothing is allocated per frame.
 */
import { readBe16, readLe32 } from '../../../src/lib/bytes.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';

/** No such entry, no such port. */
export const UNKNOWN = -1;
const NONE = -1;
const FIRST_CAPACITY = 64;
// An entry: eight words, of which the last two are a double. It is known by the index of its first word.
const ENTRY_WORDS = 8;
/** The last four octets of the address. */
const LOW = 0;
/** The VLAN above the first two octets of the address. */
const HIGH = 1;
const PORT = 2;
/** The chain of the dynamic entries; `next` also chains the free ones. */
const NEXT = 3;
const PREVIOUS = 4;
/** When it was last seen, by doubles; Infinity for a static one. */
const SEEN = 3;

/** An entry for observers: a copy. */
export interface TableEntry {
  /** Six octets. */
  readonly mac: Uint8Array;
  /** 1 where there are no VLANs. */
  readonly vlan: number;
  readonly port: number;
  readonly static: boolean;
  /** When a frame with this source address last came in; 0 for a static one. */
  readonly seenNs: number;
}

/** What became of an address that was seen as a source. */
export type Learning = 'known' | 'learned' | 'moved' | 'full';

export interface MacTableState {
  readonly ageingNs: number;
  /** Dynamic ones in the order in which they were last seen. */
  readonly entries: readonly TableEntry[];
  readonly timer: TimerState;
}

export class MacTable {
  /** An entry has reached the ageing time. It is gone when this is called. */
  onAged: ((entry: TableEntry) => void) | null = null;
  /** An entry was forgotten before that. It is gone when this is called. */
  onFlushed: ((entry: TableEntry) => void) | null = null;
  /** A static entry is in the table, perhaps in place of one that was learned. */
  onEntered: ((entry: TableEntry) => void) | null = null;
  /** For the switch: as `onAged`, by port. */
  readonly #aged: (port: number) => void;
  readonly #clock: Clock;
  readonly #maxEntries: number;
  /** Due when the entry seen longest ago reaches the ageing time, or earlier. */
  readonly #timer: Timer;
  #ageingNs: number;
  /** The hash table: entries, -1 where nothing is. */
  #slots = new Int32Array(2 * FIRST_CAPACITY).fill(NONE);
  #words = new Int32Array(ENTRY_WORDS * FIRST_CAPACITY);
  /** The same memory. */
  #doubles = new Float64Array(this.#words.buffer);
  #oldest = NONE;
  #newest = NONE;
  #free = NONE;
  /** Words below this have been used. */
  #used = 0;
  #size = 0;

  constructor(clock: Clock, maxEntries: number, ageingNs: number, aged: (port: number) => void) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#ageingNs = ageingNs;
    this.#aged = aged;
    this.#timer = clock.timer(() => this.#expire());
  }

  get size(): number {
    return this.#size;
  }

  get ageingNs(): number {
    return this.#ageingNs;
  }

  /** Changes the ageing time, for what is in the table too. */
  set ageingNs(ageingNs: number) {
    this.#ageingNs = ageingNs;
    this.#timer.cancel();
    if (this.#oldest !== NONE) this.#expire();
  }

  /** The port that leads to the address at `octets[at]` in `vlan`, or -1. */
  lookup(octets: Uint8Array, at: number, vlan: number): number {
    const slot = this.#find(readLe32(octets, at + 2), (vlan << 16) | readBe16(octets, at));
    const entry = this.#slots[slot]!;
    return entry === NONE ? UNKNOWN : this.#words[entry + PORT]!;
  }

  /** The address at `octets[at]`, an individual one, is behind `port` in `vlan`: a frame has come from there now. */
  learn(octets: Uint8Array, at: number, vlan: number, port: number): Learning {
    const low = readLe32(octets, at + 2);
    const high = (vlan << 16) | readBe16(octets, at);
    const slot = this.#find(low, high);
    const entry = this.#slots[slot]!;
    if (entry === NONE) {
      if (this.#size === this.#maxEntries) return 'full';
      this.#append(this.#insert(slot, low, high, port), this.#clock.nowNs);
      if (!this.#timer.armed) this.#timer.armIn(this.#ageingNs);
      return 'learned';
    }
    if (this.#isStatic(entry)) return 'known';
    if (entry === this.#newest) {
      this.#doubles[(entry >>> 1) + SEEN] = this.#clock.nowNs;
    } else {
      this.#unchain(entry);
      this.#append(entry, this.#clock.nowNs);
    }
    if (this.#words[entry + PORT] === port) return 'known';
    this.#words[entry + PORT] = port;
    return 'moved';
  }

  /** Enters `mac` in `vlan` for good, in place of what was learned. False when the table is full. */
  addStatic(mac: Uint8Array, vlan: number, port: number): boolean {
    const low = readLe32(mac, 2);
    const high = (vlan << 16) | readBe16(mac, 0);
    const slot = this.#find(low, high);
    let entry = this.#slots[slot]!;
    if (entry === NONE) {
      if (this.#size === this.#maxEntries) return false;
      entry = this.#insert(slot, low, high, port);
    } else if (!this.#isStatic(entry)) {
      this.#unchain(entry);
    }
    this.#words[entry + PORT] = port;
    this.#doubles[(entry >>> 1) + SEEN] = Number.POSITIVE_INFINITY;
    if (this.onEntered !== null) this.onEntered(this.#entry(entry));
    return true;
  }

  /** Forgets what was learned at `port`. */
  flush(port: number): void {
    for (let entry = this.#oldest; entry !== NONE; ) {
      const next = this.#words[entry + NEXT]!;
      if (this.#words[entry + PORT] === port) {
        const copy = this.onFlushed === null ? null : this.#entry(entry);
        this.#remove(entry);
        if (copy !== null) this.onFlushed?.(copy);
      }
      entry = next;
    }
    if (this.#oldest === NONE) this.#timer.cancel();
  }

  /** A copy of the table: static entries first, then the others in the order in which they were last seen. */
  entries(): readonly TableEntry[] {
    const entries: TableEntry[] = [];
    for (const entry of this.#slots) {
      if (entry !== NONE && this.#isStatic(entry)) entries.push(this.#entry(entry));
    }
    entries.sort((a, b) => a.vlan - b.vlan || compare(a.mac, b.mac));
    for (let entry = this.#oldest; entry !== NONE; entry = this.#words[entry + NEXT]!) entries.push(this.#entry(entry));
    return entries;
  }

  save(): MacTableState {
    return { ageingNs: this.#ageingNs, entries: this.entries(), timer: this.#timer.save() };
  }

  load(state: MacTableState): void {
    this.#slots.fill(NONE);
    this.#oldest = this.#newest = this.#free = NONE;
    this.#used = this.#size = 0;
    this.#ageingNs = state.ageingNs;
    for (const { mac, vlan, port, static: forGood, seenNs } of state.entries) {
      const low = readLe32(mac, 2);
      const high = (vlan << 16) | readBe16(mac, 0);
      if (forGood) this.addStatic(mac, vlan, port);
      else this.#append(this.#insert(this.#find(low, high), low, high, port), seenNs);
    }
    this.#timer.load(state.timer);
  }

  /** Forgets what has reached the ageing time, and waits for the next. */
  #expire(): void {
    const { nowNs } = this.#clock;
    while (this.#oldest !== NONE && this.#doubles[(this.#oldest >>> 1) + SEEN]! + this.#ageingNs <= nowNs) {
      const entry = this.#oldest;
      const port = this.#words[entry + PORT]!;
      const copy = this.onAged === null ? null : this.#entry(entry);
      this.#remove(entry);
      this.#aged(port);
      if (copy !== null) this.onAged?.(copy);
    }
    if (this.#oldest !== NONE) this.#timer.armAt(this.#doubles[(this.#oldest >>> 1) + SEEN]! + this.#ageingNs);
  }

  /** The slot that holds this key, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const slots = this.#slots;
    const words = this.#words;
    const mask = slots.length - 1;
    for (let slot = hashOf(low, high) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === NONE || (words[entry + LOW] === low && words[entry + HIGH] === high)) return slot;
    }
  }

  /** A new entry, not chained yet, in the free `slot`. */
  #insert(slot: number, low: number, high: number, port: number): number {
    if (this.#free === NONE && this.#used === this.#words.length) {
      this.#grow();
      return this.#insert(this.#find(low, high), low, high, port);
    }
    let entry = this.#free;
    if (entry === NONE) {
      entry = this.#used;
      this.#used += ENTRY_WORDS;
    } else {
      this.#free = this.#words[entry + NEXT]!;
    }
    this.#size += 1;
    this.#slots[slot] = entry;
    this.#words[entry + LOW] = low;
    this.#words[entry + HIGH] = high;
    this.#words[entry + PORT] = port;
    return entry;
  }

  /** Takes a dynamic entry out of chain and hash table. */
  #remove(entry: number): void {
    const slots = this.#slots;
    const words = this.#words;
    const mask = slots.length - 1;
    let hole = this.#find(words[entry + LOW]!, words[entry + HIGH]!);
    // What was put behind this entry for want of room moves up, if that is where it wanted to be or behind.
    for (let slot = (hole + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const other = slots[slot]!;
      const home = hashOf(words[other + LOW]!, words[other + HIGH]!) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = other;
      hole = slot;
    }
    slots[hole] = NONE;
    this.#unchain(entry);
    words[entry + NEXT] = this.#free;
    this.#free = entry;
    this.#size -= 1;
  }

  #isStatic(entry: number): boolean {
    return this.#doubles[(entry >>> 1) + SEEN] === Number.POSITIVE_INFINITY;
  }

  #append(entry: number, seenNs: number): void {
    const words = this.#words;
    this.#doubles[(entry >>> 1) + SEEN] = seenNs;
    words[entry + NEXT] = NONE;
    words[entry + PREVIOUS] = this.#newest;
    if (this.#newest === NONE) this.#oldest = entry;
    else words[this.#newest + NEXT] = entry;
    this.#newest = entry;
  }

  #unchain(entry: number): void {
    const words = this.#words;
    const next = words[entry + NEXT]!;
    const previous = words[entry + PREVIOUS]!;
    if (previous === NONE) this.#oldest = next;
    else words[previous + NEXT] = next;
    if (next === NONE) this.#newest = previous;
    else words[next + PREVIOUS] = previous;
  }

  #grow(): void {
    const words = new Int32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    this.#doubles = new Float64Array(words.buffer);
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length).fill(NONE);
    for (const entry of old) {
      if (entry !== NONE) this.#slots[this.#find(words[entry + LOW]!, words[entry + HIGH]!)] = entry;
    }
  }

  #entry(entry: number): TableEntry {
    const low = this.#words[entry + LOW]!;
    const high = this.#words[entry + HIGH]!;
    const mac = Uint8Array.of(high >>> 8, high, low, low >>> 8, low >>> 16, low >>> 24);
    const seenNs = this.#doubles[(entry >>> 1) + SEEN]!;
    const forGood = seenNs === Number.POSITIVE_INFINITY;
    return { mac, vlan: high >>> 16, port: this.#words[entry + PORT]!, static: forGood, seenNs: forGood ? 0 : seenNs };
  }
}

/** Spreads addresses that differ only in their last octets, which sit in the upper bits of `low`. */
function hashOf(low: number, high: number): number {
  let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const differs = a.findIndex((octet, i) => octet !== b[i]);
  return differs < 0 ? 0 : a[differs]! - b[differs]!;
}
