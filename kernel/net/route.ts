/**
 * The routing table: a list, longest prefix first, then lowest metric, then age. The first entry that matches is the
 * route. Addresses of this host are in it as routes to the loopback, so that "send to myself" is no special case.
 */
import { formatIpv4 } from '../../src/lib/bytes.ts';
import { isMulticast, maskOf } from './ipv4/address.ts';
import type { Link } from './ipv4/link.ts';

/** Routes of one host. */
const MAX_ROUTES = 4096;

export interface Route {
  readonly destination: number;
  readonly prefixLength: number;
  /** The next hop, or 0 when the destination itself is on the link. */
  readonly gateway: number;
  readonly link: Link;
  /** The source address of what this host sends by this route. */
  readonly source: number;
  readonly metric: number;
}

/** What can be left out of a route: no gateway, the address of the link, metric 0. */
export type NewRoute = Pick<Route, 'destination' | 'prefixLength' | 'link'> & Partial<Route>;

/** A route with its mask and its network as int32, in which they are compared. */
interface Entry extends Route {
  readonly mask: number;
  readonly network: number;
}

export class RouteTable {
  readonly #entries: Entry[] = [];

  /** Adds a route. Bits of `destination` beyond the prefix are dropped. */
  add(route: NewRoute): void {
    if (this.#entries.length === MAX_ROUTES) throw new RangeError(`no more than ${MAX_ROUTES} routes`);
    const { gateway = 0, source = route.link.address, metric = 0, prefixLength, link } = route;
    const mask = maskOf(prefixLength) | 0;
    const network = route.destination & mask;
    const entry: Entry = { destination: network >>> 0, prefixLength, gateway, link, source, metric, mask, network };
    const place = this.#entries.findIndex(other => goesBefore(entry, other));
    this.#entries.splice(place < 0 ? this.#entries.length : place, 0, entry);
  }

  /** Takes a route out, if there is exactly that one. */
  remove(route: NewRoute): void {
    const { gateway = 0, source = route.link.address, metric = 0, prefixLength, link } = route;
    const network = route.destination & maskOf(prefixLength);
    const place = this.#entries.findIndex(entry => {
      if (entry.network !== network || entry.prefixLength !== prefixLength || entry.metric !== metric) return false;
      return entry.link === link && entry.gateway === gateway && entry.source === source;
    });
    if (place >= 0) this.#entries.splice(place, 1);
  }

  /** The route to `destination`, or null: the network is unreachable. Multicast has none, for nobody could join. */
  find(destination: number): Route | null {
    if (isMulticast(destination)) return null;
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if ((destination & entry.mask) === entry.network) return entry;
    }
    return null;
  }

  list(): readonly Route[] {
    return this.#entries;
  }
}

/** A route as a person writes it: `192.0.2.0/24 dev eth0`, `0.0.0.0/0 via 192.0.2.1 dev eth0`. */
export function formatRoute(route: Route): string {
  const via = route.gateway === 0 ? '' : ` via ${formatIpv4(route.gateway)}`;
  return `${formatIpv4(route.destination)}/${route.prefixLength}${via} dev ${route.link.name}`;
}

function goesBefore(a: Route, b: Route): boolean {
  return a.prefixLength !== b.prefixLength ? a.prefixLength > b.prefixLength : a.metric < b.metric;
}
