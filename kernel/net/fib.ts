/**
 * The forwarding information base: the number of the longest prefix that matches an address. It is made for lookups, of
 * which there is one per packet; what people edit is the routing table, which keeps this up to date.
 *
 * A trie that decides eight bits of the address at a time. A node stands for 256 slots, each of which leads to a child
 * or to the longest of the prefixes that end in this node, if any. Neighbouring slots that say the same are one run, and
 * only runs are stored: a table of five routes takes a kilobyte, a million prefixes some twenty megabytes, and a lookup
 * reads two or three words per node. All words are in one array:
 *
 *     node    eight pairs: a bitmap of 32 slots, of which those are set that begin a run; where the run before them is
 *     leaves  what the address matches if nothing in the node does, as the parent says; then a word for each run
 *     a word  0: nothing; negative: the complement of a child's offset; else (number + 1) << 4 | length in this node
 *
 * To add or to take out a prefix rewrites one node and the first word of its children's leaves, for prefixes are not
 * spread over the nodes below. It happens between two bus accesses: no packet is looked up in a table half edited.
 */
import { BlockPool } from './block-pool.ts';

const SLOTS = 256;
const NODE_WORDS = 16;
const LENGTH_BITS = 4;
const LENGTH_MASK = 2 ** LENGTH_BITS - 1;
const NOTHING = 0;

/** What does not match. */
export const NO_MATCH = -1;

export class Fib {
  readonly #pool = new BlockPool();
  readonly #root: number;
  /** The slots of the node at hand. */
  readonly #slots = new Int32Array(SLOTS);
  /** Its leaves, as they are being put together. */
  readonly #leaves = new Int32Array(1 + SLOTS);

  constructor() {
    this.#root = this.#create(NOTHING);
  }

  /** Memory in bytes. */
  get memoryBytes(): number {
    return this.#pool.words.byteLength;
  }

  /** The number of the longest prefix that matches `address`; {@link NO_MATCH} when none does. */
  match(address: number): number {
    const { words } = this.#pool;
    let word = slotOf(words, this.#root, address >>> 24);
    if (word >= 0) return numberOf(word);
    const second = ~word;
    word = slotOf(words, second, (address >>> 16) & 0xff);
    if (word > 0) return numberOf(word);
    if (word < 0) {
      const third = ~word;
      word = slotOf(words, third, (address >>> 8) & 0xff);
      if (word > 0) return numberOf(word);
      if (word < 0) {
        const fourth = ~word;
        word = slotOf(words, fourth, address & 0xff);
        if (word === NOTHING) word = inherited(words, fourth);
      }
      if (word === NOTHING) word = inherited(words, third);
    }
    return numberOf(word === NOTHING ? inherited(words, second) : word);
  }

  /** Gives a prefix its number, from 0 to 2^27 - 2. Bits of `destination` beyond the prefix are 0. */
  set(destination: number, prefixLength: number, number: number): void {
    const depth = depthOf(prefixLength);
    let node = this.#root;
    for (let d = 0; d < depth; d++) node = this.#child(node, (destination >>> (24 - 8 * d)) & 0xff);
    const length = prefixLength - 8 * depth;
    this.#paint(node, destination, depth, length, ((number + 1) << LENGTH_BITS) | length, length);
  }

  /**
   * Takes a prefix out that is there. `cover` is the number of the longest shorter one that it lies in, `coverLength` the
   * length of that; {@link NO_MATCH} when there is none.
   */
  delete(destination: number, prefixLength: number, cover: number, coverLength: number): void {
    this.#delete(this.#root, 0, destination, prefixLength, cover, coverLength);
  }

  #delete(
    node: number,
    d: number,
    destination: number,
    prefixLength: number,
    cover: number,
    coverLength: number,
  ): void {
    const depth = depthOf(prefixLength);
    if (d < depth) {
      const slot = (destination >>> (24 - 8 * d)) & 0xff;
      const child = ~slotOf(this.#pool.words, node, slot);
      this.#delete(child, d + 1, destination, prefixLength, cover, coverLength);
      this.#prune(node, slot, child);
      return;
    }
    const above = cover === NO_MATCH || (depth > 0 && depthOf(coverLength) < depth);
    const word = above ? NOTHING : ((cover + 1) << LENGTH_BITS) | (coverLength - 8 * depth);
    this.#paint(node, destination, depth, prefixLength - 8 * depth, word, prefixLength - 8 * depth);
  }

  /**
   * Writes `word` into the slots of a prefix that ends in `node` with `length` bits: into those that say nothing of a
   * prefix of more than `most` bits.
   */
  #paint(node: number, destination: number, depth: number, length: number, word: number, most: number): void {
    const slots = this.#unpack(node);
    const { words } = this.#pool;
    const first = (destination >>> (24 - 8 * depth)) & 0xff & -(2 ** (8 - length));
    const end = first + 2 ** (8 - length);
    for (let slot = first; slot < end; slot++) {
      const held = slots[slot]!;
      if (held >= 0) {
        if ((held & LENGTH_MASK) <= most) slots[slot] = word;
      } else {
        const leaves = words[~held + 1]!;
        if ((words[leaves]! & LENGTH_MASK) <= most) words[leaves] = word;
      }
    }
    this.#pack(node);
  }

