/**
 * Matches made ready for packets: the ranges of a field sorted into one array, so that a set of thousands of addresses
 * is searched by halving; a token bucket for a limit.
 */
import type { Link } from '../ipv4/link.ts';
import { ABSENT, FIELD_CODE, type PacketView } from './packet-view.ts';
import type { FieldMatch, FieldRange, InterfaceMatch, LimitMatch, RuleMatch } from './rule.ts';

/** A match, ready to be asked. */
export interface Matcher {
  matches(view: PacketView, nowNs: number): boolean;
}

export function matcherOf(match: RuleMatch): Matcher {
  switch (match.kind) {
    case 'field':
      return fieldMatcherOf(match);
    case 'interface':
      return new InterfaceMatcher(match);
    case 'limit':
      return new Limit(match);
  }
}

/** Most rules have one value or range, and a long list of them is quicker to go through when it is small. */
function fieldMatcherOf(match: FieldMatch): Matcher {
  const ranges = mergedRanges(match.ranges);
  return ranges.length === 1 ? new RangeMatcher(match, ranges[0]!) : new FieldMatcher(match, ranges);
}

/** Bits of fields of up to 32 that count; all of them, and those of MAC addresses, which have no masks. */
const ALL_BITS = -1;

class RangeMatcher implements Matcher {
  readonly #code: number;
  readonly #mask: number;
  readonly #negated: boolean;
  readonly #from: number;
  readonly #to: number;

  constructor({ field, mask = ALL_BITS, negated }: FieldMatch, { from, to }: FieldRange) {
    this.#code = FIELD_CODE[field];
    this.#mask = mask;
    this.#negated = negated;
    this.#from = from;
    this.#to = to;
  }

  matches(view: PacketView): boolean {
    const value = view.read(this.#code);
    if (value === ABSENT) return false;
    const seen = this.#mask === ALL_BITS ? value : (value & this.#mask) >>> 0;
    return (seen >= this.#from && seen <= this.#to) !== this.#negated;
  }
}

class FieldMatcher implements Matcher {
  readonly #code: number;
  readonly #mask: number;
  readonly #negated: boolean;
  /** Where each range begins, ascending, and where it ends; they do not overlap. */
  readonly #from: Float64Array;
  readonly #to: Float64Array;

  /** `ranges` are merged. */
  constructor({ field, mask = ALL_BITS, negated }: FieldMatch, ranges: readonly FieldRange[]) {
    this.#code = FIELD_CODE[field];
    this.#mask = mask;
    this.#negated = negated;
    this.#from = Float64Array.from(ranges, range => range.from);
    this.#to = Float64Array.from(ranges, range => range.to);
  }

  matches(view: PacketView): boolean {
    const value = view.read(this.#code);
    if (value === ABSENT) return false;
    return this.#has(this.#mask === ALL_BITS ? value : (value & this.#mask) >>> 0) !== this.#negated;
  }

  /** The last range that begins at or before `value` is the only one that can have it. */
  #has(value: number): boolean {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#from[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && value <= this.#to[low - 1]!;
  }
}

class InterfaceMatcher implements Matcher {
  readonly #side: InterfaceMatch['side'];
  readonly #negated: boolean;
  readonly #names: readonly string[];

  constructor({ side, names, negated }: InterfaceMatch) {
    this.#side = side;
    this.#names = names;
    this.#negated = negated;
  }

  matches(view: PacketView): boolean {
    const link = this.#side === 'iifname' ? view.from : view.to;
    return link !== null && this.#has(link) !== this.#negated;
  }

  #has({ name }: Link): boolean {
    for (const wanted of this.#names) {
      if (wanted === name) return true;
      if (wanted.endsWith('*') && name.startsWith(wanted.slice(0, -1))) return true;
    }
    return false;
  }
}

/** A token bucket that holds `burst` packets and gains `packets` in `perNs`. */
class Limit implements Matcher {
  readonly #over: boolean;
  readonly #nsPerPacket: number;
  readonly #capacityNs: number;
  /** Credit, in the time that it took to earn. */
  #creditNs: number;
  #sinceNs = 0;

  constructor({ over, packets, perNs, burst }: LimitMatch) {
    this.#over = over;
    this.#nsPerPacket = perNs / packets;
    this.#capacityNs = this.#nsPerPacket * Math.max(1, burst);
    this.#creditNs = this.#capacityNs;
  }

  matches(_view: PacketView, nowNs: number): boolean {
    this.#creditNs = Math.min(this.#capacityNs, this.#creditNs + nowNs - this.#sinceNs);
    this.#sinceNs = nowNs;
    if (this.#creditNs < this.#nsPerPacket) return this.#over;
    this.#creditNs -= this.#nsPerPacket;
    return !this.#over;
  }
}

/** The ranges in ascending order, those that touch or overlap made one. */
export function mergedRanges(ranges: readonly FieldRange[]): FieldRange[] {
  const merged: FieldRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || range.from > last.to + 1) merged.push(range);
    else if (range.to > last.to) merged[merged.length - 1] = { from: last.from, to: range.to };
  }
  return merged;
}
