/** Writes rules in the language of nftables: what `parser.ts` reads. */
import type {
  FieldMatch,
  FieldRange,
  FilterChain,
  FilterRule,
  FilterRules,
  LimitMatch,
  RuleMatch,
  RuleVerdict,
} from '../../kernel/net/filter/rule.ts';
import { FIELDS, type FieldKind, formatValue, REJECT_CODES } from './vocabulary.ts';

const UNITS: readonly (readonly [name: string, ns: number])[] = [
  ['second', 1e9],
  ['minute', 60e9],
  ['hour', 3600e9],
  ['day', 86_400e9],
];
const TABLE = 'filter';

/** The whole ruleset, as one table. */
export function formatRuleset({ chains }: FilterRules): string {
  return [`table ip ${TABLE} {`, ...chains.flatMap(chainLines), '}', ''].join('\n');
}

function chainLines({ name, base, rules }: FilterChain): string[] {
  const head =
    base === undefined ? [] : [`    type filter hook ${base.hook} priority ${base.priority}; policy ${base.policy};`];
  return [`  chain ${name} {`, ...head, ...rules.map(rule => `    ${formatRule(rule)}`), '  }'];
}

/** One rule, without line end. */
export function formatRule({ matches, log, verdict, comment }: FilterRule): string {
  const parts = matches.map(formatMatch);
  if (log !== undefined) parts.push(log === '' ? 'log' : `log prefix "${log}"`);
  if (verdict !== undefined) parts.push(formatVerdict(verdict));
  else if (log === undefined) parts.push('counter');
  if (comment !== undefined) parts.push(`comment "${comment}"`);
  return parts.join(' ');
}

function formatVerdict(verdict: RuleVerdict): string {
  switch (verdict.kind) {
    case 'jump':
    case 'goto':
      return `${verdict.kind} ${verdict.chain}`;
    case 'reject': {
      const { rejection } = verdict;
      if (rejection.with === 'tcp reset') return 'reject with tcp reset';
      const code = Object.keys(REJECT_CODES).find(name => REJECT_CODES[name] === rejection.code);
      return `reject with icmp ${code ?? rejection.code}`;
    }
    default:
      return verdict.kind;
  }
}

function formatMatch(match: RuleMatch): string {
  switch (match.kind) {
    case 'field':
      return formatFieldMatch(match);
    case 'limit':
      return formatLimit(match);
    case 'interface': {
      const names = match.names.map(name => `"${name}"`);
      return `${match.side} ${match.negated ? '!= ' : ''}${names.length === 1 ? names[0] : `{ ${names.join(', ')} }`}`;
    }
  }
}

function formatLimit({ over, packets, perNs, burst }: LimitMatch): string {
  const unit = UNITS.find(([, ns]) => ns === perNs)?.[0] ?? `${perNs} ns`;
  return `limit rate ${over ? 'over ' : ''}${packets}/${unit} burst ${burst} packets`;
}

function formatFieldMatch({ field, mask, ranges, negated }: FieldMatch): string {
  const kind = FIELDS[field];
  const [first] = ranges;
  if (mask !== undefined) {
    const isAnyOf = kind.flags && first!.from === 0 && first!.to === 0;
    if (isAnyOf && (negated || field === 'ct state')) {
      return `${field} ${negated ? '' : '!= '}${bitNames(kind, mask).join(',')}`;
    }
    return `${field} & (${bits(kind, mask)}) ${negated ? '!=' : '=='} ${bits(kind, first!.from)}`;
  }
  const texts = ranges.map(range => formatRange(kind, range));
  if (ranges.length > 1 || (kind.flags && first!.from !== first!.to))
    return `${field} ${negated ? '!= ' : ''}{ ${texts.join(', ')} }`;
  if (kind.flags) return `${field} ${negated ? '!=' : '=='} ${bits(kind, first!.from)}`;
  return `${field} ${negated ? '!= ' : ''}${texts[0]}`;
}

/** A range as a value, as a prefix, or from end to end. */
function formatRange(kind: FieldKind, { from, to }: FieldRange): string {
  if (from === to) return formatValue(kind, from);
  const size = to - from + 1;
  const length = kind.bits - Math.log2(size);
  if (kind.notation === 'ipv4' && Number.isInteger(length) && from % size === 0)
    return `${formatValue(kind, from)}/${length}`;
  // Names have hyphens themselves.
  const ends = { ...kind, values: {} };
  return `${formatValue(ends, from)}-${formatValue(ends, to)}`;
}

/** Bits by their names, joined by `|`; all of them as a number where one has no name. */
function bits(kind: FieldKind, value: number): string {
  const names = bitNames(kind, value);
  return names.length === 0 || !kind.flags ? formatValue(kind, value) : names.join(' | ');
}

function bitNames({ values }: FieldKind, value: number): string[] {
  return Object.keys(values).filter(name => (values[name]! & value) !== 0);
}