  /** The child of `node` in `slot`, which is made if it is not there. */
  #child(node: number, slot: number): number {
    const word = slotOf(this.#pool.words, node, slot);
    if (word < 0) return ~word;
    const child = this.#create(word);
    this.#unpack(node)[slot] = ~child;
    this.#pack(node);
    return child;
  }

  /** Takes `child` out of its slot if it says nothing. */
  #prune(node: number, slot: number, child: number): void {
    const { words } = this.#pool;
    if (runsOf(words, child) > 1 || slotOf(words, child, 0) !== NOTHING) return;
    this.#unpack(node)[slot] = inherited(words, child);
    this.#pool.free(words[child + 1]!, 2);
    this.#pool.free(child, NODE_WORDS);
    this.#pack(node);
  }

  /** A node that says nothing. */
  #create(inheritedWord: number): number {
    const node = this.#pool.allocate(NODE_WORDS);
    const leaves = this.#pool.allocate(2);
    const { words } = this.#pool;
    words[leaves] = inheritedWord;
    words[leaves + 1] = NOTHING;
    for (let i = 0; i < NODE_WORDS; i += 2) {
      words[node + i] = i === 0 ? 1 : 0;
      words[node + i + 1] = i === 0 ? leaves : leaves + 1;
    }
    return node;
  }

  /** The slots of `node`, one by one, to be edited until {@link #pack} is called. */
  #unpack(node: number): Int32Array {
    const { words } = this.#pool;
    const slots = this.#slots;
    let leaf = words[node + 1]!;
    let word = NOTHING;
    for (let slot = 0; slot < SLOTS; ) {
      let bitmap = words[node + 2 * (slot >>> 5)]!;
      for (const end = slot + 32; slot < end; slot++, bitmap >>>= 1) {
        if ((bitmap & 1) !== 0) word = words[++leaf]!;
        slots[slot] = word;
      }
    }
    return slots;
  }

  /** Stores the slots as those of `node`. */
  #pack(node: number): void {
    const slots = this.#slots;
    const leaves = this.#leaves;
    const from = this.#pool.words[node + 1]!;
    const before = runsOf(this.#pool.words, node);
    let last = 0;
    let word = ~slots[0]!;
    leaves[0] = this.#pool.words[from]!;
    for (let slot = 0; slot < SLOTS; ) {
      const pair = node + 2 * (slot >>> 5);
      this.#pool.words[pair + 1] = last;
      let bitmap = 0;
      for (let bit = 0; bit < 32; bit++, slot++) {
        if (slots[slot] === word) continue;
        word = slots[slot]!;
        bitmap |= 1 << bit;
        leaves[++last] = word;
      }
      this.#pool.words[pair] = bitmap;
    }
    const to = this.#pool.resize(from, before + 1, last + 1);
    const { words } = this.#pool;
    for (let i = 0; i <= last; i++) words[to + i] = leaves[i]!;
    for (let pair = node; pair < node + NODE_WORDS; pair += 2) words[pair + 1] = words[pair + 1]! + to;
  }
}

/** The depth of the node in which a prefix ends. */
const depthOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (prefixLength - 1) >>> 3);

const numberOf = (word: number): number => (word >>> LENGTH_BITS) - 1;

/** The word of the run that `slot` of `node` is in. */
function slotOf(words: Int32Array, node: number, slot: number): number {
  const pair = node + ((slot >>> 5) << 1);
  return words[words[pair + 1]! + ones(words[pair]! & ((2 << (slot & 31)) - 1))]!;
}

const inherited = (words: Int32Array, node: number): number => words[words[node + 1]!]!;

function runsOf(words: Int32Array, node: number): number {
  const last = node + NODE_WORDS - 2;
  return words[last + 1]! + ones(words[last]!) - words[node + 1]!;
}

/** How many bits of `word` are set. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
