/**
 * IPv4 on the way out: finds the route, writes the header, hands the packet to the route's link (RFC 791 section 3.2,
 * RFC 1122 section 3.3), in fragments if it is longer than the link or the path takes.
 */
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import { chainBytes } from '../chain.ts';
import type { Drops } from '../drop.ts';
import type { NextHop } from '../next-hop.ts';
import { IPV4_HEADER_BYTES, MAX_IPV4_BYTES, push } from '../packet.ts';
import type { RouteTable } from '../route.ts';
import { SocketError } from '../socket-error.ts';
import { isLoopback, isMulticast, LIMITED_BROADCAST } from './address.ts';
import { fragment } from './fragment.ts';
import { Ipv4Groups } from './groups.ts';
import { DONT_FRAGMENT, emit, Ipv4Header, parseUnchecked } from './header.ts';
import type { Hooks } from './hooks.ts';
import { Identifications } from './identification.ts';
import { isOwnAddress, type Link } from './link.ts';
import { PathMtus } from './path-mtu.ts';

/** Time to live of what is sent, unless a program sets another (RFC 1700, "IP Time To Live"). */
export const DEFAULT_TTL = 64;

/**
 * Whether packets have DF set: never, as long as they are no longer than the path is known to take, or always; then
 * what is longer is refused (RFC 1191).
 */
export type MtuDiscover = 'IP_PMTUDISC_DONT' | 'IP_PMTUDISC_WANT' | 'IP_PMTUDISC_DO';

/** What a socket says about how its packets leave. What is left out makes no difference. */
export interface Sender {
  /** Where packets come from; 0: from the address of the link by which they leave. */
  readonly localAddress: number;
  /** The only link by which they leave, if there is one. */
  readonly device?: Link | null;
  /** The link by which multicasts leave, unless it is the usual one. */
  readonly multicastLink?: Link | null;
  /** False: it may not send broadcasts. */
  readonly broadcast?: boolean;
  readonly mtuDiscover?: MtuDiscover;
}

export class Ipv4Output {
  readonly counters = { sent: 0, fragmented: 0, noRoute: 0 };
  readonly pathMtus: PathMtus;
  readonly groups: Ipv4Groups;
  readonly #context: KernelContext;
  readonly #routes: RouteTable;
  readonly #links: readonly Link[];
  readonly #hooks: Hooks;
  readonly #drops: Drops;
  readonly #header = new Ipv4Header();
  readonly #identifications: Identifications;

  /** `links` is the stack's list, which grows as interfaces appear. */
  constructor(context: KernelContext, routes: RouteTable, links: readonly Link[], hooks: Hooks, drops: Drops) {
    this.#context = context;
    this.#routes = routes;
    this.#links = links;
    this.#hooks = hooks;
    this.#drops = drops;
    this.#identifications = new Identifications(context.random());
    this.pathMtus = new PathMtus(context);
    this.groups = new Ipv4Groups(links);
  }

  /** The route to `destination`, or null, which is counted: the network is unreachable. */
  route(destination: number): NextHop | null {
    const route = this.#routes.find(destination);
    if (route === null) this.counters.noRoute += 1;
    return route;
  }

  /**
   * The next hop by which `sender` sends a packet of `lengthBytes`, IPv4 header and all, to `destination`. Throws
   * ENETUNREACH, EADDRNOTAVAIL when its address is this host's no more, EACCES for a broadcast that it did not ask to
   * send, EMSGSIZE, and EINVAL for what would bring a loopback address on a wire (RFC 1122 section 3.2.1.3).
   */
  routeFor(sender: Sender, destination: number, lengthBytes: number): NextHop {
    const route = this.#routeOf(sender, destination);
    if (route === null) throw new SocketError('ENETUNREACH', `no route to ${formatIpv4(destination)}`);
    const { link } = route;
    const { localAddress } = sender;
    if (localAddress !== 0 && !this.isOwnAddress(localAddress)) {
      throw new SocketError('EADDRNOTAVAIL', `${formatIpv4(localAddress)} is no address of this host any more`);
    }
    const broadcast = destination === LIMITED_BROADCAST || (destination === link.broadcast && !link.loopback);
    if (broadcast && sender.broadcast === false) {
      throw new SocketError('EACCES', `${formatIpv4(destination)} is a broadcast address, and SO_BROADCAST is not set`);
    }
    const mtu = sender.mtuDiscover === 'IP_PMTUDISC_DO' ? this.pathMtus.mtu(destination, link.mtu) : MAX_IPV4_BYTES;
    if (lengthBytes > mtu) throw new SocketError('EMSGSIZE', `${lengthBytes} bytes, where ${mtu} are the most`);
    if (isLoopback(localAddress) && !link.loopback) {
      throw new SocketError('EINVAL', 'a loopback address cannot leave the host');
    }
    return route;
  }

  /** Whether a packet of `lengthBytes` that `sender` sends by `link` has DF set. */
  dontFragment(sender: Sender, destination: number, link: Link, lengthBytes: number): boolean {
    const { mtuDiscover = 'IP_PMTUDISC_DONT' } = sender;
    if (mtuDiscover === 'IP_PMTUDISC_DONT') return false;
    return lengthBytes <= this.pathMtus.mtu(destination, link.mtu);
  }

