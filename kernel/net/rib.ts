/**
 * The routing information base: every route there is, used at the moment or not, in columns of words. Routes to one
 * prefix form a list, lowest metric first; a hash table leads from the prefix to the first one. A route is its number.
 */

const RECORD_WORDS = 4;
const DESTINATION = 0;
const METRIC = 1;
const NEXT = 2;
/** Prefix length, {@link CHOSEN} and next hop. */
const PACKED = 3;

const LENGTH_MASK = 0x3f;
/** This route stands in the forwarding table for its prefix. */
const CHOSEN = 0x40;
const HOP_SHIFT = 7;

const FIRST_RECORDS = 16;
/** No route. */
export const NONE = -1;

export class Rib {
  #records = new Int32Array(FIRST_RECORDS * RECORD_WORDS);
  /** First routes of prefixes, each plus one; 0 is a free place. At most half of the places are taken. */
  #places = new Int32Array(4 * FIRST_RECORDS);
  #prefixCount = 0;
  #recordCount = 0;
  /** Records that can be used again, linked by their NEXT. */
  #free = NONE;
  #size = 0;

  /** Routes in here. */
  get size(): number {
    return this.#size;
  }

  /** Memory in bytes. */
  get memoryBytes(): number {
    return this.#records.byteLength + this.#places.byteLength;
  }

  /** The first route to exactly this prefix. */
  first(destination: number, prefixLength: number): number {
    return this.#places[this.#placeOf(destination | 0, prefixLength)]! - 1;
  }

  /** The next route to the same prefix, of the same metric or a higher one. */
  next(route: number): number {
    return this.#records[RECORD_WORDS * route + NEXT]!;
  }

  /** Unsigned. */
  destination(route: number): number {
    return this.#records[RECORD_WORDS * route + DESTINATION]! >>> 0;
  }

  prefixLength(route: number): number {
    return this.#records[RECORD_WORDS * route + PACKED]! & LENGTH_MASK;
  }

  /** Unsigned. */
  metric(route: number): number {
    return this.#records[RECORD_WORDS * route + METRIC]! >>> 0;
  }

  /** The number of the next hop. */
  hop(route: number): number {
    return this.#records[RECORD_WORDS * route + PACKED]! >>> HOP_SHIFT;
  }

  isChosen(route: number): boolean {
    return (this.#records[RECORD_WORDS * route + PACKED]! & CHOSEN) !== 0;
  }

  choose(route: number, chosen: boolean): void {
    const at = RECORD_WORDS * route + PACKED;
    this.#records[at] = chosen ? this.#records[at]! | CHOSEN : this.#records[at]! & ~CHOSEN;
  }

  /** Adds a route behind those to its prefix that have the same metric. Bits of `destination` beyond the prefix are 0. */
  add(destination: number, prefixLength: number, metric: number, hop: number): void {
    const route = this.#allocate();
    const place = this.#placeOf(destination | 0, prefixLength);
    const first = this.#places[place]! - 1;
    let before = NONE;
    let after = first;
    while (after !== NONE && this.metric(after) <= metric) {
      before = after;
      after = this.next(after);
    }
    const at = RECORD_WORDS * route;
    this.#records[at + DESTINATION] = destination;
    this.#records[at + METRIC] = metric;
    this.#records[at + NEXT] = after;
    this.#records[at + PACKED] = (hop << HOP_SHIFT) | prefixLength;
    this.#size += 1;
    if (before !== NONE) {
      this.#records[RECORD_WORDS * before + NEXT] = route;
      return;
    }
    this.#places[place] = route + 1;
    if (first !== NONE) return;
    this.#prefixCount += 1;
    if (2 * this.#prefixCount > this.#places.length) this.#grow();
  }

  remove(route: number): void {
    const place = this.#placeOf(this.destination(route) | 0, this.prefixLength(route));
    const next = this.next(route);
    let before = this.#places[place]! - 1;
    if (before === route) {
      this.#places[place] = next + 1;
      if (next === NONE) this.#vacate(place);
    } else {
      while (this.next(before) !== route) before = this.next(before);
      this.#records[RECORD_WORDS * before + NEXT] = next;
    }
    this.#records[RECORD_WORDS * route + NEXT] = this.#free;
    this.#free = route;
    this.#size -= 1;
  }

  /** The first routes of all prefixes, in no order that means anything. */
  *firsts(): Generator<number> {
    for (const entry of this.#places) if (entry !== 0) yield entry - 1;
  }

  /** Where a prefix is in the hash table, or would be. */
  #placeOf(destination: number, prefixLength: number): number {
    const mask = this.#places.length - 1;
    for (let place = hash(destination, prefixLength) & mask; ; place = (place + 1) & mask) {
      const route = this.#places[place]! - 1;
      if (route === NONE) return place;
      const at = RECORD_WORDS * route;
      if (this.#records[at + DESTINATION] !== destination) continue;
      if ((this.#records[at + PACKED]! & LENGTH_MASK) === prefixLength) return place;
    }
  }

  /** Frees a place: later ones of a row move up, so that a search that begins before it does not end at it. */
  #vacate(place: number): void {
    this.#prefixCount -= 1;
    const mask = this.#places.length - 1;
    let hole = place;
    for (let at = (hole + 1) & mask; this.#places[at] !== 0; at = (at + 1) & mask) {
      const route = this.#places[at]! - 1;
      const home = hash(this.destination(route) | 0, this.prefixLength(route)) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#places[hole] = this.#places[at]!;
      hole = at;
    }
    this.#places[hole] = 0;
  }

  #allocate(): number {
    const reused = this.#free;
    if (reused !== NONE) {
      this.#free = this.next(reused);
      return reused;
    }
    if (RECORD_WORDS * this.#recordCount === this.#records.length) {
      const grown = new Int32Array(2 * this.#records.length);
      grown.set(this.#records);
      this.#records = grown;
    }
    return this.#recordCount++;
  }

  #grow(): void {
    const entries = this.#places;
    this.#places = new Int32Array(2 * entries.length);
    for (const entry of entries) {
      if (entry === 0) continue;
      const route = entry - 1;
      this.#places[this.#placeOf(this.destination(route) | 0, this.prefixLength(route))] = entry;
    }
  }
}

function hash(destination: number, prefixLength: number): number {
  const mixed = Math.imul(destination ^ (prefixLength << 3), 0x9e37_79b1 | 0);
  return mixed ^ (mixed >>> 15);
}
