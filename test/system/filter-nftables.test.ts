/**
 * The packet filter beside nftables of Linux: the same rulesets, the same packets, and the same comes out, octet by octet,
 * refusals among it. What is left open by RFCs is taken out first (`comparable`). Linux is told to see a connection begin
 * with its handshake, as ours does (`nf_conntrack_tcp_loose`), and not to look at checksums that are its hosts' business.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mergedRanges } from '../../kernel/net/filter/match.ts';
import type { FilterRules, InterfaceMatch, RuleMatch } from '../../kernel/net/filter/rule.ts';
import { formatIpv4 } from '../../src/lib/bytes.ts';
import { parseRuleset } from '../../src/nftables/parser.ts';
import { formatRuleset } from '../../src/nftables/printer.ts';
import { comparable, FilterRig } from '../support/filter-rig.ts';
import {
  type FilteredPacket,
  filteredPacket,
  filterRules,
  payloadOf,
  withOneProtocol,
} from '../support/filter-rules.ts';
import { move, packetsOf } from '../support/filter-traffic.ts';
import { distinct, packetOf, pieces } from '../support/fragments.ts';
import { requireLinuxHost } from '../support/linux-host.ts';
import { LinuxRouter, type SidePacket } from '../support/linux-router.ts';
import { ipv4, udp } from '../support/packets.ts';

/** Of each property: sequences of packets. */
const RUNS = 20 * Number(process.env['RINGTAIL_RUNS'] ?? 1);

const forward = (rules: string, policy = 'accept') => `
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy ${policy};
    ${rules}
  }
}`;

const STATES = forward(`
    ct state new counter
    ct state established counter
    ct state related counter
    ct state invalid counter drop`);

const HAS_PORTS: RuleMatch = {
  kind: 'field',
  field: 'ip protocol',
  ranges: [6, 17].map(protocol => ({ from: protocol, to: protocol })),
  negated: false,
};

const RULESETS: readonly (readonly [name: string, ruleset: string])[] = [
  ['counts states', STATES],
  [
    'lets the outside only answer',
    forward(
      `ct state invalid drop
    ct state established,related accept
    iifname "eth0" ct state new accept`,
      'drop',
    ),
  ],
  [
    'refuses what the outside begins, each in its way',
    forward(`
    ct state invalid drop
    ct state established,related accept
    iifname "eth0" accept
    ip protocol tcp reject with tcp reset
    ip protocol udp reject
    reject with icmp admin-prohibited`),
  ],
  [
    'refuses what is invalid, with an error',
    forward(`
    ct state invalid ip protocol tcp reject with icmp net-prohibited
    ct state invalid reject with icmp host-unreachable
    ct state related drop`),
  ],
  [
    'tells flags apart',
    forward(`
    ct state invalid counter
    tcp flags & (fin | syn | rst | ack) == syn counter accept
    tcp flags fin,rst counter drop
    tcp flags syn / fin,syn,rst,ack counter
    tcp flags == psh | ack counter
    tcp flags & urg != 0 counter drop`),
  ],
  [
    'goes by ports, in sets and ranges',
    forward(`
    ct state invalid drop
    udp dport { 53, 60-70 } counter accept
    udp sport != 53 counter drop
    tcp dport 80 tcp sport 1024-65535 counter accept
    th dport 4000 ip protocol { tcp, udp } counter accept
    tcp dport != { 80, 443 } counter drop
    udp length < 11 counter`),
  ],
  [
    'goes by addresses',
    `define known = { 10.0.0.2, 198.51.100.0/29 }
table ip filter {
  set hosts {
    type ipv4_addr
    flags interval
    elements = { 10.0.0.3, 198.51.100.8-198.51.100.20 }
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state new counter
    ip saddr @hosts ip daddr != @hosts counter
    ip saddr $known counter accept
    ip daddr & 255.255.255.254 == 198.51.100.6 counter drop
    ip saddr 198.51.100.0/24 ip daddr @hosts counter accept
  }
}`,
  ],
  [
    'goes by ICMP',
    forward(`
    ct state related icmp type destination-unreachable counter accept
    icmp type { echo-request, echo-reply } icmp code 0 counter accept
    icmp type 13-16 counter drop
    icmp id 1 counter drop
    icmp type time-exceeded counter reject
    ip protocol icmp ip length > 40 counter drop`),
  ],
  [
    'leads through chains',
    `table ip filter {
  chain tcps {
    tcp dport 80 counter jump web
    tcp flags rst counter return
    counter drop
  }
  chain web {
    ct state new counter accept
    tcp flags fin counter drop
    iifname "eth0" counter goto last
    counter return
  }
  chain last {
    ip daddr 198.51.100.7 counter accept
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip protocol tcp counter jump tcps
    ip protocol udp counter goto last
    counter drop
  }
}`,
  ],
  [
    'has several base chains, by priority',
    `table ip filter {
  chain early {
    type filter hook prerouting priority raw; policy accept;
    ip ttl < 10 counter drop
    ip saddr 10.0.0.3 udp dport 54 counter drop
  }
  chain late {
    type filter hook forward priority filter + 10; policy drop;
    ct state established,new counter accept
  }
  chain soon {
    type filter hook forward priority filter - 10; policy accept;
    tcp flags fin counter drop
    oifname "eth1" ip protocol 50 counter drop
  }
  chain leaving {
    type filter hook postrouting priority 50; policy accept;
    oifname != "eth0" ct state new ip daddr 198.51.100.8 counter drop
  }
}`,
  ],
  [
    'guards the router itself',
    `table ip filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related counter accept
    icmp type echo-request counter accept
  }
  chain output {
    type filter hook output priority 0; policy accept;
    ct state invalid counter drop
    ct state related counter
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip daddr 198.51.100.8 counter reject with icmp net-unreachable
  }
}`,
  ],
  [
    'goes by names of interfaces and hardware addresses',
    forward(`
    ct state invalid drop
    iifname { "eth0", "lo" } oifname "eth*" counter
    iifname != "eth*" counter drop
    ether saddr 52:54:00:aa:00:01 counter
    ether daddr 52:54:00:00:01:01 ether type ip counter
    meta pkttype host counter`),
  ],
];

