/**
 * The packet filter of a computer with its counters, in the manner of `nft list ruleset`: for each chain a row about what
 * no rule decided, then a row for each rule.
 */
import type { Chain } from '../../kernel/net/filter/chain.ts';
import { formatRule } from '../nftables/printer.ts';
import type { Computer } from '../world/computer.ts';
import { type Column, table } from './table.ts';
import type { View } from './view.ts';

interface FilterRow {
  readonly chain: string;
  /** Null in a chain to which rules lead, and in the rows of rules. */
  readonly hook: string | null;
  readonly priority: number | null;
  readonly policy: string | null;
  /** To how many packets the rule, or the policy, applied; null where there is neither. */
  readonly packets: number | null;
  readonly bytes: number | null;
  /** As nftables writes it; null in the row of the chain. */
  readonly rule: string | null;
}

const COLUMNS: readonly Column<FilterRow>[] = [
  { heading: 'Chain', cell: ({ chain }) => chain },
  { heading: 'Hook', cell: ({ hook }) => hook ?? '' },
  { heading: 'Priority', right: true, cell: ({ priority }) => priority ?? '' },
  { heading: 'Policy', cell: ({ policy }) => policy ?? '' },
  { heading: 'Packets', right: true, cell: ({ packets }) => packets ?? '' },
  { heading: 'Bytes', right: true, cell: ({ bytes }) => bytes ?? '' },
  { heading: 'Rule', cell: ({ rule }) => rule ?? '' },
];

export const filterView: View<Computer> = {
  summary: 'the rules of the packet filter, and how often each applied',
  needs: 'packet filter',
  table: ({ kernel: { net } }) =>
    net.filter === null ? null : table(COLUMNS, [...net.filter.chains.values()].flatMap(rowsOf)),
};

function rowsOf({ config, rules, policyPackets, policyBytes }: Chain): FilterRow[] {
  const { name: chain, base } = config;
  return [
    {
      chain,
      hook: base?.hook ?? null,
      priority: base?.priority ?? null,
      policy: base?.policy ?? null,
      packets: base === undefined ? null : policyPackets,
      bytes: base === undefined ? null : policyBytes,
      rule: null,
    },
    ...rules.map(({ rule, packets, bytes }) => {
      return { chain, hook: null, priority: null, policy: null, packets, bytes, rule: formatRule(rule) };
    }),
  ];
}
