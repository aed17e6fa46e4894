/**
 * The network stack of one host: makes the layers, joins them, and is what the kernel, programs' sockets and inspectors
 * see of them. How a packet goes, in both directions, and through a router:
 *
 *     Socket -> Tcp / Udp / EchoSockets -> Ipv4Output (RouteTable) -> Interface -> ArpCache -> Ethernet -> Interface -> driver
 *     driver -> Interface -> Ethernet -> Ipv4Input -> Tcp / Udp / Icmp -> Socket
 *     ... Ipv4Input -> Ipv4Forward (RouteTable) -> Interface ...
 */
import { InvariantError } from '../../src/lib/assert.ts';
import type { KernelContext } from '../context.ts';
import type { NetDriverOps, NetInterface, PacketBuffer } from '../driver-api.ts';
import type { AddressState } from './address-claim.ts';
import { ArpCache, type ArpRow } from './arp.ts';
import { connectedRoutes, type RouteConfig } from './connected-routes.ts';
import { Drops } from './drop.ts';
import { EchoSockets } from './echo-sockets.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, Ethernet } from './ethernet.ts';
import { PacketFilter } from './filter/filter.ts';
import type { FilterRules } from './filter/rule.ts';
import { Icmp } from './icmp.ts';
import { IcmpErrors } from './icmp-error.ts';
import { DESTINATION_UNREACHABLE, HOST_UNREACHABLE, ICMP_PROTOCOL } from './icmp-message.ts';
import { Interface } from './interface.ts';
import { InterfaceAddress, type InterfaceConfig } from './interface-address.ts';
import { LOOPBACK_NETWORK, LOOPBACK_PREFIX_LENGTH } from './ipv4/address.ts';
import { type ForwardingPolicy, Ipv4Forward } from './ipv4/forward.ts';
import { Hooks } from './ipv4/hooks.ts';
import { Ipv4Input } from './ipv4/input.ts';
import type { Link } from './ipv4/link.ts';
import { Ipv4Output } from './ipv4/output.ts';
import { Redirects } from './ipv4/redirects.ts';
import { Loopback } from './loopback.ts';
import type { NatConfig } from './nat/config.ts';
import { Nat } from './nat/nat.ts';
import { OwnPorts } from './nat/own-ports.ts';
import { RouteTable } from './route.ts';
import { SocketError } from './socket-error.ts';
import { Sockets } from './sockets.ts';
import { StreamPorts } from './stream-ports.ts';
import { TCP_PROTOCOL } from './tcp/segment.ts';
import { Tcp } from './tcp/tcp.ts';
import { UDP_PROTOCOL, Udp } from './udp.ts';

export interface NetConfig {
  /** In the order in which drivers add interfaces. An interface beyond these stays without an address. */
  readonly interfaces: readonly InterfaceConfig[];
  readonly routes?: readonly RouteConfig[];
  /** Makes a router of this host: it forwards what is for others. */
  readonly forwarding?: boolean | ForwardingPolicy;
  /** Makes a router translate addresses. */
  readonly nat?: NatConfig;
  /** Rules by which packets are let through or not. */
  readonly filter?: FilterRules;
}

const NO_CONFIG: InterfaceConfig = { address: 0, prefixLength: 0 };

export class NetStack {
  readonly ethernet: Ethernet;
  readonly routes = new RouteTable();
  /** Empty; address translation and packet filter add theirs. */
  readonly hooks = new Hooks();
  readonly sockets: Sockets;
  readonly drops: Drops;
  readonly udp: Udp;
  readonly tcp: Tcp;
  readonly icmp: Icmp;
  readonly icmpErrors: IcmpErrors;
  readonly ipv4Input: Ipv4Input;
  /** Null on a host that does not forward. */
  readonly ipv4Forward: Ipv4Forward | null;
  readonly ipv4Output: Ipv4Output;
  /** Null on a router. */
  readonly redirects: Redirects | null;
  /** Null where no addresses are translated. */
  readonly nat: Nat | null;
  /** Null on a host without one. */
  readonly filter: PacketFilter | null;
  readonly #context: KernelContext;
  readonly #config: NetConfig;
  readonly #echo: EchoSockets;
  readonly #interfaces: Interface[] = [];
  readonly #arpCaches: ArpCache[] = [];
  readonly #addresses: InterfaceAddress[] = [];
  /** The loopback, then the interfaces. */
  readonly #links: Link[] = [];

