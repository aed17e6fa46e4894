/**
 * A hash table from three 32-bit numbers to an object: open addressing with linear probing, keys in one typed array. To
 * look something up allocates nothing and costs the same however much is in it. It doubles when half full, and a table
 * out of which everything was taken is as small as a new one.
 */
const FIRST_SLOTS = 64;
/** Numbers in a key. */
const KEY_WORDS = 3;

export class TupleIndex<T> {
  #keys = new Int32Array(KEY_WORDS * FIRST_SLOTS);
  #values: (T | null)[] = new Array(FIRST_SLOTS).fill(null);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(a: number, b: number, c: number): T | null {
    return this.#values[this.#slot(a, b, c)]!;
  }

  /** The key is not in the table. */
  add(a: number, b: number, c: number, value: T): void {
    if (2 * this.#size === this.#values.length) this.#grow();
    this.#size += 1;
    this.#put(a, b, c, value);
  }

  /** The key is in the table. What was pushed on by it moves back, so that no search ever stops short at a hole. */
  remove(a: number, b: number, c: number): void {
    const keys = this.#keys;
    const values = this.#values;
    const mask = values.length - 1;
    let hole = this.#slot(a, b, c);
    for (let slot = (hole + 1) & mask; values[slot] !== null; slot = (slot + 1) & mask) {
      const at = KEY_WORDS * slot;
      const home = hash(keys[at]!, keys[at + 1]!, keys[at + 2]!) & mask;
      // It stays where it is when its home lies between the hole and itself.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      values[hole] = values[slot]!;
      keys.copyWithin(KEY_WORDS * hole, at, at + KEY_WORDS);
      hole = slot;
    }
    values[hole] = null;
    this.#size -= 1;
    if (this.#size === 0 && values.length > FIRST_SLOTS) this.#resize(FIRST_SLOTS);
  }

  /** The slot of the key, or the free one where it would go. */
  #slot(a: number, b: number, c: number): number {
    const keys = this.#keys;
    const values = this.#values;
    const mask = values.length - 1;
    let slot = hash(a, b, c) & mask;
    while (values[slot] !== null) {
      const at = KEY_WORDS * slot;
      if (keys[at] === (a | 0) && keys[at + 1] === (b | 0) && keys[at + 2] === (c | 0)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #put(a: number, b: number, c: number, value: T): void {
    const slot = this.#slot(a, b, c);
    const at = KEY_WORDS * slot;
    this.#keys[at] = a;
    this.#keys[at + 1] = b;
    this.#keys[at + 2] = c;
    this.#values[slot] = value;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#resize(2 * values.length);
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot]!;
      const at = KEY_WORDS * slot;
      if (value !== null) this.#put(keys[at]!, keys[at + 1]!, keys[at + 2]!, value);
    }
  }

  #resize(slots: number): void {
    this.#keys = new Int32Array(KEY_WORDS * slots);
    this.#values = new Array(slots).fill(null);
  }
}

/** Mixes all bits into the low ones (the finalizer of MurmurHash3, a public-domain function). */
function hash(a: number, b: number, c: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x27d4eb2f), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
