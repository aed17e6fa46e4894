/**
 * What a packet filter is told: chains of rules, in the terms of nftables. Plain data, which `src/nftables` reads from
 * text and prints, and which a scenario may write down as it is. What becomes of it is in `filter.ts` and `chain.ts`.
 *
 * A rule applies to a packet when all its matches do. A match on a field that a packet does not have (the port of an
 * ICMP message) never applies, negated or not.
 */
import type { HookPoint } from '../ipv4/hooks.ts';

/** The fields of a packet, under the names that nftables has for them. All are unsigned numbers. */
export type FilterField =
  | 'ether saddr'
  | 'ether daddr'
  | 'ether type'
  | 'ip saddr'
  | 'ip daddr'
  | 'ip protocol'
  | 'ip dscp'
  | 'ip length'
  | 'ip id'
  | 'ip ttl'
  | 'icmp type'
  | 'icmp code'
  | 'icmp id'
  | 'icmp sequence'
  | 'tcp sport'
  | 'tcp dport'
  | 'tcp flags'
  | 'tcp window'
  | 'udp sport'
  | 'udp dport'
  | 'udp length'
  | 'th sport'
  | 'th dport'
  | 'ct state'
  | 'meta pkttype';

/** Both ends included. */
export interface FieldRange {
  readonly from: number;
  readonly to: number;
}

/** A match on the value of a field: it lies in one of the ranges, or, negated, in none. */
export interface FieldMatch {
  readonly kind: 'field';
  readonly field: FilterField;
  /** Bits of the field that count; all unless given. */
  readonly mask?: number;
  readonly ranges: readonly FieldRange[];
  readonly negated: boolean;
}

/** A match on where a packet came in, or leaves: one of the names, of which `*` at the end stands for anything. */
export interface InterfaceMatch {
  readonly kind: 'interface';
  readonly side: 'iifname' | 'oifname';
  readonly names: readonly string[];
  readonly negated: boolean;
}

/** Applies as long as packets come more slowly than that, or, `over`, only when they come faster. */
export interface LimitMatch {
  readonly kind: 'limit';
  readonly over: boolean;
  readonly packets: number;
  readonly perNs: number;
  /** Packets that may come at once. */
  readonly burst: number;
}

export type RuleMatch = FieldMatch | InterfaceMatch | LimitMatch;

/** How a packet is refused: a TCP reset, or ICMP destination unreachable with that code. */
export type Rejection = { readonly with: 'tcp reset' } | { readonly with: 'icmp'; readonly code: number };

export type RuleVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'reject'; readonly rejection: Rejection }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

export interface FilterRule {
  readonly matches: readonly RuleMatch[];
  /** What is put in front of the line that is logged; absent: nothing is logged. */
  readonly log?: string;
  /** Absent: the rule counts or logs, and the next one is looked at. */
  readonly verdict?: RuleVerdict;
  readonly comment?: string;
}

/** A chain that packets come to by themselves. */
export interface BaseChain {
  readonly hook: HookPoint;
  /** Chains with lower priority come first. */
  readonly priority: number;
  /** What becomes of packets on which no rule decided. */
  readonly policy: 'accept' | 'drop';
}

export interface FilterChain {
  readonly name: string;
  /** Absent: packets come here by `jump` and `goto` only. */
  readonly base?: BaseChain;
  readonly rules: readonly FilterRule[];
}

export interface FilterRules {
  readonly chains: readonly FilterChain[];
}

/** States of a connection as the filter sees them, as bits: `ct state`. */
export const CONNECTION_STATE = { invalid: 1, established: 2, related: 4, new: 8 } as const;

/** Values of `meta pkttype`. */
export const PACKET_TYPE = { host: 0, broadcast: 1, multicast: 2 } as const;