  constructor(context: KernelContext, config: NetConfig) {
    this.#context = context;
    this.#config = config;
    this.drops = new Drops(context);
    this.ethernet = new Ethernet(context, this.drops);
    this.ipv4Output = new Ipv4Output(context, this.routes, this.#links, this.hooks, this.drops);
    this.icmpErrors = new IcmpErrors(context, this.ipv4Output);
    this.ipv4Forward = this.#forward(config.forwarding ?? false);
    this.ipv4Input = new Ipv4Input(
      context,
      this.#links,
      this.ipv4Output.groups,
      this.icmpErrors,
      this.hooks,
      this.ipv4Forward,
      this.drops,
    );
    this.#echo = new EchoSockets(context, this.ipv4Output);
    this.redirects = this.ipv4Forward === null ? new Redirects(context, this.routes, this.#links) : null;
    this.icmp = new Icmp(context, this.ipv4Input, this.ipv4Output, this.#echo, this.redirects, this.drops);
    this.udp = new Udp(context, this.ipv4Output, this.icmpErrors, this.drops);
    this.tcp = new Tcp(context, this.ipv4Output, this.drops);
    const isOwnAddress = (address: number): boolean => this.ipv4Output.isOwnAddress(address);
    const streamPorts = new StreamPorts(this.tcp, isOwnAddress, () => context.random());
    this.sockets = new Sockets(context, { udp: this.udp, icmp: this.#echo }, streamPorts);
    this.nat = config.nat === undefined ? null : this.#translation(config.nat);
    const { icmpErrors: errors, hooks, drops, tcp } = this;
    this.filter =
      config.filter === undefined ? null : new PacketFilter(context, config.filter, hooks, { errors, tcp }, drops);
    this.#register();
    this.#addLoopback();
  }

  /** The interfaces, in the order in which drivers added them. */
  get interfaces(): readonly Interface[] {
    return this.#interfaces;
  }

  /** All that IPv4 sends through: the loopback first. */
  get links(): readonly Link[] {
    return this.#links;
  }

  /** The ARP table of the interface with that index. */
  arpTable(index: number): readonly ArpRow[] {
    return this.#arpCaches[index]?.table() ?? [];
  }

  /** A driver found an interface: names it, and gives it the next configuration. */
  addInterface(mac: Uint8Array, ops: NetDriverOps): NetInterface {
    const index = this.#interfaces.length;
    const config = this.#config.interfaces[index] ?? NO_CONFIG;
    const iface = new Interface(this.#context, index, mac, ops, this.drops, this.ethernet);
    const unreachable = (packet: PacketBuffer): void => this.#unreachable(iface, packet);
    const arp = new ArpCache(this.#context, iface, this.ethernet, this.drops, unreachable);
    // The routes of a router change with its links (RFC 1812 section 5.2.4); those of a host are what it was given.
    iface.attach(arp, this.ipv4Forward === null ? null : this.routes);
    const statics = this.#config.routes ?? [];
    const address = new InterfaceAddress(this.#context, iface, arp, this.routes, this.#links[0]!, statics);
    this.#addresses.push(address);
    this.#interfaces.push(iface);
    this.#arpCaches.push(arp);
    this.#links.push(iface);
    address.configure(config);
    this.#attachToNat(iface, arp);
    return iface;
  }

  /**
   * Gives the interface with that index another configuration: the routes that followed from the old one go, those of the
   * new one are put in. Throws a RangeError when it makes no sense, and then has changed nothing.
   */
  configure(index: number, config: InterfaceConfig): void {
    const address = this.#addresses[index];
    if (address === undefined) throw new RangeError(`there is no interface ${index}`);
    this.redirects?.clear();
    address.configure(config);
    this.ipv4Output.pathMtus.linksChanged();
  }

  /** The configuration of the interface with that name. Throws ENODEV. */
  interfaceNamed(name: string): InterfaceAddress {
    const address = this.#addresses.find(each => each.name === name);
    if (address === undefined) throw new SocketError('ENODEV', `there is no interface ${name}`);
    return address;
  }

  /** How far the interface with that index is with claiming its address. */
  addressState(index: number): AddressState {
    return this.#addresses[index]?.state ?? 'none';
  }

  /**
   * IPv4 may send through `link` from now on; what comes in is for `ipv4Input`. `gateway` is the router that the default
   * route leads to, 0 for none, and `metric` what the route costs.
   */
  addLink(link: Link, gateway: number, metric: number): void {
    this.#links.push(link);
    if (link.address === 0) return;
    const routes = connectedRoutes(link, gateway, metric, this.#links[0]!, this.#config.routes ?? []);
    this.routes.edit(routes.map(route => ({ action: 'add', route })));
  }

  /** Starts every interface. One that cannot start is logged, and the others go on. */
  openAll(): void {
    for (const iface of this.#interfaces) {
      try {
        iface.open();
      } catch (error) {
        if (!(error instanceof Error) || error instanceof InvariantError) throw error;
        this.#context.log(`${iface.name}: ${error.message}`);
      }
    }
  }

  /** Counters of each layer by name, and dropped packets by reason. */
  statistics(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    const { ethernet, ipv4Input, ipv4Forward, ipv4Output, nat, filter, icmp, icmpErrors, udp, tcp, drops } = this;
    return {
      ...Object.fromEntries(this.#interfaces.map(iface => [iface.name, iface.statistics()])),
      ...Object.fromEntries(
        this.#arpCaches.map((arp, index) => {
          return [`${this.#interfaces[index]!.name} arp`, { ...arp.counters, ...this.#addresses[index]!.counters }];
        }),
      ),
      ethernet: ethernet.counters,
      'ipv4 in': ipv4Input.counters,
      ...(ipv4Forward === null ? {} : { 'ipv4 forward': ipv4Forward.counters }),
      'ipv4 out': ipv4Output.counters,
      ...(nat === null ? {} : { nat: nat.statistics() }),
      ...(filter === null ? {} : { filter: filter.counters, connections: filter.tracker.counters }),
      icmp: icmp.counters,
      'icmp errors': icmpErrors.counters,
      udp: udp.counters,
      tcp: { ...tcp.counters },
      drops: drops.counts,
    };
  }

  #forward(forwarding: boolean | ForwardingPolicy): Ipv4Forward | null {
    if (forwarding === false) return null;
    const policy = forwarding === true ? {} : forwarding;
    return new Ipv4Forward(this.#context, this.routes, this.icmpErrors, this.hooks, this.drops, policy);
  }

  #translation(config: NatConfig): Nat {
    const { udp, tcp, ipv4Input, ipv4Output } = this;
    const own = new OwnPorts(tcp, udp, this.#echo, ipv4Input, ipv4Output);
    const ownAddress = this.#config.interfaces[config.outside]?.address ?? 0;
    return new Nat(this.#context, config, ownAddress, own, this.hooks, this.icmpErrors, this.drops);
  }

  #attachToNat(iface: Interface, arp: ArpCache): void {
    const { nat } = this;
    if (nat === null) return;
    nat.attach(iface, iface.index);
    if (iface.index !== this.#config.nat!.outside) return;
    for (const address of nat.publicAddresses) if (address !== iface.address) arp.answerFor(address);
  }

  #register(): void {
    const input = this.ipv4Input;
    this.ethernet.register(ETHERTYPE_IPV4, 'IPv4', (iface, packet, group) => input.input(iface, packet, group));
    this.ethernet.register(ETHERTYPE_ARP, 'ARP', (iface, packet) => this.#arpCaches[iface.index]!.input(packet));
    this.ipv4Input.register(ICMP_PROTOCOL, this.icmp);
    this.ipv4Input.register(UDP_PROTOCOL, this.udp);
    this.ipv4Input.register(TCP_PROTOCOL, this.tcp);
  }

  #addLoopback(): void {
    const link: Loopback = new Loopback(this.#context, this.drops, packet => this.ipv4Input.input(link, packet, false));
    this.#links.push(link);
    this.routes.add({ destination: LOOPBACK_NETWORK, prefixLength: LOOPBACK_PREFIX_LENGTH, link });
  }

  /**
   * Nobody answered for the next hop of `packet`: its sender hears of it, by an ICMP error unless it is this host. With
   * hooks even an address of this host may stand for somebody else's; they know, and see the error go out.
   */
  #unreachable(iface: Interface, packet: PacketBuffer): void {
    const report = { type: DESTINATION_UNREACHABLE, code: HOST_UNREACHABLE, word: 0, reporter: iface.address };
    const translated = this.ipv4Forward !== null && this.hooks.active;
    if (!translated && this.ipv4Input.error(report, packet.bytes, packet.start, packet.length)) return;
    this.ipv4Forward?.unreachable(packet);
  }
}
