/**
 * The forwarding information base: the number of the longest prefix that matches an address. It is made for lookups, of
 * which there is one per packet; what people edit is the routing table, which keeps this up to date.
 *
 * A trie that decides eight bits of the address at a time. A node stands for 256 slots, each of which leads to a child
 * or to the longest of the prefixes that end in this node, if any. Neighbouring slots that say the same are one run, and
 * only runs are stored: a table of five routes takes a kilobyte, a million prefixes some twenty megabytes, and a lookup
 * reads two or three words per node. A node is one block of words:
 *
 *     0 to 15   eight pairs: a bitmap of 32 slots, of which those are set that begin a run; where the run before them is
 *     16        what the address matches if nothing in the node does, as the parent says
 *     17 on     a word for each run
 *     a word    0: nothing; negative: the complement of a child's offset; else (number + 1) << 4 | length in this node
 *
 * To add or to take out a prefix rewrites one node, and in its children what they inherit, for prefixes are not spread
 * over the nodes below. It happens between two bus accesses: no packet is looked up in a table half edited.
 */
import { BlockPool } from './block-pool.ts';

const SLOTS = 256;
/** Words of a node: behind the pairs what it inherits, then the runs. */
const INHERITED = 16;
const LEAVES = 17;
const LENGTH_BITS = 4;
const LENGTH_MASK = 2 ** LENGTH_BITS - 1;
const NOTHING = 0;

/** What does not match. */
export const NO_MATCH = -1;

