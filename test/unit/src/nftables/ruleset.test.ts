/** The language of nftables: what is read, how it is printed, and what is said of what is not understood. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRuleset } from '../../../../src/nftables/parser.ts';
import { formatRule, formatRuleset } from '../../../../src/nftables/printer.ts';
import { filterRules } from '../../../support/filter-rules.ts';

const inChain = (rule: string): string => `table ip t {\n  chain c {\n    ${rule}\n  }\n}`;
const ruleOf = (text: string) => parseRuleset(inChain(text)).chains[0]!.rules[0]!;
/** How the one rule is printed. */
const printed = (text: string): string => formatRule(ruleOf(text));

describe('a rule is printed as nft lists it', () => {
  test.each([
    ['tcp dport 80 accept', 'tcp dport http accept'],
    ['tcp dport { 22, 80, 1000-2000 } drop', 'tcp dport { ssh, http, 1000-2000 } drop'],
    ['tcp dport != http drop', 'tcp dport != http drop'],
    ['udp dport >= 1024 drop', 'udp dport 1024-65535 drop'],
    ['ip ttl < 5 drop', 'ip ttl 0-4 drop'],
    ['ip saddr 10.1.2.3/8 drop', 'ip saddr 10.0.0.0/8 drop'],
    ['ip saddr 10.0.0.4-10.0.0.9 drop', 'ip saddr 10.0.0.4-10.0.0.9 drop'],
    ['ip protocol icmp drop', 'ip protocol icmp drop'],
    ['meta l4proto udp drop', 'ip protocol udp drop'],
    ['icmp code 0-2 drop', 'icmp code 0-2 drop'],
    ['ip protocol { pup, 89 } drop', 'ip protocol { pup, ospf } drop'],
    ['ip dscp { cs0, ef } accept', 'ip dscp { cs0, ef } accept'],
    ['ip dscp != af21-cs3 accept', 'ip dscp != 18-24 accept'],
    ['icmp type { echo-request, echo-reply } accept', 'icmp type { echo-request, echo-reply } accept'],
    ['ether saddr 52:54:00:12:34:56 drop', 'ether saddr 52:54:00:12:34:56 drop'],
    ['ct state established,related accept', 'ct state established,related accept'],
    ['ct state new accept', 'ct state new accept'],
    ['ct state != invalid accept', 'ct state != invalid accept'],
    ['tcp flags syn drop', 'tcp flags syn drop'],
    ['tcp flags syn / fin,syn,rst,ack drop', 'tcp flags & (fin | syn | rst | ack) == syn drop'],
    ['tcp flags & (fin|syn|rst|ack) != syn drop', 'tcp flags & (fin | syn | rst | ack) != syn drop'],
    ['tcp flags == syn drop', 'tcp flags == syn drop'],
    ['iifname eth0 oif != "eth*" drop', 'iifname "eth0" oifname != "eth*" drop'],
    ['iifname { "eth0", eth1 } drop', 'iifname { "eth0", "eth1" } drop'],
    ['limit rate 10/minute accept', 'limit rate 10/minute burst 5 packets accept'],
    ['limit rate over 3/second burst 9 packets drop', 'limit rate over 3/second burst 9 packets drop'],
    ['counter packets 3 bytes 180 log prefix "no " level warn drop', 'log prefix "no " drop'],
    ['counter', 'counter'],
    ['log', 'log'],
    ['reject', 'reject with icmp port-unreachable'],
    ['reject with icmp type admin-prohibited', 'reject with icmp admin-prohibited'],
    ['reject with tcp reset', 'reject with tcp reset'],
    ['drop comment "nobody"', 'drop comment "nobody"'],
    ['meta pkttype broadcast drop', 'meta pkttype broadcast drop'],
  ])('%s', (text, expected) => {
    expect(printed(text)).toBe(expected);
    expect(printed(expected)).toBe(expected);
  });

  test('a match on flags without a comparison wants one of them, and a list of states too', () => {
    expect(ruleOf('tcp flags syn,ack drop').matches).toEqual([
      { kind: 'field', field: 'tcp flags', mask: 18, ranges: [{ from: 0, to: 0 }], negated: true },
    ]);
  });

  test('any rules: what is printed is read back the same', () => {
    fc.assert(
      fc.property(filterRules, rules => {
        const text = formatRuleset(rules);
        expect(formatRuleset(parseRuleset(text))).toBe(text);
        expect(parseRuleset(text).chains.map(({ name, base, rules: list }) => [name, base, list.length])).toEqual(
          rules.chains.map(({ name, base, rules: list }) => [name, base, list.length]),
        );
      }),
    );
  });
});

