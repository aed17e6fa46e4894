/**
 * The static routes of a computer, and whether it is a router: as it is written down when the computer is built, and what
 * the network stack makes of it.
 */

import type { RouteConfig } from '../../kernel/net/connected-routes.ts';
import type { FilterRules } from '../../kernel/net/filter/rule.ts';
import type { InterfaceConfig } from '../../kernel/net/interface-address.ts';
import { maskOf } from '../../kernel/net/ipv4/address.ts';
import type { ForwardingPolicy } from '../../kernel/net/ipv4/forward.ts';
import type { NetConfig } from '../../kernel/net/stack.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import { parseRuleset } from '../nftables/parser.ts';
import { interfaceConfigOf, isNeighbour, type NicOptions, parsePrefix, usesDhcp } from './nic.ts';
import { type NatOptions, natConfigOf } from './translation.ts';

const MAX_METRIC = 0xffff_ffff;

export interface RouteOptions {
  /** `10.0.0.0/8`; everything is `0.0.0.0/0`. */
  readonly destination: string;
  /** The next hop, dotted: a neighbour on the network of one of the NICs, by which the route then leads. */
  readonly gateway: string;
  /** A whole number; 0 unless given. The lowest wins, and routes with equal ones share the traffic. */
  readonly metric?: number;
}

export interface RoutingOptions {
  /** In the order of their PCI slots: `eth0` is the first. */
  readonly nics: readonly NicOptions[];
  /** Whether the computer is a router, which forwards what is for others. It is a host unless told otherwise. */
  readonly forwarding?: boolean | ForwardingPolicy;
  /** Beside those that follow from the addresses and gateways of the NICs. */
  readonly routes?: readonly RouteOptions[];
  /** Makes the router translate addresses between an inside and the public network. */
  readonly nat?: NatOptions;
  /** What may come in, go through and go out: a ruleset in the language of nftables, or its rules. */
  readonly filter?: string | FilterRules;
}

/** What the options say to the network stack. Throws a RangeError, or a RulesetError, when that makes no sense. */
export function netConfigOf({ nics, forwarding = false, routes = [], nat, filter }: RoutingOptions): NetConfig {
  const interfaces = nics.map(interfaceConfigOf);
  if (nat !== undefined && forwarding === false) throw new RangeError('NAT on a computer that does not forward');
  return {
    interfaces,
    forwarding,
    routes: routes.map(route => routeConfigOf(route, interfaces, nics.some(usesDhcp))),
    ...(nat === undefined ? {} : { nat: natConfigOf(nat, nics.length) }),
    ...(filter === undefined ? {} : { filter: typeof filter === 'string' ? parseRuleset(filter) : filter }),
  };
}

/** Where a route leads, and its metric. Throws a RangeError when that makes no sense. */
export function destinationOf(route: Omit<RouteOptions, 'gateway'>): Required<Omit<RouteConfig, 'gateway'>> {
  const { destination, metric = 0 } = route;
  const { address, prefixLength } = parsePrefix(destination);
  if ((address & ~maskOf(prefixLength)) !== 0) throw new RangeError(`${destination} has bits set beyond its prefix`);
  if (!Number.isInteger(metric) || metric < 0 || metric > MAX_METRIC) {
    throw new RangeError(`metric ${metric} of the route to ${destination}`);
  }
  return { destination: address, prefixLength, metric };
}

/** Where an address is still to be learnt, a gateway may be on its network: such a route is used if it is. */
function routeConfigOf(route: RouteOptions, interfaces: readonly InterfaceConfig[], anyNetwork: boolean): RouteConfig {
  const { destination, gateway } = route;
  const to = destinationOf(route);
  const nextHop = parseIpv4(gateway);
  if (!anyNetwork && !interfaces.some(config => isNeighbour(config, nextHop))) {
    throw new RangeError(`gateway ${gateway} of the route to ${destination} is on no network of the NICs`);
  }
  return { ...to, gateway: nextHop };
}
