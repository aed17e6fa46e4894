/**
 * Finds the rules of a long chain that may apply to a packet without asking each: most of them want one field (an
 * address, a port) to lie in a prefix. For the field that most rules constrain so, the index has a table from prefix to
 * rules; a packet's value is looked up once for each prefix length that occurs. The rules found, and those that the
 * index cannot know about, are then walked in the order of the chain, so that the first one that matches still wins.
 */
import { ABSENT, FIELD_CODE, type PacketView } from './packet-view.ts';
import type { FieldMatch, FieldRange, FilterField, FilterRule } from './rule.ts';

/** Shorter chains are walked from end to end, which is as quick. */
const SHORTEST_INDEXED_CHAIN = 16;
/** A rule whose ranges take more prefixes than this is left to be asked each time. */
const MAX_PREFIXES = 32;

const FIELD_BITS: readonly (readonly [field: FilterField, bits: number])[] = [
  ['ip saddr', 32],
  ['ip daddr', 32],
  ['tcp dport', 16],
  ['tcp sport', 16],
  ['udp dport', 16],
  ['udp sport', 16],
  ['th dport', 16],
  ['th sport', 16],
  ['ether saddr', 48],
  ['ether daddr', 48],
];

/** More than any rule's number: a list that is at its end. */
const NO_RULE = 0x7fff_ffff;

export class RuleIndex {
  readonly #code: number;
  readonly #bits: number;
  /** Lengths of the prefixes that occur. */
  readonly #lengths: readonly number[];
  /** Rules of a prefix, ascending, by prefix and length as one number. */
  readonly #byPrefix: ReadonlyMap<number, Int32Array>;
  /** Rules that have to be asked about every packet, ascending. */
  readonly #others: Int32Array;
  // The walk under way: lists, and where it stands in each.
  readonly #lists: Int32Array[];
  readonly #places: Int32Array;
  #listCount = 0;

  private constructor(field: FilterField, bits: number, rules: readonly FilterRule[]) {
    this.#code = FIELD_CODE[field];
    this.#bits = bits;
    const byPrefix = new Map<number, number[]>();
    const others: number[] = [];
    const lengths = new Set<number>();
    for (const [number, rule] of rules.entries()) {
      const prefixes = prefixesOf(rule, field, bits);
      if (prefixes === null) others.push(number);
      for (const { value, length } of prefixes ?? []) {
        lengths.add(length);
        const key = keyOf(value, length);
        const list = byPrefix.get(key);
        if (list === undefined) byPrefix.set(key, [number]);
        else if (list.at(-1) !== number) list.push(number);
      }
    }
    this.#byPrefix = new Map(Array.from(byPrefix, ([key, list]) => [key, Int32Array.from(list)]));
    this.#others = Int32Array.from(others);
    this.#lengths = [...lengths];
    this.#lists = new Array(this.#lengths.length + 1).fill(this.#others);
    this.#places = new Int32Array(this.#lists.length);
  }

  /** The index over the field that most of the rules constrain; null when the chain is short, or no field is any good. */
  static over(rules: readonly FilterRule[]): RuleIndex | null {
    if (rules.length < SHORTEST_INDEXED_CHAIN) return null;
    let best: readonly [FilterField, number] | null = null;
    let most = rules.length / 2;
    for (const [field, bits] of FIELD_BITS) {
      const count = rules.filter(rule => prefixesOf(rule, field, bits) !== null).length;
      if (count > most) [best, most] = [[field, bits], count];
    }
    return best === null ? null : new RuleIndex(best[0], best[1], rules);
  }

  /** Begins a walk over the rules that may apply to what `view` looks at. One walk at a time. */
  begin(view: PacketView): void {
    this.#lists[0] = this.#others;
    this.#places[0] = 0;
    this.#listCount = 1;
    const value = view.read(this.#code);
    if (value === ABSENT) return;
    for (const length of this.#lengths) {
      const list = this.#byPrefix.get(keyOf(Math.floor(value / 2 ** (this.#bits - length)), length));
      if (list === undefined) continue;
      this.#lists[this.#listCount] = list;
      this.#places[this.#listCount] = 0;
      this.#listCount += 1;
    }
  }

  /** The next rule of the walk; {@link NO_RULE} at its end. */
  next(): number {
    let first = NO_RULE;
    for (let i = 0; i < this.#listCount; i++) {
      const place = this.#places[i]!;
      const list = this.#lists[i]!;
      if (place < list.length && list[place]! < first) first = list[place]!;
    }
    for (let i = 0; i < this.#listCount; i++) {
      const place = this.#places[i]!;
      const list = this.#lists[i]!;
      if (place < list.length && list[place]! === first) this.#places[i] = place + 1;
    }
    return first;
  }
}

interface Prefix {
  readonly value: number;
  readonly length: number;
}

/** Lengths have 6 bits. Exact for MAC addresses too: past 2^53 is only what has a length of 48, and numbers there are even. */
const keyOf = (value: number, length: number): number => value * 64 + length;

/** Prefixes of which one has the value of `field` whenever `rule` applies; null when too many would be needed. */
function prefixesOf(rule: FilterRule, field: FilterField, bits: number): readonly Prefix[] | null {
  const match = rule.matches.find(
    (each): each is FieldMatch =>
      each.kind === 'field' && each.field === field && !each.negated && each.mask === undefined,
  );
  if (match === undefined) return null;
  const prefixes: Prefix[] = [];
  for (const range of match.ranges) if (!addPrefixes(range, bits, prefixes)) return null;
  return prefixes;
}

/** The fewest prefixes that make up `range`: from its start, the largest aligned block that fits, again and again. */
function addPrefixes({ from, to }: FieldRange, bits: number, prefixes: Prefix[]): boolean {
  let at = from;
  while (at <= to) {
    let free = 0;
    while (free < bits && at % 2 ** (free + 1) === 0 && at + 2 ** (free + 1) - 1 <= to) free += 1;
    if (prefixes.length === MAX_PREFIXES) return false;
    prefixes.push({ value: at / 2 ** free, length: bits - free });
    at += 2 ** free;
  }
  return true;
}
