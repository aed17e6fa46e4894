/**
 * IPv4 on the way through: what a router does with a packet for others, in the order of RFC 1812 section 5.2.1.2. The
 * packet buffer that came in is the one that goes out; no byte of it is copied, unless the next link takes it only in
 * fragments.
 *
 * All that is asked of a port is in {@link Link}: this works the same whatever is behind it.
 */
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import type { DropReason, Drops } from '../drop.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  HOST_UNREACHABLE,
  NET_UNREACHABLE,
  REDIRECT,
  REDIRECT_HOST,
  TIME_EXCEEDED,
  TTL_EXCEEDED,
} from '../icmp-message.ts';
import { flowOf, type NextHop } from '../next-hop.ts';
import { IPV4_HEADER_BYTES, pull, push } from '../packet.ts';
import type { RouteTable } from '../route.ts';
import { isClassDOrE, isLoopback, isThisNetwork, maskOf } from './address.ts';
import { fragment } from './fragment.ts';
import { DONT_FRAGMENT, decrementTimeToLive, parseUnchecked } from './header.ts';
import type { Hooks } from './hooks.ts';
import { Ipv4Arrival } from './input.ts';
import type { Link } from './link.ts';
import { hasSourceRoute } from './options.ts';

/** What an administrator decides. Both are off unless said otherwise. */
export interface ForwardingPolicy {
  /**
   * Passes on packets to the broadcast address of one of this router's networks (RFC 2644), and takes them itself (RFC
   * 1812 section 5.2.3).
   */
  readonly directedBroadcast?: boolean;
  /** Drops packets that come in by another link than the one that leads to their source (RFC 1812 section 5.3.8). */
  readonly sourceValidation?: boolean;
}

export class Ipv4Forward {
  readonly counters = { forwarded: 0 };
  readonly #context: KernelContext;
  readonly #routes: RouteTable;
  readonly #errors: IcmpErrors;
  readonly #hooks: Hooks;
  readonly #drops: Drops;
  readonly #policy: ForwardingPolicy;
  /** The header of a packet that a next hop did not take. */
  readonly #undelivered = new Ipv4Arrival();

  constructor(
    context: KernelContext,
    routes: RouteTable,
    errors: IcmpErrors,
    hooks: Hooks,
    drops: Drops,
    policy: ForwardingPolicy,
  ) {
    this.#context = context;
    this.#routes = routes;
    this.#errors = errors;
    this.#hooks = hooks;
    this.#drops = drops;
    this.#policy = policy;
  }

  /** Whether packets to the broadcast address of one of this router's networks are passed on. */
  get passesBroadcasts(): boolean {
    return this.#policy.directedBroadcast === true;
  }

