/**
 * The IPv4 configuration of one interface, which may change while the host runs: the address, how it is claimed, and the
 * routes that follow from it. What was bound to an address that is gone stays bound to it, and can send no more.
 */
import type { KernelContext } from '../context.ts';
import { WaitChannel } from '../task.ts';
import { AddressClaim, type AddressState, type ClaimHost } from './address-claim.ts';
import type { ArpCache } from './arp.ts';
import { connectedRoutes, type RouteConfig } from './connected-routes.ts';
import type { Interface } from './interface.ts';
import { isClassDOrE, isLoopback, isThisNetwork, maskOf } from './ipv4/address.ts';
import type { Link } from './ipv4/link.ts';
import type { NewRoute, RouteTable } from './route.ts';

/** The IPv4 configuration of one interface. Addresses are unsigned 32-bit numbers. */
export interface InterfaceConfig {
  /** 0: none. */
  readonly address: number;
  readonly prefixLength: number;
  /** The router that the default route leads to. */
  readonly gateway?: number;
  /** Longest packet in octets that is sent here, 68 to 1500; 1500 unless given. */
  readonly mtu?: number;
  /** Whether to claim the address by gratuitous ARP whenever the link comes up (RFC 5227 section 2.3). */
  readonly announce?: boolean;
  /** Whether to use the address only when nobody else is found to have it, and to defend it (RFC 5227). */
  readonly detectConflicts?: boolean;
}

/** What a program may know of an interface. */
export interface InterfaceStatus {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly linkUp: boolean;
  /** 0 while there is none, or it is not certain yet that nobody else has it. */
  readonly address: number;
  readonly prefixLength: number;
  /** How far the interface is with claiming the address that it was given. */
  readonly claim: AddressState;
}

export class InterfaceAddress implements ClaimHost {
  /** Woken when the link, or the state of the address, is another one. */
  readonly changes: WaitChannel;
  readonly #iface: Interface;
  readonly #arp: ArpCache;
  readonly #routes: RouteTable;
  readonly #loopback: Link;
  readonly #static: readonly RouteConfig[];
  readonly #claim: AddressClaim;
  #config: InterfaceConfig = { address: 0, prefixLength: 0 };
  /** Those in the table that follow from the configuration. */
  #own: readonly NewRoute[] = [];

  /** `statics` are the static routes of the host; those by way of a network that this interface has are put in here. */
  constructor(
    context: KernelContext,
    iface: Interface,
    arp: ArpCache,
    routes: RouteTable,
    loopback: Link,
    statics: readonly RouteConfig[],
  ) {
    this.#iface = iface;
    this.changes = new WaitChannel(`${iface.name} changes`);
    this.#arp = arp;
    this.#routes = routes;
    this.#loopback = loopback;
    this.#static = statics;
    this.#claim = new AddressClaim(context, this);
    arp.attach(this.#claim);
  }

  get index(): number {
    return this.#iface.index;
  }

  get name(): string {
    return this.#iface.name;
  }

  status(): InterfaceStatus {
    const { name, mac, link, address, prefixLength } = this.#iface;
    return { name, mac, linkUp: link.up, address, prefixLength, claim: this.#claim.state };
  }

  get state(): AddressState {
    return this.#claim.state;
  }

  /** The claim's counters. */
  get counters(): Readonly<Record<string, number>> {
    return this.#claim.counters;
  }

  /**
   * Takes `config` in the place of what there was. What it leaves out of MTU and policies stays as it is. Throws a
   * RangeError when it makes no sense, and then has changed nothing.
   */
  configure(config: InterfaceConfig): void {
    check(config);
    if (config.mtu !== undefined) this.#iface.setMtu(config.mtu);
    const { announce = this.#config.announce ?? false } = config;
    const { detectConflicts = this.#config.detectConflicts ?? false } = config;
    // The old address is withdrawn with the old routes, before the new one is there.
    this.#claim.claim(0, { announce, detectConflicts });
    this.#config = { ...config, announce, detectConflicts };
    this.#claim.claim(config.address, { announce, detectConflicts });
  }

  // For the claim.

  ask(address: number, probe: boolean): void {
    this.#arp.ask(address, probe);
  }

  assign(): void {
    const { address, prefixLength, gateway = 0 } = this.#config;
    this.#iface.setAddress(address, prefixLength);
    this.#own = connectedRoutes(this.#iface, gateway, this.#iface.index, this.#loopback, this.#static);
    this.#routes.edit(this.#own.map(route => ({ action: 'add', route })));
  }

  withdraw(): void {
    this.#routes.edit(this.#own.map(route => ({ action: 'remove', route })));
    this.#own = [];
    this.#iface.setAddress(0, 0);
  }

  changed(): void {
    this.changes.wakeAll();
  }
}

function check({ address, prefixLength, gateway }: InterfaceConfig): void {
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) {
    throw new RangeError(`no prefix has ${prefixLength} bits`);
  }
  if (address === 0) {
    if (gateway !== undefined) throw new RangeError('a gateway, but no address');
  } else if (isThisNetwork(address) || isLoopback(address) || isClassDOrE(address)) {
    throw new RangeError('no interface can have that address');
  } else if (gateway !== undefined && ((gateway ^ address) & maskOf(prefixLength)) !== 0) {
    throw new RangeError('the gateway is not on the network of the interface');
  }
}
