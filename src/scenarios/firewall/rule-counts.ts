/** The rules of a packet filter as they are written, each with what it has counted. */
import type { PacketFilter } from '../../../kernel/net/filter/filter.ts';
import { formatRule } from '../../nftables/printer.ts';

export interface RuleCount {
  readonly chain: string;
  /** In the language of nftables; the policy of a chain stands behind its rules. */
  readonly rule: string;
  readonly packets: number;
  readonly bytes: number;
}

export function ruleCounts(filter: PacketFilter): readonly RuleCount[] {
  return [...filter.chains.values()].flatMap(chain => {
    const { name, base } = chain.config;
    const rules = chain.rules.map(({ rule, packets, bytes }) => ({
      chain: name,
      rule: formatRule(rule),
      packets,
      bytes,
    }));
    if (base === undefined) return rules;
    const { policyPackets: packets, policyBytes: bytes } = chain;
    return [...rules, { chain: name, rule: `policy ${base.policy}`, packets, bytes }];
  });
}

/** As a table, a chain after the other. */
export function ruleLines(counts: readonly RuleCount[]): readonly string[] {
  return counts.flatMap(({ chain, rule, packets, bytes }, i) => {
    const line = `${String(packets).padStart(9)}${String(bytes).padStart(10)}  ${rule}`;
    return counts[i - 1]?.chain === chain ? [line] : [`chain ${chain}`, '  packets     bytes  rule', line];
  });
}