  /**
   * Takes over `packet`, which came in by `from` and starts at its IPv4 header: the one in `arrival`. It passed the
   * checks of its header and source, is for no address of this host, is no multicast, and did not come in a broadcast of
   * the link.
   */
  forward(from: Link, packet: PacketBuffer, arrival: Ipv4Arrival): void {
    const fault = addressFault(arrival);
    if (fault !== null) {
      this.#drops.drop(packet, 'ipv4', fault);
      return;
    }
    const route = this.#routes.find(arrival.destination, flowOf(arrival.source, arrival.destination));
    if (route === null) {
      this.#refuse(packet, arrival, DESTINATION_UNREACHABLE, NET_UNREACHABLE, 0, 'no route');
      return;
    }
    const { link } = route;
    arrival.group = route.gateway === 0 && arrival.destination === link.broadcast;
    const barred = this.#policyFault(from, arrival);
    if (barred !== null) {
      this.#drops.drop(packet, 'ipv4', barred);
      return;
    }
    if (this.#hooks.active && !this.#hooks.run('forward', packet, from, link)) return;
    if (arrival.timeToLive <= 1) {
      this.#refuse(packet, arrival, TIME_EXCEEDED, TTL_EXCEEDED, 0, 'time to live exceeded');
      return;
    }
    if (arrival.totalBytes > link.mtu && (arrival.fragment & DONT_FRAGMENT) !== 0) {
      this.#refuse(packet, arrival, DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED, link.mtu, 'fragmentation needed');
      return;
    }
    const nextHop = route.gateway === 0 ? arrival.destination : route.gateway;
    if (link === from) this.#redirect(packet, arrival, link, nextHop);
    this.#pass(from, packet, arrival, route, nextHop);
  }

  /**
   * Nobody answered for the next hop of `packet`, which starts at its IPv4 header and stays the caller's: tells its
   * sender (RFC 1812 section 5.2.7.1).
   */
  unreachable(packet: PacketBuffer): void {
    const header = this.#undelivered;
    if (!parseUnchecked(packet.bytes, packet.start, packet.length, header)) return;
    pull(packet, header.headerBytes);
    this.#errors.send(DESTINATION_UNREACHABLE, HOST_UNREACHABLE, 0, packet, header);
    push(packet, header.headerBytes);
  }

  #policyFault(from: Link, arrival: Ipv4Arrival): DropReason | null {
    const { sourceValidation = false } = this.#policy;
    if (arrival.group && !this.passesBroadcasts) return 'directed broadcast';
    if (sourceValidation && this.#routes.find(arrival.source)?.link !== from) return 'source validation';
    return null;
  }

  /** The last steps: nothing stands in the way any more. */
  #pass(from: Link, packet: PacketBuffer, arrival: Ipv4Arrival, route: NextHop, nextHop: number): void {
    const { link } = route;
    const trace = this.#context.trace;
    if (trace !== null) {
      const { destination } = arrival;
      const prefix = this.#routes.prefixOf(destination);
      trace.forward(destination, prefix, route.gateway, link.name, arrival.timeToLive - 1);
    }
    decrementTimeToLive(packet.bytes, packet.start);
    if (this.#hooks.active && !this.#hooks.run('postrouting', packet, from, link)) return;
    this.counters.forwarded += 1;
    if (arrival.totalBytes <= link.mtu) {
      link.send(packet, nextHop);
    } else if (!fragment(this.#context.packets, packet, link.mtu, link, nextHop)) {
      this.#drops.count('ipv4', 'no packet buffer is free');
    }
  }

  /**
   * The packet leaves by the link that it came in by: its sender could have given it to the next hop itself, if that is
   * a neighbour, and is told so (RFC 1812 section 5.2.7.2). One that chose its route itself is not.
   */
  #redirect(packet: PacketBuffer, arrival: Ipv4Arrival, link: Link, nextHop: number): void {
    if (((arrival.source ^ nextHop) & maskOf(link.prefixLength)) !== 0 || arrival.group) return;
    const { headerBytes } = arrival;
    if (headerBytes > IPV4_HEADER_BYTES && hasSourceRoute(packet.bytes, packet.start, headerBytes)) return;
    pull(packet, headerBytes);
    this.#errors.send(REDIRECT, REDIRECT_HOST, nextHop, packet, arrival);
    push(packet, headerBytes);
  }

  /** Ends `packet` and tells its sender why. */
  #refuse(
    packet: PacketBuffer,
    arrival: Ipv4Arrival,
    type: number,
    code: number,
    word: number,
    reason: DropReason,
  ): void {
    pull(packet, arrival.headerBytes);
    this.#errors.send(type, code, word, packet, arrival);
    this.#drops.drop(packet, 'ipv4', reason);
  }
}

/** What is not to be forwarded whatever the routes say: RFC 1812 section 5.3.7. */
function addressFault({ source, destination }: Ipv4Arrival): DropReason | null {
  if (isThisNetwork(source)) return 'martian source';
  if (isThisNetwork(destination) || isLoopback(destination) || isClassDOrE(destination)) return 'martian destination';
  return null;
}
