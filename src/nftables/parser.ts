/**
 * Reads a ruleset in a subset of the language of nftables (nft(8)): tables of the families `ip` and `inet`, named sets,
 * chains of type `filter`, rules. What is not understood is an error that names line and column; nothing is passed over.
 * What a rule can match on is in `vocabulary.ts`, how the parts of a rule are read in `rule-parser.ts`.
 */
import type { BaseChain, FieldRange, FilterChain, FilterRule, FilterRules } from '../../kernel/net/filter/rule.ts';
import { Cursor } from './cursor.ts';
import { parseRule } from './rule-parser.ts';
import { type NamedSet, type NamedSets, parseElements } from './value-parser.ts';
import { FIELDS, type FieldKind } from './vocabulary.ts';

const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
const PRIORITIES = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 } as const;
const FAMILIES = ['ip', 'inet'] as const;
/** The types of elements of sets, and a field that has them. */
const SET_TYPES = {
  ipv4_addr: FIELDS['ip saddr'],
  ether_addr: FIELDS['ether saddr'],
  inet_service: FIELDS['th dport'],
  inet_proto: FIELDS['ip protocol'],
  icmp_type: FIELDS['icmp type'],
} as const;

/** Throws a {@link RulesetError}. */
export function parseRuleset(text: string): FilterRules {
  const cursor = new Cursor(text);
  const chains: FilterChain[] = [];
  cursor.skipEnds();
  while (!cursor.atEnd) {
    if (cursor.takes('flush')) {
      cursor.expect('ruleset');
      cursor.expectEnd();
    } else {
      cursor.expect('table');
      parseTable(cursor, chains);
    }
    cursor.skipEnds();
  }
  return { chains };
}

function parseTable(cursor: Cursor, chains: FilterChain[]): void {
  if (FAMILIES.some(family => cursor.sees(family))) cursor.oneOf(FAMILIES, 'a family');
  cursor.word('the name of the table');
  cursor.expect('{');
  const sets = new Map<string, NamedSet>();
  for (cursor.skipEnds(); !cursor.takes('}'); cursor.skipEnds()) {
    const { place } = cursor;
    const what = cursor.oneOf(['chain', 'set'], 'a declaration');
    const name = cursor.word(`the name of the ${what}`);
    if (what === 'set') {
      if (sets.has(name)) cursor.fail(`there is a set "${name}" already`, place);
      sets.set(name, parseSet(cursor));
    } else {
      if (chains.some(chain => chain.name === name)) cursor.fail(`there is a chain "${name}" already`, place);
      chains.push(parseChain(cursor, name, sets));
    }
  }
}

function parseSet(cursor: Cursor): NamedSet {
  cursor.expect('{');
  let type: FieldKind | null = null;
  let ranges: readonly FieldRange[] = [];
  for (cursor.skipEnds(); !cursor.takes('}'); cursor.skipEnds()) {
    switch (cursor.oneOf(['type', 'flags', 'elements', 'auto-merge', 'comment'], 'a property of the set')) {
      case 'type':
        type = SET_TYPES[cursor.oneOf(Object.keys(SET_TYPES) as (keyof typeof SET_TYPES)[], 'a type')];
        break;
      case 'flags':
        cursor.oneOf(['interval', 'constant'], 'a flag');
        while (cursor.takes(',')) cursor.oneOf(['interval', 'constant'], 'a flag');
        break;
      case 'elements':
        cursor.expect('=');
        if (type === null) cursor.fail('the type of the set has to stand before its elements');
        ranges = parseElements(cursor, type);
        break;
      case 'comment':
        cursor.string('a comment');
        break;
      case 'auto-merge':
        break;
    }
    cursor.expectEnd();
  }
  if (type === null) cursor.fail('the set has no type');
  return { type, ranges };
}

function parseChain(cursor: Cursor, name: string, sets: NamedSets): FilterChain {
  cursor.expect('{');
  let base: BaseChain | undefined;
  const rules: FilterRule[] = [];
  for (cursor.skipEnds(); !cursor.takes('}'); cursor.skipEnds()) {
    if (cursor.sees('type')) {
      if (base !== undefined || rules.length > 0) cursor.fail('what a base chain hooks into stands at its start, once');
      base = parseBase(cursor);
    } else if (cursor.sees('policy')) {
      if (base === undefined || rules.length > 0) cursor.fail('a policy follows the hook of its chain');
      base = { ...base, policy: parsePolicy(cursor) };
    } else {
      rules.push(parseRule(cursor, sets));
    }
    cursor.expectEnd();
  }
  return base === undefined ? { name, rules } : { name, base, rules };
}

/** `type filter hook input priority 0`; a policy may follow behind a semicolon. */
function parseBase(cursor: Cursor): BaseChain {
  cursor.expect('type');
  if (cursor.sees('nat')) cursor.fail('addresses are translated by the `nat` of the computer, not by rules');
  cursor.expect('filter');
  cursor.expect('hook');
  const hook = cursor.oneOf(HOOKS, 'a hook');
  cursor.expect('priority');
  return { hook, priority: parsePriority(cursor), policy: 'accept' };
}

/** A number, a name, or a name and how far from it. */
function parsePriority(cursor: Cursor): number {
  const { place } = cursor;
  const text = cursor.word('a priority');
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  if (!Object.hasOwn(PRIORITIES, text)) {
    cursor.fail(`a priority wanted, a number or ${Object.keys(PRIORITIES).join(' or ')}, but here is "${text}"`, place);
  }
  const base = PRIORITIES[text as keyof typeof PRIORITIES];
  if (cursor.takes('-')) return base - cursor.whole('a distance');
  return cursor.takes('+') ? base + cursor.whole('a distance') : base;
}

function parsePolicy(cursor: Cursor): BaseChain['policy'] {
  cursor.expect('policy');
  return cursor.oneOf(['accept', 'drop'], 'a policy');
}
