/**
 * Reads one rule: matches, statements, and the verdict at its end. Every rule counts, so `counter` says nothing new, and
 * numbers that a listing put behind it are passed over.
 */
import type {
  FieldMatch,
  FieldRange,
  FilterField,
  FilterRule,
  LimitMatch,
  Rejection,
  RuleMatch,
  RuleVerdict,
} from '../../kernel/net/filter/rule.ts';
import type { Cursor } from './cursor.ts';
import { type NamedSets, parseBits, parseElements, parseRange } from './value-parser.ts';
import { ALIASES, FIELDS, type FieldKind, parseValue, REJECT_CODES } from './vocabulary.ts';

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const;
const VERDICTS = ['accept', 'drop', 'return', 'reject', 'jump', 'goto'] as const;
const PER_NS: Readonly<Record<string, number>> = {
  second: 1e9,
  minute: 60e9,
  hour: 3600e9,
  day: 86_400e9,
};
const DEFAULT_BURST = 5;
const PORT_UNREACHABLE = 3;
const SIDES: Readonly<Record<string, 'iifname' | 'oifname'>> = {
  iifname: 'iifname',
  iif: 'iifname',
  oifname: 'oifname',
  oif: 'oifname',
};

/** The parts of a rule as they come in. */
interface Draft {
  matches: RuleMatch[];
  log?: string;
  verdict?: RuleVerdict;
  comment?: string;
}

export function parseRule(cursor: Cursor, sets: NamedSets): FilterRule {
  const rule: Draft = { matches: [] };
  do {
    if (rule.verdict !== undefined && !cursor.sees('comment')) {
      cursor.fail(`nothing can stand behind a verdict, but here is ${cursor.seen}`);
    }
    parsePart(cursor, sets, rule);
  } while (!cursor.ruleEnds);
  return rule;
}

function parsePart(cursor: Cursor, sets: NamedSets, rule: Draft): void {
  const verdict = VERDICTS.find(each => cursor.sees(each));
  if (verdict !== undefined) rule.verdict = parseVerdict(cursor);
  else if (cursor.takes('counter')) skipCounts(cursor);
  else if (cursor.takes('log')) rule.log = parseLog(cursor);
  else if (cursor.takes('comment')) rule.comment = cursor.string('a comment');
  else if (cursor.takes('limit')) rule.matches.push(parseLimit(cursor));
  else rule.matches.push(parseMatch(cursor, sets));
}

function skipCounts(cursor: Cursor): void {
  if (!cursor.takes('packets')) return;
  cursor.whole('a number of packets');
  cursor.expect('bytes');
  cursor.whole('a number of bytes');
}

/** The prefix of what is logged; empty without one. A level changes nothing, for there is one console. */
function parseLog(cursor: Cursor): string {
  let prefix = '';
  for (;;) {
    if (cursor.takes('prefix')) prefix = cursor.string('a prefix');
    else if (cursor.takes('level')) cursor.word('a level');
    else return prefix;
  }
}

/** `limit rate over 10/second burst 20 packets`. */
function parseLimit(cursor: Cursor): LimitMatch {
  cursor.expect('rate');
  const over = cursor.takes('over');
  const { place } = cursor;
  const text = cursor.word('a rate');
  const [, count, unit] = /^(\d{1,9})\/([a-z]+)$/.exec(text) ?? [];
  const perNs = unit === undefined ? undefined : PER_NS[unit];
  if (perNs === undefined || Number(count) === 0)
    cursor.fail(`a rate wanted, such as 10/second, but here is "${text}"`, place);
  const burst = cursor.takes('burst') ? cursor.whole('a number of packets') : DEFAULT_BURST;
  cursor.takes('packets');
  return { kind: 'limit', over, packets: Number(count), perNs, burst };
}

function parseVerdict(cursor: Cursor): RuleVerdict {
  const kind = cursor.oneOf(VERDICTS, 'a verdict');
  if (kind === 'jump' || kind === 'goto') return { kind, chain: cursor.word('the name of a chain') };
  return kind === 'reject' ? { kind, rejection: parseRejection(cursor) } : { kind };
}

function parseRejection(cursor: Cursor): Rejection {
  if (!cursor.takes('with')) return { with: 'icmp', code: PORT_UNREACHABLE };
  if (cursor.takes('tcp')) {
    cursor.expect('reset');
    return { with: 'tcp reset' };
  }
  cursor.oneOf(['icmp', 'icmpx'], 'how to reject');
  cursor.takes('type');
  return { with: 'icmp', code: REJECT_CODES[cursor.oneOf(Object.keys(REJECT_CODES), 'a code')]! };
}