  isOwnAddress(address: number): boolean {
    return isOwnAddress(this.#links, address);
  }

  /** The MTU of the link by which packets leave for `destination`; 0 without a route. */
  linkMtu(destination: number): number {
    return this.route(destination)?.link.mtu ?? 0;
  }

  /** The longest packet in octets that gets to `destination` whole, as far as this host knows; 0 without a route. */
  pathMtu(destination: number): number {
    return this.pathMtus.mtu(destination, this.linkMtu(destination));
  }

  /** As {@link PathMtus.learn}, on an error about a packet of `sentBytes` octets that this host did send, with DF. */
  learnPathMtu(destination: number, nextHopMtu: number, sentBytes: number): void {
    this.pathMtus.learn(destination, nextHopMtu, sentBytes, this.linkMtu(destination));
  }

  /**
   * Sends `packet`, which starts at its payload, has headroom, and now belongs to the stack; it may be a chain of buffers
   * (`../chain.ts`). `source` is `route.source`, or another address of this host. `dontFragment`: a router that cannot
   * pass it on as it is shall say so (RFC 1191).
   */
  send(
    packet: PacketBuffer,
    route: NextHop,
    source: number,
    destination: number,
    protocol: number,
    timeToLive: number,
    typeOfService: number,
    dontFragment = false,
  ): void {
    const { link } = route;
    if (isLoopback(source) && !link.loopback) {
      this.#drops.drop(packet, 'ipv4', 'martian source');
      return;
    }
    push(packet, IPV4_HEADER_BYTES);
    const header = this.#header;
    header.typeOfService = typeOfService;
    header.totalBytes = packet.next === null ? packet.length : chainBytes(packet);
    header.identification = dontFragment ? 0 : this.#identifications.next(source, destination, protocol);
    header.fragment = dontFragment ? DONT_FRAGMENT : 0;
    header.timeToLive = timeToLive;
    header.protocol = protocol;
    header.source = source;
    header.destination = destination;
    emit(packet.bytes, packet.start, header);
    this.counters.sent += 1;
    const trace = this.#context.trace;
    if (trace !== null) {
      trace.route(destination, this.#prefixOf(route, destination), route.gateway, link.name);
      trace.ipv4('out', source, destination, protocol, header.totalBytes);
    }
    if (this.#hooks.active) this.#sendThroughHooks(packet, route);
    else this.#leave(packet, route);
  }

  /**
   * A group is reached on its link alone. A socket that is bound to an interface takes it even where no route leads: all
   * that is there counts as a neighbour. So a host without an address can broadcast.
   */
  #routeOf(sender: Sender, destination: number): NextHop | null {
    const { device = null, multicastLink = null } = sender;
    if (isMulticast(destination)) {
      const link = multicastLink ?? device ?? this.groups.usualLink;
      return link === null ? null : { gateway: 0, link, source: link.address };
    }
    if (device === null) return this.route(destination);
    const route = this.#routes.find(destination);
    if (route !== null && (route.link === device || route.link.loopback)) return route;
    return { gateway: 0, link: device, source: device.address };
  }

  /** For observers: the prefix in the routing table that has led to `route`, if that is where it comes from. */
  #prefixOf({ gateway, link }: NextHop, destination: number): string {
    const found = this.#routes.find(destination);
    return found?.gateway === gateway && found.link === link ? this.#routes.prefixOf(destination) : '';
  }

  /** The last steps with hooks, which may change where `packet` goes: then the route is looked up again. */
  #sendThroughHooks(packet: PacketBuffer, planned: NextHop): void {
    const header = this.#header;
    const { destination } = header;
    if (!this.#hooks.run('output', packet, null, planned.link)) return;
    parseUnchecked(packet.bytes, packet.start, packet.length, header);
    const route = header.destination === destination ? planned : this.route(header.destination);
    if (route === null) {
      this.#drops.drop(packet, 'ipv4', 'no route');
      return;
    }
    if (this.#hooks.run('postrouting', packet, null, route.link)) this.#leave(packet, route);
  }

  /** The last step: `packet` has the header that was written, or read, last. */
  #leave(packet: PacketBuffer, route: NextHop): void {
    const { link } = route;
    const { destination, totalBytes, fragment: word } = this.#header;
    const nextHop = route.gateway === 0 ? destination : route.gateway;
    const dontFragment = (word & DONT_FRAGMENT) !== 0;
    const mtu = dontFragment ? link.mtu : this.pathMtus.mtu(destination, link.mtu);
    if (totalBytes <= mtu || packet.segmentBytes !== 0) {
      link.send(packet, nextHop);
    } else if (dontFragment) {
      this.#drops.drop(packet, 'ipv4', 'fragmentation needed');
    } else {
      this.counters.fragmented += 1;
      const { packets } = this.#context;
      if (!fragment(packets, packet, mtu, link, nextHop)) this.#drops.count('ipv4', 'no packet buffer is free');
    }
  }
}
