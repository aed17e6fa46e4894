/** Arbitrary rules of a packet filter, small enough that packets meet them, and such packets. */
import fc from 'fast-check';
import type {
  FieldMatch,
  FilterChain,
  FilterField,
  FilterRule,
  FilterRules,
  InterfaceMatch,
  RuleMatch,
  RuleVerdict,
} from '../../kernel/net/filter/rule.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';

const NETWORK = parseIpv4('198.51.100.0');

/** Values of a field that packets of {@link filteredPacket} have too, and their bounds. */
const VALUES: readonly (readonly [field: FilterField, from: number, to: number])[] = [
  ['ip saddr', parseIpv4('192.0.2.2'), parseIpv4('192.0.2.40')],
  ['ip daddr', NETWORK, NETWORK + 40],
  ['ip protocol', 1, 20],
  ['ip ttl', 2, 10],
  ['ip dscp', 0, 3],
  ['ip length', 28, 60],
  ['icmp type', 8, 8],
  ['icmp code', 0, 2],
  ['tcp sport', 1, 5],
  ['tcp dport', 1, 40],
  ['tcp flags', 0, 63],
  ['udp sport', 1, 5],
  ['udp dport', 1, 40],
  ['th sport', 1, 5],
  ['th dport', 1, 40],
];

const fieldMatch: fc.Arbitrary<FieldMatch> = fc.constantFrom(...VALUES).chain(([field, from, to]) => {
  const value = fc.integer({ min: from, max: to });
  const range = fc.tuple(value, value).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
  const ranges = fc.array(range, { minLength: 1, maxLength: 3 });
  const whole = fc.record({ ranges, negated: fc.boolean() });
  const masked = fc.record({
    mask: fc.integer({ min: 1, max: 63 }),
    ranges: value.map(each => [{ from: each, to: each }]),
    negated: fc.boolean(),
  });
  const fields = field === 'tcp flags' ? fc.oneof(whole, masked) : whole;
  return fields.map((rest): FieldMatch => ({ kind: 'field', field, ...rest }));
});

const interfaceMatch: fc.Arbitrary<InterfaceMatch> = fc.record({
  kind: fc.constant('interface' as const),
  side: fc.constantFrom('iifname' as const, 'oifname' as const),
  names: fc.uniqueArray(fc.constantFrom('eth0', 'eth1', 'e*', 'lo'), { minLength: 1, maxLength: 2 }),
  negated: fc.boolean(),
});

const verdict = (chains: readonly string[]): fc.Arbitrary<RuleVerdict> =>
  fc.oneof(
    fc.record({ kind: fc.constantFrom('accept' as const, 'drop' as const, 'return' as const) }),
    ...(chains.length === 0
      ? []
      : [fc.record({ kind: fc.constantFrom('jump' as const, 'goto' as const), chain: fc.constantFrom(...chains) })]),
  );

const rule = (chains: readonly string[], fields: fc.Arbitrary<FieldMatch>): fc.Arbitrary<FilterRule> =>
  fc.record(
    {
      matches: fc.array(fc.oneof({ weight: 5, arbitrary: fields }, interfaceMatch), { maxLength: 3 }),
      verdict: verdict(chains),
      comment: fc.stringMatching(/^[a-z ]{0,8}$/),
    },
    { requiredKeys: ['matches'] },
  );

/** A rule such as long lists are made of: one address or port, and perhaps something else. */
const listed: fc.Arbitrary<FieldMatch> = fieldMatch.filter(({ field, negated }) => field === 'ip daddr' && !negated);

/** A base chain at `forward` that may lead to two others, one of them long. */
export const filterRules: fc.Arbitrary<FilterRules> = fc
  .record({
    policy: fc.constantFrom('accept' as const, 'drop' as const),
    base: fc.array(rule(['long', 'short'], fieldMatch), { minLength: 1, maxLength: 6 }),
    long: fc.array(rule(['short'], fc.oneof({ weight: 4, arbitrary: listed }, fieldMatch)), { maxLength: 40 }),
    short: fc.array(rule([], fieldMatch), { maxLength: 4 }),
  })
  .map(({ policy, base, long, short }) => {
    const chains: FilterChain[] = [
      { name: 'through', base: { hook: 'forward', priority: 0, policy }, rules: base },
      { name: 'long', rules: long },
      { name: 'short', rules: short },
    ];
    return { chains };
  });

const HEADER_OF_ONE = ['icmp', 'tcp', 'udp', 'th'];

/** nft 1.0.6 dies of a listing with ranges of flags, which mean nothing anyway. */
function withoutFlagRanges(match: RuleMatch): RuleMatch {
  if (match.kind !== 'field' || match.field !== 'tcp flags') return match;
  const { from } = match.ranges[0]!;
  return { ...match, ranges: [{ from, to: from }] };
}

/** `rules` without what nft refuses: matches on two protocols at once in one rule. */
export function withOneProtocol({ chains }: FilterRules): FilterRules {
  const headerOf = (match: RuleMatch): string => (match.kind === 'field' ? match.field.split(' ')[0]! : '');
  const pruned = (rule: FilterRule): FilterRule => {
    const header = rule.matches.map(headerOf).find(each => HEADER_OF_ONE.includes(each));
    const fits = (match: RuleMatch): boolean =>
      headerOf(match) === header ||
      (!HEADER_OF_ONE.includes(headerOf(match)) && !(match.kind === 'field' && match.field === 'ip protocol'));
    const matches = header === undefined ? rule.matches : rule.matches.filter(fits);
    return { ...rule, matches: matches.map(withoutFlagRanges) };
  };
  return { chains: chains.map(chain => ({ ...chain, rules: chain.rules.map(pruned) })) };
}

/** What a packet is, as far as rules can see. */
export interface FilteredPacket {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly ttl: number;
  readonly tos: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly code: number;
  readonly dataBytes: number;
}

export const filteredPacket: fc.Arbitrary<FilteredPacket> = fc.record({
  source: fc.integer({ min: parseIpv4('192.0.2.2'), max: parseIpv4('192.0.2.40') }),
  destination: fc.integer({ min: NETWORK + 2, max: NETWORK + 40 }),
  protocol: fc.constantFrom(1, 6, 17, 47),
  ttl: fc.integer({ min: 2, max: 10 }),
  tos: fc.integer({ min: 0, max: 15 }),
  sourcePort: fc.integer({ min: 1, max: 5 }),
  destinationPort: fc.integer({ min: 1, max: 40 }),
  flags: fc.integer({ min: 0, max: 63 }),
  code: fc.integer({ min: 0, max: 2 }),
  dataBytes: fc.integer({ min: 8, max: 30 }),
});

const word = (value: number): number[] => [value >>> 8, value & 255];

/** What stands behind its IPv4 header; checksums are zero. */
export function payloadOf({ protocol, sourcePort, destinationPort, flags, code, dataBytes }: FilteredPacket): number[] {
  const data = new Array<number>(dataBytes).fill(0);
  const ports = [...word(sourcePort), ...word(destinationPort)];
  if (protocol === 1) return [8, code, 0, 0, 0, 0, 0, 0, ...data];
  if (protocol === 6) return [...ports, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0, ...data];
  return protocol === 17 ? [...ports, ...word(8 + dataBytes), 0, 0, ...data] : data;
}