function parseMatch(cursor: Cursor, sets: NamedSets): RuleMatch {
  const { place } = cursor;
  cursor.takes('meta');
  const first = cursor.word('a match, a statement or a verdict');
  const side = SIDES[first];
  if (side !== undefined) {
    const negated = parseEquality(cursor);
    return { kind: 'interface', side, names: parseNames(cursor), negated };
  }
  const isMeta = place.column !== cursor.place.column && ['l4proto', 'protocol', 'length', 'pkttype'].includes(first);
  const text = isMeta ? `meta ${first}` : `${first} ${cursor.ruleEnds ? '' : cursor.word('a field')}`;
  const field = Object.hasOwn(ALIASES, text) ? ALIASES[text]! : (text as FilterField);
  if (!Object.hasOwn(FIELDS, field))
    cursor.fail(`"${text.trim()}" is no field, statement or verdict that is known`, place);
  return parseComparison(cursor, field, sets);
}

/** `==` is understood where nothing stands. */
function parseEquality(cursor: Cursor): boolean {
  if (cursor.takes('!=')) return true;
  cursor.takes('==');
  return false;
}

function parseNames(cursor: Cursor): readonly string[] {
  if (!cursor.takes('{')) return [cursor.name('the name of an interface')];
  const names: string[] = [];
  for (cursor.skipEnds(); !cursor.takes('}'); cursor.skipEnds()) {
    names.push(cursor.name('the name of an interface'));
    cursor.skipEnds();
    if (!cursor.sees('}')) cursor.expect(',');
  }
  return names;
}

function parseComparison(cursor: Cursor, field: FilterField, sets: NamedSets): FieldMatch {
  const kind = FIELDS[field];
  if (cursor.takes('&')) return parseMasked(cursor, field, kind);
  const operator = OPERATORS.find(each => cursor.takes(each)) ?? null;
  const negated = operator === '!=';
  if (operator === null || operator === '==' || negated) {
    if (cursor.sees('{')) return { kind: 'field', field, ranges: parseElements(cursor, kind), negated };
    const set = parseSetReference(cursor, kind, sets);
    if (set !== null) return { kind: 'field', field, ranges: set, negated };
    if (kind.flags) return parseFlags(cursor, field, kind, operator);
    return { kind: 'field', field, ranges: [parseRange(cursor, kind)], negated };
  }
  return { kind: 'field', field, ranges: [parseBound(cursor, kind, operator)], negated: false };
}

/** The elements of `@name`, if that stands here. */
function parseSetReference(cursor: Cursor, kind: FieldKind, sets: NamedSets): readonly FieldRange[] | null {
  const reference = [...sets.keys()].find(name => cursor.sees(`@${name}`));
  if (reference === undefined) return null;
  const { type, ranges } = sets.get(reference)!;
  if (type.bits !== kind.bits || type.notation !== kind.notation)
    cursor.fail(`the elements of set "${reference}" are no values of this field`);
  cursor.takes(`@${reference}`);
  return ranges;
}

/** `<`, `<=`, `>`, `>=` a value. */
function parseBound(cursor: Cursor, kind: FieldKind, operator: '<' | '<=' | '>' | '>='): FieldRange {
  const { place } = cursor;
  const text = cursor.word('a value');
  const value = parseValue(kind, text);
  if (value === null) cursor.fail(`"${text}" is no value of this field`, place);
  const greatest = 2 ** kind.bits - 1;
  const range = {
    '<': { from: 0, to: value - 1 },
    '<=': { from: 0, to: value },
    '>': { from: value + 1, to: greatest },
    '>=': { from: value, to: greatest },
  }[operator];
  if (range.from > range.to) cursor.fail(`no value is ${operator} ${text}`, place);
  return range;
}

/** `FIELD & (a | b) == c`. */
function parseMasked(cursor: Cursor, field: FilterField, kind: FieldKind): FieldMatch {
  if (kind.notation === 'mac') cursor.fail('MAC addresses cannot be masked here');
  const bracketed = cursor.takes('(');
  const mask = parseBits(cursor, kind);
  if (bracketed) cursor.expect(')');
  const negated = cursor.oneOf(['==', '!='], 'a comparison') === '!=';
  const value = parseBits(cursor, kind);
  return { kind: 'field', field, mask, ranges: [{ from: value, to: value }], negated };
}

/**
 * `a,b`: one of these bits is set; `a,b / c,d`: of the bits c and d, these and no others are; `== a`: exactly these are.
 * A state is one bit, so there all of it comes to the same.
 */
function parseFlags(cursor: Cursor, field: FilterField, kind: FieldKind, operator: string | null): FieldMatch {
  const bits = parseBitList(cursor, kind);
  if (cursor.takes('/')) {
    const mask = parseBitList(cursor, kind);
    return { kind: 'field', field, mask, ranges: [{ from: bits, to: bits }], negated: operator === '!=' };
  }
  if (operator === null || field === 'ct state') {
    return { kind: 'field', field, mask: bits, ranges: [{ from: 0, to: 0 }], negated: operator !== '!=' };
  }
  return { kind: 'field', field, ranges: [{ from: bits, to: bits }], negated: operator === '!=' };
}

function parseBitList(cursor: Cursor, kind: FieldKind): number {
  let bits = parseBits(cursor, kind);
  while (cursor.takes(',')) bits |= parseBits(cursor, kind);
  return bits;
}
