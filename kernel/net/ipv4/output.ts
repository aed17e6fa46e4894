/**
 * IPv4 on the way out: finds the route, writes the header, hands the packet to the route's link (RFC 791 section 3.2,
 * RFC 1122 section 3.3). Packets longer than the MTU of their link are refused by the layers above, for nothing here
 * fragments.
 */
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import type { Drops } from '../drop.ts';
import type { NextHop } from '../next-hop.ts';
import { IPV4_HEADER_BYTES, push } from '../packet.ts';
import type { RouteTable } from '../route.ts';
import { SocketError } from '../socket-error.ts';
import { isLoopback } from './address.ts';
import { DONT_FRAGMENT, emit, Ipv4Header, parseUnchecked } from './header.ts';
import type { Hooks } from './hooks.ts';
import { isOwnAddress, type Link } from './link.ts';

/** Time to live of what is sent, unless a program sets another (RFC 1700, "IP Time To Live"). */
export const DEFAULT_TTL = 64;

export class Ipv4Output {
  readonly counters = { sent: 0, noRoute: 0 };
  readonly #context: KernelContext;
  readonly #routes: RouteTable;
  readonly #links: readonly Link[];
  readonly #hooks: Hooks;
  readonly #drops: Drops;
  readonly #header = new Ipv4Header();
  #identification: number;

  /** `links` is the stack's list, which grows as interfaces appear. */
  constructor(context: KernelContext, routes: RouteTable, links: readonly Link[], hooks: Hooks, drops: Drops) {
    this.#context = context;
    this.#routes = routes;
    this.#links = links;
    this.#hooks = hooks;
    this.#drops = drops;
    this.#identification = context.random() & 0xffff;
  }

  /** The route to `destination`, or null, which is counted: the network is unreachable. */
  route(destination: number): NextHop | null {
    const route = this.#routes.find(destination);
    if (route === null) this.counters.noRoute += 1;
    return route;
  }

  /**
   * The route by which `socket` sends a packet of `lengthBytes`, IPv4 header and all, to `destination`. Throws
   * ENETUNREACH, EMSGSIZE, and EINVAL for what would bring a loopback address on a wire (RFC 1122 section 3.2.1.3).
   */
  routeFor(socket: { readonly localAddress: number }, destination: number, lengthBytes: number): NextHop {
    const route = this.route(destination);
    if (route === null) throw new SocketError('ENETUNREACH', `no route to ${formatIpv4(destination)}`);
    if (lengthBytes > route.link.mtu) throw new SocketError('EMSGSIZE', `${lengthBytes} bytes are more than the MTU`);
    if (isLoopback(socket.localAddress) && !route.link.loopback) {
      throw new SocketError('EINVAL', 'a loopback address cannot leave the host');
    }
    return route;
  }

  isOwnAddress(address: number): boolean {
    return isOwnAddress(this.#links, address);
  }

  /**
   * Sends `packet`, which starts at its payload, has headroom, and now belongs to the stack. `source` is `route.source`,
   * or another address of this host. `dontFragment`: a router that cannot pass it on as it is shall say so (RFC 1191).
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
    header.totalBytes = packet.length;
    header.identification = this.#identification;
    header.fragment = dontFragment ? DONT_FRAGMENT : 0;
    header.timeToLive = timeToLive;
    header.protocol = protocol;
    header.source = source;
    header.destination = destination;
    emit(packet.bytes, packet.start, header);
    this.#identification = (this.#identification + 1) & 0xffff;
    this.counters.sent += 1;
    const trace = this.#context.trace;
    if (trace !== null) {
      trace.route(destination, this.#routes.prefixOf(destination), route.gateway, link.name);
      trace.ipv4('out', source, destination, protocol, packet.length);
    }
    if (this.#hooks.active) this.#sendThroughHooks(packet, route);
    else link.send(packet, nextHopOf(route, destination));
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
    if (this.#hooks.run('postrouting', packet, null, route.link)) {
      route.link.send(packet, nextHopOf(route, header.destination));
    }
  }
}

const nextHopOf = (route: NextHop, destination: number): number => (route.gateway === 0 ? destination : route.gateway);