/** In fragments of full size: to which port, and in which order they come. */
const DATAGRAMS: readonly (readonly [name: string, port: number, order: readonly number[]])[] = [
  ['in fragments', 53, [0, 1, 2]],
  ['in fragments, the last one first', 53, [2, 0, 1]],
  ['in fragments, to a port that is shut', 54, [0, 1, 2]],
  ['in fragments, of which one is missing', 53, [0, 2]],
  ['in fragments, one of them twice', 53, [0, 1, 1, 2]],
];

requireLinuxHost('nft', 'conntrack')('the packet filter beside nftables', () => {
  let linux: LinuxRouter;

  beforeAll(async () => {
    linux = await LinuxRouter.start(STATES);
  });
  afterAll(() => linux?.stop());

  /** Gives the same packets to both, with `ruleset` in Linux and `rules` in ours. */
  async function compare(ruleset: string, rules: FilterRules, packets: readonly SidePacket[]): Promise<void> {
    linux.run('conntrack', ['-F']);
    linux.load(ruleset);
    const ours = new FilterRig(rules);
    const theirs = await linux.passAll(packets);
    const out = ours.passAll(packets);
    expect(out.map(each => each.map(comparable))).toEqual(theirs.map(each => each.map(comparable)));
    ours.rig.expectNoLeak();
    expect(countsOf(ours, ruleset)).toEqual(linuxCounts(linux));
  }

  it.each(RULESETS)('FW-1 that %s: the same comes out of both, and rules apply as often', async (_, ruleset) => {
    const rules = parseRuleset(ruleset);
    const moves = fc.array(move, { minLength: 1, maxLength: 60 });
    const runs = fc.asyncProperty(moves, each => compare(ruleset, rules, packetsOf(each)));
    await fc.assert(runs, { numRuns: RUNS });
  });

  it.each(DATAGRAMS)('FW-1 a datagram %s is let through as a whole or not at all', async (_, port, order) => {
    const ruleset = forward('ct state invalid drop\n udp dport 53 accept', 'drop');
    const [source, destination] = ['10.0.0.2', '198.51.100.7'];
    const payload = udp({ source, destination, sourcePort: 4000, destinationPort: port, data: distinct(4000) });
    const parts = pieces({ source, destination, protocol: 17, payload }, 1480);
    const packets = order.map(
      (i): SidePacket => ({ side: 'inside', packet: packetOf(parts[i]!, source, destination) }),
    );
    linux.run('conntrack', ['-F']);
    linux.load(ruleset);
    const theirs = (await linux.passAll(packets)).flat();
    const ours = new FilterRig(parseRuleset(ruleset)).passAll(packets).flat();
    expect(ours.map(comparable)).toEqual(theirs.map(comparable));
    expect(ours).toHaveLength(port === 53 && new Set(order).size === parts.length ? parts.length : 0);
  });

  it('FW-1 with arbitrary rules: the same comes out of both', async () => {
    const packets = fc.array(filteredPacket, { minLength: 1, maxLength: 40 });
    const runs = fc.asyncProperty(filterRules.map(withOneProtocol), packets, (rules, each) =>
      compare(formatRuleset(asLinuxSees(rules)), rules, each.map(fromInside)),
    );
    await fc.assert(runs, { numRuns: RUNS });
  });

  it('FW-1 reads every ruleset that is printed, and what it lists of it is read back as the same rules', () => {
    const all = fc.sample(filterRules.map(withOneProtocol), { numRuns: 100 });
    const printed = all.map((rules, i) => formatRuleset(rules).replace('table ip filter', `table ip t${i}`));
    linux.load(printed.join('\n'));
    const listed = linux.run('nft', ['-p', 'list', 'ruleset']).split(/^(?=table )/m);
    expect(listed).toHaveLength(all.length);
    for (const [i, text] of listed.entries()) {
      expect(formatRuleset(canonical(parseRuleset(text))), printed[i]!).toBe(formatRuleset(canonical(all[i]!)));
    }
  });
});

