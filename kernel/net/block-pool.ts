/**
 * Blocks of words in one growing array: memory for structures of which a great many small pieces exist, where each is an
 * offset rather than an object. A block has room for a power of two of words. A free one is used again for one of its
 * size, or cut in halves for smaller ones.
 */

/** Of the largest block: 2^9 words. */
const MAX_ORDER = 9;
const NONE = -1;

/** The binary order of the room that `wordCount` words take. */
const orderOf = (wordCount: number): number => 32 - Math.clz32(wordCount - 1);

export class BlockPool {
  /** Where the blocks are. Another array each time that the pool grows. */
  words = new Int32Array(64);
  /** The first free block of each order; its first word leads to the next one. */
  readonly #free = new Int32Array(MAX_ORDER + 1).fill(NONE);
  /** What was never used begins here. */
  #end = 0;

  /** The offset of a block of `wordCount` words, at most 512, which are those of its last use. */
  allocate(wordCount: number): number {
    const order = orderOf(wordCount);
    let from = order;
    while (from <= MAX_ORDER && this.#free[from] === NONE) from += 1;
    if (from > MAX_ORDER) return this.#append(order);
    const at = this.#free[from]!;
    this.#free[from] = this.words[at]!;
    while (from > order) {
      from -= 1;
      this.#give(at + 2 ** from, from);
    }
    return at;
  }

  /** Gives back the block at `at`, which has `wordCount` words. */
  free(at: number, wordCount: number): void {
    this.#give(at, orderOf(wordCount));
  }

  /** The offset of a block of `wordCount` words for what the one at `at`, of `before` words, was for: the same if it fits. */
  resize(at: number, before: number, wordCount: number): number {
    if (orderOf(before) === orderOf(wordCount)) return at;
    this.free(at, before);
    return this.allocate(wordCount);
  }

  #give(at: number, order: number): void {
    this.words[at] = this.#free[order]!;
    this.#free[order] = at;
  }

  #append(order: number): number {
    const at = this.#end;
    this.#end += 2 ** order;
    if (this.#end > this.words.length) {
      const grown = new Int32Array(2 * this.words.length);
      grown.set(this.words);
      this.words = grown;
    }
    return at;
  }
}
