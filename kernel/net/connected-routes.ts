/**
 * The routes that follow from the address of a link: the host itself, the network there, limited broadcast, the default
 * gateway, and the static routes by way of this network.
 */
import { LIMITED_BROADCAST, maskOf } from './ipv4/address.ts';
import type { Link } from './ipv4/link.ts';
import type { NewRoute } from './route.ts';

/** A static route. Its interface is the one on whose network the gateway is. */
export interface RouteConfig {
  readonly destination: number;
  readonly prefixLength: number;
  readonly gateway: number;
  readonly metric?: number;
}

/** Prefix length of a route to one host. */
const HOST_ROUTE = 32;

/**
 * `link` has its address. `gateway` is 0 for none, `metric` what broadcasts and the default route cost, and `statics` are
 * the static routes of the host.
 */
export function connectedRoutes(
  link: Link,
  gateway: number,
  metric: number,
  loopback: Link,
  statics: readonly RouteConfig[],
): NewRoute[] {
  const { address, prefixLength } = link;
  const source = address;
  const routes: NewRoute[] = [
    { destination: address, prefixLength: HOST_ROUTE, link: loopback, source },
    { destination: address, prefixLength, link, source },
    { destination: LIMITED_BROADCAST, prefixLength: HOST_ROUTE, link, source, metric },
  ];
  if (gateway !== 0) routes.push({ destination: 0, prefixLength: 0, gateway, link, source, metric });
  const mask = maskOf(prefixLength);
  for (const route of statics) {
    if (((route.gateway ^ address) & mask) === 0) routes.push({ ...route, link, source });
  }
  return routes;
}
