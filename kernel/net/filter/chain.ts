/**
 * A chain at work: its rules ready to be asked, and how often each applied. The verdict of a walk is left in
 * {@link Walk}, for it may have come from a chain that was jumped to.
 */
import { type Matcher, matcherOf } from './match.ts';
import type { PacketView } from './packet-view.ts';
import type { FilterChain, FilterRule, Rejection } from './rule.ts';
import { RuleIndex } from './rule-index.ts';

/** Chains that a packet may be in at once, as with nftables. */
const MAX_JUMPS = 16;

/** What a walk through chains needs besides the packet, and what came of it. */
export interface Walk {
  readonly nowNs: number;
  /** Why the packet is to be rejected, when the verdict is that. */
  rejection: Rejection | null;
  /** A rule that logs has applied. */
  log(view: PacketView, prefix: string): void;
}

export type ChainVerdict = 'accept' | 'drop' | 'reject';

interface ActiveRule {
  readonly rule: FilterRule;
  readonly matchers: readonly Matcher[];
  /** Where `jump` and `goto` lead; filled in once all chains are there. */
  target: Chain | null;
  packets: number;
  bytes: number;
}

export class Chain {
  readonly config: FilterChain;
  readonly rules: readonly ActiveRule[];
  /** What the policy decided, if this is a base chain. */
  policyPackets = 0;
  policyBytes = 0;
  readonly #index: RuleIndex | null;

  constructor(config: FilterChain) {
    this.config = config;
    this.rules = config.rules.map(rule => {
      return { rule, matchers: rule.matches.map(matcherOf), target: null, packets: 0, bytes: 0 };
    });
    this.#index = RuleIndex.over(config.rules);
  }

  /** The verdict of this chain's rules and of those it leads to; null when none has decided. */
  walk(view: PacketView, walk: Walk): ChainVerdict | null {
    const index = this.#index;
    if (index !== null) index.begin(view);
    for (let i = index === null ? 0 : index.next(); i < this.rules.length; i = index === null ? i + 1 : index.next()) {
      const entry = this.rules[i]!;
      if (!applies(entry, view, walk.nowNs)) continue;
      entry.packets += 1;
      entry.bytes += view.header.totalBytes;
      const { log, verdict } = entry.rule;
      if (log !== undefined) walk.log(view, log);
      if (verdict === undefined) continue;
      switch (verdict.kind) {
        case 'accept':
        case 'drop':
          return verdict.kind;
        case 'reject':
          walk.rejection = verdict.rejection;
          return 'reject';
        case 'return':
          return null;
        case 'goto':
          return entry.target!.walk(view, walk);
        case 'jump': {
          const decided = entry.target!.walk(view, walk);
          if (decided !== null) return decided;
        }
      }
    }
    return null;
  }
}

function applies(entry: ActiveRule, view: PacketView, nowNs: number): boolean {
  for (let i = 0; i < entry.matchers.length; i++) if (!entry.matchers[i]!.matches(view, nowNs)) return false;
  return true;
}

/**
 * The chains of `configs`, joined by their jumps. Throws a RangeError for a chain that is not there or is there twice,
 * and for jumps that lead in a circle or too deep.
 */
export function joinedChains(configs: readonly FilterChain[]): ReadonlyMap<string, Chain> {
  const chains = new Map<string, Chain>();
  for (const config of configs) {
    if (chains.has(config.name)) throw new RangeError(`the filter has two chains "${config.name}"`);
    chains.set(config.name, new Chain(config));
  }
  for (const chain of chains.values()) {
    for (const entry of chain.rules) {
      const { verdict } = entry.rule;
      if (verdict?.kind !== 'jump' && verdict?.kind !== 'goto') continue;
      const target = chains.get(verdict.chain);
      if (target === undefined)
        throw new RangeError(`chain "${chain.config.name}" leads to "${verdict.chain}": no such chain`);
      if (target.config.base !== undefined)
        throw new RangeError(`"${verdict.chain}" is a base chain: no rule can lead to it`);
      entry.target = target;
    }
  }
  const depths = new Map<Chain, number>();
  for (const chain of chains.values()) {
    if (depthOf(chain, depths) > MAX_JUMPS) throw new RangeError(`chains lead more than ${MAX_JUMPS} deep`);
  }
  return chains;
}

/** How many chains a packet may be in at once that is in `chain`; those whose depth is being worked out stand at 0. */
function depthOf(chain: Chain, depths: Map<Chain, number>): number {
  const known = depths.get(chain);
  if (known === 0) throw new RangeError(`chain "${chain.config.name}" leads to itself`);
  if (known !== undefined) return known;
  depths.set(chain, 0);
  let below = 0;
  for (const { target } of chain.rules) if (target !== null) below = Math.max(below, depthOf(target, depths));
  depths.set(chain, below + 1);
  return below + 1;
}
