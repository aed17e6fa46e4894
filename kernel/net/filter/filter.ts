/**
 * The packet filter of one host: chains of rules at the five points of IPv4 (`ipv4/hooks.ts`), after the model of
 * nftables. What a rule says is in `rule.ts`, how chains are walked in `chain.ts`, which flows there are in
 * `tracker.ts`.
 */
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import type { Drops } from '../drop.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import { DESTINATION_UNREACHABLE } from '../icmp-message.ts';
import { parseUnchecked } from '../ipv4/header.ts';
import type { Hooks } from '../ipv4/hooks.ts';
import { Ipv4Arrival } from '../ipv4/input.ts';
import type { Link } from '../ipv4/link.ts';
import { pull, push } from '../packet.ts';
import { TCP_PROTOCOL } from '../tcp/segment.ts';
import type { Tcp } from '../tcp/tcp.ts';
import { TokenBucket } from '../token-bucket.ts';
import { type Chain, type ChainVerdict, joinedChains, type Walk } from './chain.ts';
import { PacketView } from './packet-view.ts';
import { type BaseChain, type FilterRules, PACKET_TYPE, type Rejection } from './rule.ts';
import { Tracker } from './tracker.ts';

/** Lines that rules write to the console in a burst, and the time between two after that. */
const LOG_BURST = 100;
const LOG_INTERVAL_NS = 100_000_000;

/** How refused packets are answered. */
interface Refusals {
  readonly errors: IcmpErrors;
  readonly tcp: Tcp;
}

export class PacketFilter implements Walk {
  readonly counters = { accepted: 0, dropped: 0, rejected: 0 };
  readonly chains: ReadonlyMap<string, Chain>;
  readonly tracker: Tracker;
  rejection: Rejection | null = null;
  readonly #context: KernelContext;
  readonly #refusals: Refusals;
  readonly #drops: Drops;
  readonly #view = new PacketView();
  readonly #arrival = new Ipv4Arrival();
  readonly #logged = new TokenBucket(LOG_BURST, LOG_INTERVAL_NS);

  /** Throws a RangeError for chains that do not fit together. */
  constructor(context: KernelContext, rules: FilterRules, hooks: Hooks, refusals: Refusals, drops: Drops) {
    this.#context = context;
    this.#refusals = refusals;
    this.#drops = drops;
    this.chains = joinedChains(rules.chains);
    this.tracker = new Tracker(context, hooks);
    for (const chain of this.chains.values()) {
      const { base } = chain.config;
      if (base === undefined) continue;
      hooks.add(base.hook, base.priority, (packet, from, to) => this.#judge(chain, base, packet, from, to));
    }
  }

  get nowNs(): number {
    return this.#context.nowNs();
  }

  /** A rule that logs has applied to what `view` looks at: a line on the console, unless there are too many. */
  log(view: PacketView, prefix: string): void {
    if (!this.#logged.take(this.nowNs)) return;
    const { source, destination, protocol, totalBytes } = view.header;
    const ports = view.ports();
    const ends = ports === null ? '' : ` SPT=${ports[0]} DPT=${ports[1]}`;
    this.#context.log(
      `${prefix}IN=${view.from?.name ?? ''} OUT=${view.to?.name ?? ''} SRC=${formatIpv4(source)} ` +
        `DST=${formatIpv4(destination)} LEN=${totalBytes} PROTO=${protocol}${ends}`,
    );
  }

  /** False when `packet` has been dropped. */
  #judge(chain: Chain, base: BaseChain, packet: PacketBuffer, from: Link | null, to: Link | null): boolean {
    const view = this.#view;
    view.look(packet, from, to);
    view.connectionState = this.tracker.stateOf(packet);
    let verdict = chain.walk(view, this);
    if (verdict === null) {
      verdict = base.policy;
      chain.policyPackets += 1;
      chain.policyBytes += view.header.totalBytes;
    }
    const trace = this.#context.trace;
    if (trace !== null) trace.filter(chain.config.name, verdict);
    if (verdict === 'accept') {
      this.counters.accepted += 1;
      return true;
    }
    this.#end(verdict, packet, from);
    return false;
  }

  #end(verdict: ChainVerdict, packet: PacketBuffer, from: Link | null): void {
    if (verdict === 'reject') {
      this.counters.rejected += 1;
      this.#refuse(packet, from);
    } else {
      this.counters.dropped += 1;
    }
    this.#drops.drop(packet, 'filter', 'filtered');
  }

  /** Tells the sender of `packet`, as the rule wants it. A reset answers TCP only; about the rest nothing is said. */
  #refuse(packet: PacketBuffer, from: Link | null): void {
    const { rejection } = this;
    const arrival = this.#arrival;
    parseUnchecked(packet.bytes, packet.start, packet.length, arrival);
    arrival.link = from;
    arrival.group = this.#view.packetType !== PACKET_TYPE.host;
    // A rule may refuse the answer too: then all that is this object's is another packet's afterwards.
    const { headerBytes } = arrival;
    pull(packet, headerBytes);
    if (rejection!.with === 'icmp') {
      this.#refusals.errors.send(DESTINATION_UNREACHABLE, rejection!.code, 0, packet, arrival);
    } else if (arrival.protocol === TCP_PROTOCOL) {
      this.#refusals.tcp.refuse(packet, arrival);
    }
    push(packet, headerBytes);
  }
}
