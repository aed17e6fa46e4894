/** The packet filter against an evaluation of its rules one after the other, from the fields that a packet was made of. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FieldMatch, FilterRules, RuleMatch } from '../../../kernel/net/filter/rule.ts';
import { formatIpv4, parseIpv4 } from '../../../src/lib/bytes.ts';
import { type FilteredPacket, filteredPacket, filterRules, payloadOf } from '../../support/filter-rules.ts';
import { HOST, HOST_MAC, NetRig, PEER_MAC } from '../../support/net-rig.ts';
import { arpFrame, frame, ipv4 } from '../../support/packets.ts';

const ETH1 = '198.51.100.1';
const HEADER_BYTES: Readonly<Record<number, number>> = { 1: 8, 6: 20, 17: 8, 47: 0 };

/** The value of each field that the packet has. */
function valuesOf(packet: FilteredPacket): Readonly<Record<string, number>> {
  const { source, destination, protocol, ttl, tos, sourcePort, destinationPort, flags, code, dataBytes } = packet;
  const ports = (name: string) => ({ [`${name} sport`]: sourcePort, [`${name} dport`]: destinationPort });
  return {
    'ip saddr': source,
    'ip daddr': destination,
    'ip protocol': protocol,
    'ip ttl': ttl,
    'ip dscp': tos >> 2,
    'ip length': 20 + HEADER_BYTES[protocol]! + dataBytes,
    ...(protocol === 1 ? { 'icmp type': 8, 'icmp code': code } : {}),
    ...(protocol === 6 ? { ...ports('tcp'), ...ports('th'), 'tcp flags': flags } : {}),
    ...(protocol === 17 ? { ...ports('udp'), ...ports('th') } : {}),
  };
}

const hasField = (
  { field, mask = -1, ranges, negated }: FieldMatch,
  values: Readonly<Record<string, number>>,
): boolean => {
  const value = values[field];
  if (value === undefined) return false;
  const seen = mask === -1 ? value : value & mask;
  return ranges.some(({ from, to }) => from <= seen && seen <= to) !== negated;
};

function isMet(match: RuleMatch, values: Readonly<Record<string, number>>): boolean {
  if (match.kind === 'field') return hasField(match, values);
  if (match.kind === 'limit') throw new Error('not in these rules');
  const name = match.side === 'iifname' ? 'eth0' : 'eth1';
  return match.names.some(each => each === name || each === 'e*') !== match.negated;
}

type Counts = Record<string, number[]>;

/** The verdict of `chain`, or null; counts in `counts` how often each rule applied. */
function evaluate(
  rules: FilterRules,
  chain: string,
  values: Readonly<Record<string, number>>,
  counts: Counts,
): string | null {
  for (const [i, rule] of rules.chains.find(({ name }) => name === chain)!.rules.entries()) {
    if (!rule.matches.every(match => isMet(match, values))) continue;
    counts[chain]![i]! += 1;
    const { verdict } = rule;
    if (verdict === undefined) continue;
    if (verdict.kind === 'return') return null;
    if (verdict.kind !== 'jump' && verdict.kind !== 'goto') return verdict.kind;
    const decided = evaluate(rules, verdict.chain, values, counts);
    if (decided !== null || verdict.kind === 'goto') return decided;
  }
  return null;
}

function rigWith(filter: FilterRules): NetRig {
  const interfaces = [HOST, ETH1].map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
  const rig = new NetRig({ interfaces, forwarding: true, filter }, 2);
  for (let host = 2; host <= 40; host++) {
    rig.inject(arpFrame({ opcode: 1, senderMac: PEER_MAC, sender: `198.51.100.${host}`, target: ETH1 }), 1);
  }
  for (const { sent } of rig.drivers) sent.length = 0;
  return rig;
}

test('FW-1 the verdict, and the count of each rule, are those of its rules in their order', () => {
  fc.assert(
    fc.property(filterRules, fc.array(filteredPacket, { minLength: 1, maxLength: 20 }), (rules, packets) => {
      const rig = rigWith(rules);
      const counts: Counts = Object.fromEntries(rules.chains.map(({ name, rules: list }) => [name, list.map(() => 0)]));
      const expected = packets.map(
        packet => evaluate(rules, 'through', valuesOf(packet), counts) ?? rules.chains[0]!.base!.policy,
      );
      const verdicts = packets.map(packet => {
        const { source, destination, protocol, ttl, tos } = packet;
        const addresses = { source: formatIpv4(source), destination: formatIpv4(destination) };
        const payload = ipv4({ ...addresses, protocol, ttl, tos, payload: payloadOf(packet) });
        rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload }));
        return rig.drivers[1]!.sent.splice(0).length === 1 ? 'accept' : 'drop';
      });
      expect(verdicts).toEqual(expected);
      const seen = Array.from(rig.net.filter!.chains, ([name, chain]) => [name, chain.rules.map(each => each.packets)]);
      expect(Object.fromEntries(seen)).toEqual(counts);
      rig.expectNoLeak();
    }),
  );
});

test('FW-1 a list of ten thousand addresses has the one that is asked for, and no other', () => {
  const first = parseIpv4('198.51.100.2');
  const blocked = Array.from({ length: 10_000 }, (_, i) => first + 3 * i);
  const rules: FilterRules = {
    chains: [
      {
        name: 'through',
        base: { hook: 'forward', priority: 0, policy: 'accept' },
        rules: blocked.map(address => ({
          matches: [{ kind: 'field', field: 'ip daddr', ranges: [{ from: address, to: address }], negated: false }],
          verdict: { kind: 'drop' },
        })),
      },
    ],
  };
  const rig = rigWith(rules);
  for (let host = 2; host <= 40; host++) {
    const packet = ipv4({ source: '192.0.2.2', destination: `198.51.100.${host}`, protocol: 47, payload: [1] });
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: packet }));
    expect(rig.drivers[1]!.sent.splice(0).length).toBe((host - 2) % 3 === 0 ? 0 : 1);
  }
});