export class Fib {
  readonly #pool = new BlockPool();
  #root: number;
  /** The slots of the node at hand. */
  readonly #slots = new Int32Array(SLOTS);
  /** Its words, as they are being put together; places count from its start. */
  readonly #packed = new Int32Array(LEAVES + SLOTS);

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
        if (word === NOTHING) word = words[fourth + INHERITED]!;
      }
      if (word === NOTHING) word = words[third + INHERITED]!;
    }
    return numberOf(word === NOTHING ? words[second + INHERITED]! : word);
  }

  /** Gives a prefix its number, from 0 to 2^27 - 2. Bits of `destination` beyond the prefix are 0. */
  set(destination: number, prefixLength: number, number: number): void {
    this.#root = this.#set(this.#root, 0, destination, prefixLength, number);
  }

  /**
   * Takes a prefix out that is there. `cover` is the number of the longest shorter one that it lies in, `coverLength` the
   * length of that; {@link NO_MATCH} when there is none.
   */
  delete(destination: number, prefixLength: number, cover: number, coverLength: number): void {
    this.#root = this.#delete(this.#root, 0, destination, prefixLength, cover, coverLength);
  }

  /** Returns where the node at `depth` is then. */
  #set(node: number, depth: number, destination: number, prefixLength: number, number: number): number {
    if (depth === depthOf(prefixLength)) {
      const length = prefixLength - 8 * depth;
      return this.#paint(node, slotAt(destination, depth), length, ((number + 1) << LENGTH_BITS) | length);
    }
    const slot = slotAt(destination, depth);
    const word = slotOf(this.#pool.words, node, slot);
    if (word < 0) {
      this.#move(node, slot, ~word, this.#set(~word, depth + 1, destination, prefixLength, number));
      return node;
    }
    const child = this.#set(this.#create(word), depth + 1, destination, prefixLength, number);
    this.#unpack(node)[slot] = ~child;
    return this.#pack(node);
  }

  /** Returns where the node at `depth` is then. */
  #delete(
    node: number,
    depth: number,
    destination: number,
    prefixLength: number,
    cover: number,
    coverLength: number,
  ): number {
    const slot = slotAt(destination, depth);
    if (depth === depthOf(prefixLength)) {
      const above = cover === NO_MATCH || depthOf(coverLength) < depth;
      const word = above ? NOTHING : ((cover + 1) << LENGTH_BITS) | (coverLength - 8 * depth);
      return this.#paint(node, slot, prefixLength - 8 * depth, word);
    }
    const before = ~slotOf(this.#pool.words, node, slot);
    const child = this.#delete(before, depth + 1, destination, prefixLength, cover, coverLength);
    const { words } = this.#pool;
    if (runsOf(words, child) > 1 || words[child + LEAVES] !== NOTHING) {
      this.#move(node, slot, before, child);
      return node;
    }
    this.#unpack(node)[slot] = words[child + INHERITED]!;
    this.#pool.free(child, LEAVES + 1);
    return this.#pack(node);
  }

  /**
   * Writes `word` into the slots of a prefix that ends in `node` with `length` bits, from `slot` on: into those that say
   * nothing of a longer prefix. Returns where the node is then.
   */
  #paint(node: number, slot: number, length: number, word: number): number {
    const slots = this.#unpack(node);
    const { words } = this.#pool;
    const end = slot + 2 ** (8 - length);
    for (let each = slot; each < end; each++) {
      const held = slots[each]!;
      if (held >= 0) {
        if ((held & LENGTH_MASK) <= length) slots[each] = word;
      } else if ((words[~held + INHERITED]! & LENGTH_MASK) <= length) {
        words[~held + INHERITED] = word;
      }
    }
    return this.#pack(node);
  }

  /** The child in `slot` of `node` is somewhere else now. It has a run of its own. */
  #move(node: number, slot: number, from: number, to: number): void {
    const { words } = this.#pool;
    if (from !== to) words[leafOf(words, node, slot)] = ~to;
  }

  /** A node that says nothing. */
  #create(inherited: number): number {
    const node = this.#pool.allocate(LEAVES + 1);
    const { words } = this.#pool;
    for (let pair = node; pair < node + INHERITED; pair += 2) {
      words[pair] = pair === node ? 1 : 0;
      words[pair + 1] = node + (pair === node ? INHERITED : LEAVES);
    }
    words[node + INHERITED] = inherited;
    words[node + LEAVES] = NOTHING;
    return node;
  }

  /** The slots of `node`, one by one, to be edited until {@link #pack} is called. */
  #unpack(node: number): Int32Array {
    const { words } = this.#pool;
    const slots = this.#slots;
    let leaf = node + INHERITED;
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

  /** Stores the slots as those of `node`. Returns where it is then: its size may have changed. */
  #pack(node: number): number {
    const slots = this.#slots;
    const packed = this.#packed;
    let last = INHERITED;
    let word = ~slots[0]!;
    packed[INHERITED] = this.#pool.words[node + INHERITED]!;
    for (let slot = 0; slot < SLOTS; ) {
      const pair = 2 * (slot >>> 5);
      packed[pair + 1] = last;
      let bitmap = 0;
      for (let bit = 0; bit < 32; bit++, slot++) {
        if (slots[slot] === word) continue;
        word = slots[slot]!;
        bitmap |= 1 << bit;
        packed[++last] = word;
      }
      packed[pair] = bitmap;
    }
    const to = this.#pool.resize(node, LEAVES + runsOf(this.#pool.words, node), last + 1);
    const { words } = this.#pool;
    for (let i = 0; i <= last; i++) words[to + i] = packed[i]!;
    for (let pair = to; pair < to + INHERITED; pair += 2) words[pair + 1] = words[pair + 1]! + to;
    return to;
  }
}

/** The depth of the node in which a prefix ends. */
const depthOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (prefixLength - 1) >>> 3);

const numberOf = (word: number): number => (word >>> LENGTH_BITS) - 1;

const slotAt = (address: number, depth: number): number => (address >>> (24 - 8 * depth)) & 0xff;

/** Where the word of the run is that `slot` of `node` is in. */
function leafOf(words: Int32Array, node: number, slot: number): number {
  const pair = node + ((slot >>> 5) << 1);
  return words[pair + 1]! + ones(words[pair]! & ((2 << (slot & 31)) - 1));
}

const slotOf = (words: Int32Array, node: number, slot: number): number => words[leafOf(words, node, slot)]!;

function runsOf(words: Int32Array, node: number): number {
  const lastPair = node + INHERITED - 2;
  return words[lastPair + 1]! + ones(words[lastPair]!) - (node + INHERITED);
}

/** How many bits of `word` are set. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