describe('a ruleset', () => {
  test('has variables, named sets over several lines, comments, and rules parted by semicolons', () => {
    const rules = parseRuleset(`
      flush ruleset
      define OUTSIDE = "eth1"   # the uplink
      define LAN = { 10.0.0.0/8, 192.168.0.0/16 }
      table inet fw {
        set bad {
          type ipv4_addr
          flags interval
          elements = { 1.2.3.4,
                       5.6.7.0-5.6.7.9 }
        }
        chain input {
          type filter hook input priority filter - 5; policy drop;
          iifname $OUTSIDE ip saddr $LAN drop; ip saddr @bad \\
            drop
          jump more
        }
        chain more { return }
      }`);
    expect(formatRuleset(rules)).toBe(`table ip filter {
  chain input {
    type filter hook input priority -5; policy drop;
    iifname "eth1" ip saddr { 10.0.0.0/8, 192.168.0.0/16 } drop
    ip saddr { 1.2.3.4, 5.6.7.0-5.6.7.9 } drop
    jump more
  }
  chain more {
    return
  }
}
`);
  });

  test.each([
    ['raw', -300],
    ['filter + 10', 10],
    ['srcnat - 1', 99],
    ['-7', -7],
  ])('a chain has the priority %s', (text, priority) => {
    const { chains } = parseRuleset(`table ip t { chain c { type filter hook output priority ${text}; } }`);
    expect(chains[0]!.base).toEqual({ hook: 'output', priority, policy: 'accept' });
  });

  test.each([
    [inChain('tcp dport 70000 drop'), 'line 3, column 15: "70000" is no value of this field'],
    [inChain('ip saddr 1.2.3 drop'), 'line 3, column 14: "1.2.3" is no value of this field'],
    [inChain('ip saddr 1.2.3.4/33 drop'), 'line 3, column 14: "1.2.3.4/33" is no value of this field'],
    [inChain('tcp dport 9-3 drop'), 'line 3, column 15: "9-3" ends before it begins'],
    [inChain('frob nicate drop'), 'line 3, column 5: "frob nicate" is no field, statement or verdict that is known'],
    [inChain('drop accept'), 'line 3, column 10: nothing can stand behind a verdict, but here is "accept"'],
    [inChain('ip saddr @nobody drop'), 'line 3, column 14: "@nobody" is no value of this field'],
    [inChain('ip saddr $NET drop'), 'line 3, column 14: no variable "$NET" has been defined'],
    [inChain('limit rate fast drop'), 'line 3, column 16: a rate wanted, such as 10/second, but here is "fast"'],
    [inChain('log prefix nothing'), 'line 3, column 16: a prefix wanted, in quotes, but here is "nothing"'],
    [inChain('log prefix "no'), 'line 3, column 16: a string without end'],
    [inChain('ip ttl < 0 drop'), 'line 3, column 14: no value is < 0'],
    [inChain('masquerade'), 'line 3, column 5: "masquerade" is no field, statement or verdict that is known'],
    ['table ip t { chain c { type nat hook output priority 0; } }', 'by the `nat` of the computer, not by rules'],
    ['table ip t { chain c { type filter hook nowhere priority 0; } }', 'column 41: a hook wanted, prerouting or'],
    ['table ip t { chain c { drop } chain c { drop } }', 'column 31: there is a chain "c" already'],
    ['table ip t { chain c {', 'line 1, column 23: a match, a statement or a verdict wanted, but here is the end of'],
    ['table ip6 t { }', 'line 1, column 11: "{" wanted, but here is "t"'],
    ['include "other.nft"', 'line 1, column 1: "table" wanted, but here is "include"'],
    ['table ip t { chain c { § } }', 'line 1, column 24: "§" has no meaning here'],
    ['define X', 'define takes NAME = VALUE'],
  ])('what is wrong with it is said with line and column: %s', (text, message) => {
    expect(() => parseRuleset(text)).toThrow(message);
  });

  test('whatever the text, it is read or refused, never by an error of another kind', () => {
    const piece = fc.constantFrom(
      ...'table ip t { } chain c ; \n type filter hook input priority 0 policy drop accept tcp dport 80 { , } define A = $A'.split(
        ' ',
      ),
      'set',
      'elements',
      '@s',
      '"x"',
      '&',
      '(',
      '|',
      '1-2',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
        try {
          parseRuleset(pieces.join(' '));
        } catch (error) {
          expect((error as Error).name).toBe('RulesetError');
        }
      }),
      { numRuns: 500 },
    );
  });
});