/** Elements of sets merged and in order, as nft lists them. */
function canonical({ chains }: FilterRules): FilterRules {
  const all = ({ names }: InterfaceMatch): boolean => names.includes('e*');
  const ordered = (match: RuleMatch): RuleMatch => {
    switch (match.kind) {
      case 'field':
        return { ...match, ranges: mergedRanges(match.ranges) };
      case 'interface':
        return { ...match, names: match.names.filter(name => !(all(match) && /^eth/.test(name))).toSorted() };
      case 'limit':
        return match;
    }
  };
  return {
    chains: chains.map(chain => ({
      ...chain,
      rules: chain.rules.map(rule => ({ ...rule, matches: rule.matches.map(ordered) })),
    })),
  };
}

/** How often each rule with a counter has applied, in the order of the text. */
function countsOf({ rig }: FilterRig, ruleset: string): number[] {
  const counting = ruleset
    .split('\n')
    .filter(line => /\b(counter|accept|drop|reject|return|jump|goto)\b/.test(line) && !/\btype filter\b/.test(line))
    .map(line => /\bcounter\b/.test(line));
  const rules = [...rig.net.filter!.chains.values()].flatMap(chain => chain.rules);
  return rules.filter((_, i) => counting[i]).map(({ packets }) => packets);
}

const linuxCounts = (linux: LinuxRouter): number[] =>
  [...linux.run('nft', ['list', 'ruleset']).matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));

/**
 * Linux has taken one from the time to live before a packet comes to `forward`, and reads ports (`th`) wherever in any
 * protocol they would stand. Ours does the one later, and the other not.
 */
function asLinuxSees({ chains }: FilterRules): FilterRules {
  const seen = (match: RuleMatch): readonly RuleMatch[] => {
    if (match.kind !== 'field') return [match];
    if (match.field.startsWith('th ')) return [HAS_PORTS, match];
    if (match.field !== 'ip ttl') return [match];
    return [{ ...match, ranges: match.ranges.map(({ from, to }) => ({ from: from - 1, to: to - 1 })) }];
  };
  return {
    chains: chains.map(chain => ({
      ...chain,
      rules: chain.rules.map(rule => ({ ...rule, matches: rule.matches.flatMap(seen) })),
    })),
  };
}

function fromInside({ source, destination, ...fields }: FilteredPacket): SidePacket {
  const addresses = { source: formatIpv4(source), destination: formatIpv4(destination) };
  const packet = ipv4({ ...addresses, ...fields, payload: payloadOf({ source, destination, ...fields }) });
  return { side: 'inside', packet };
}
