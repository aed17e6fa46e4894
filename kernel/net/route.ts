/**
 * The routing table. What people edit is the list of routes ({@link Rib}); what packets are looked up in is the
 * forwarding table that follows from it ({@link Fib}): for each prefix the next hop of the usable route with the lowest
 * metric, or, where several are equally good, the first of these. Addresses of this host are in it as routes to the
 * loopback, so that "send to myself" is no special case.
 *
 * Who may edit: all code but interrupt handlers, as with the rest of the stack. An edit, be it one route or a million
 * of them, is checked first and then made without a bus access in between. So it happens at one moment: a packet is
 * looked up in the table before it or after it. An observer is told of it once, when it has been made.
 */
import { formatIpv4 } from '../../src/lib/bytes.ts';
import { Fib, NO_MATCH } from './fib.ts';
import { isMulticast, maskOf } from './ipv4/address.ts';
import type { Link } from './ipv4/link.ts';
import { type NextHop, NextHops } from './next-hop.ts';
import { NONE, Rib } from './rib.ts';

/** Routes of one host: twice the full table of the Internet. */
const MAX_ROUTES = 2 ** 21;

/** In a number of the forwarding table: it is that of a route, of which there are equally good ones, not of a hop. */
const SEVERAL = 1;

export interface Route extends NextHop {
  readonly destination: number;
  readonly prefixLength: number;
  /** Unsigned, 32 bits. The lowest wins, and routes with equal ones share the traffic. */
  readonly metric: number;
}

/** What can be left out of a route: no gateway, the address of the link, metric 0. */
export type NewRoute = Pick<Route, 'destination' | 'prefixLength' | 'link'> & Partial<Route>;

/** A route as the table shows it. */
export interface RouteRow extends Route {
  /** Whether its link is up: packets do not take a route that is not usable. */
  readonly usable: boolean;
}

export interface RouteEdit {
  readonly action: 'add' | 'remove';
  readonly route: NewRoute;
}

/** What became of a route: `changed` is one whose link went up or down. */
export interface RouteChange {
  readonly change: 'added' | 'changed' | 'removed';
  /** The route after the change, or as it last was. */
  readonly row: RouteRow;
}

export class RouteTable {
  /** Told of each edit, and of each change of a link, that changes the list; null unless somebody watches. */
  onChange: ((changes: readonly RouteChange[]) => void) | null = null;
  readonly #rib = new Rib();
  readonly #fib = new Fib();
  readonly #hops = new NextHops();
  readonly #maxRoutes: number;

  constructor(maxRoutes = MAX_ROUTES) {
    this.#maxRoutes = maxRoutes;
  }

  /** Memory of the table in bytes, but for next hops. */
  get memoryBytes(): number {
    return this.#rib.memoryBytes + this.#fib.memoryBytes;
  }

  get size(): number {
    return this.#rib.size;
  }

  /** Adds a route, unless there is exactly that one. Bits of `destination` beyond the prefix are dropped. */
  add(route: NewRoute): void {
    this.edit([{ action: 'add', route }]);
  }

  /** Takes a route out, if there is exactly that one. */
  remove(route: NewRoute): void {
    this.edit([{ action: 'remove', route }]);
  }

  /** Makes all of `edits`, in their order, at one moment. Throws a RangeError, and then has made none of them. */
  edit(edits: readonly RouteEdit[]): void {
    let added = 0;
    for (const { action, route } of edits) {
      if (action === 'add') added += 1;
      if (!Number.isInteger(route.prefixLength) || route.prefixLength < 0 || route.prefixLength > 32) {
        throw new RangeError(`no prefix has ${route.prefixLength} bits`);
      }
    }
    if (this.#rib.size + added > this.#maxRoutes) throw new RangeError(`no more than ${this.#maxRoutes} routes`);
    const changes: RouteChange[] | null = this.onChange === null ? null : [];
    for (const { action, route } of edits) {
      if (action === 'add') this.#add(route, changes);
      else this.#remove(route, changes);
    }
    this.#tell(changes);
  }

  /** Routes by way of `link` are of no use while it is down. */
  linkChanged(link: Link, up: boolean): void {
    if (!this.#hops.setLink(link, up)) return;
    for (const first of this.#rib.firsts()) {
      for (let route = first; route !== NONE; route = this.#rib.next(route)) {
        if (!this.#leadsBy(route, link)) continue;
        this.#choose(this.#rib.destination(first), this.#rib.prefixLength(first));
        break;
      }
    }
    if (this.onChange !== null) this.#tell(this.#changesOf(link));
  }

  /**
   * Where a packet to `destination` goes next, or null: the network is unreachable. Multicast has no route, for nobody
   * could join. Of routes that are equally good, each `flow` has its own.
   */
  find(destination: number, flow = destination): NextHop | null {
    if (isMulticast(destination)) return null;
    const number = this.#fib.match(destination);
    if (number === NO_MATCH) return null;
    if ((number & SEVERAL) === 0) return this.#hops.at(number >>> 1);
    return this.#hops.at(this.#rib.hop(this.#favourite(number >>> 1, flow)));
  }

  /** The route that {@link find} follows. For a person to look at. */
  explain(destination: number, flow = destination): Route | null {
    if (isMulticast(destination)) return null;
    const chosen = this.#chosen(destination, 32);
    return chosen === NONE ? null : this.#row(this.#favourite(chosen, flow));
  }

  /** The longest prefix that `destination` matches, `192.0.2.0/24`; empty for none. For a person to look at. */
  prefixOf(destination: number): string {
    const route = this.explain(destination);
    return route === null ? '' : `${formatIpv4(route.destination)}/${route.prefixLength}`;
  }

  /** All routes, by destination, then length of prefix, then metric. */
  list(): readonly RouteRow[] {
    const rows: RouteRow[] = [];
    for (const first of this.#rib.firsts()) {
      for (let route = first; route !== NONE; route = this.#rib.next(route)) rows.push(this.#row(route));
    }
    // The sort is stable: routes to one prefix stay in their order.
    return rows.sort((a, b) => a.destination - b.destination || a.prefixLength - b.prefixLength);
  }

  /** Of `first` and the usable routes that are as good, the one that `flow` takes. */
  #favourite(first: number, flow: number): number {
    const metric = this.#rib.metric(first);
    let best = first;
    let bestWeight = this.#hops.weight(this.#rib.hop(first), flow);
    let route = this.#rib.next(first);
    for (; route !== NONE && this.#rib.metric(route) === metric; route = this.#rib.next(route)) {
      const hop = this.#rib.hop(route);
      if (!this.#hops.isUp(hop)) continue;
      const weight = this.#hops.weight(hop, flow);
      if (weight <= bestWeight) continue;
      best = route;
      bestWeight = weight;
    }
    return best;
  }

  #add(route: NewRoute, changes: RouteChange[] | null): void {
    const { destination, prefixLength, metric = 0 } = route;
    if (this.#find(route) !== NONE) return;
    const network = destination & maskOf(prefixLength);
    this.#rib.add(network, prefixLength, metric, this.#hops.acquire(hopOf(route)));
    this.#choose(network, prefixLength);
    changes?.push({ change: 'added', row: this.#row(this.#find(route)) });
  }

  #remove(route: NewRoute, changes: RouteChange[] | null): void {
    const found = this.#find(route);
    if (found === NONE) return;
    changes?.push({ change: 'removed', row: this.#row(found) });
    const network = this.#rib.destination(found);
    const hop = this.#rib.hop(found);
    if (this.#rib.isChosen(found)) this.#withdraw(found);
    this.#rib.remove(found);
    this.#hops.release(hop);
    this.#choose(network, route.prefixLength);
  }

  #find(route: NewRoute): number {
    const { destination, prefixLength, metric = 0 } = route;
    const hop = this.#hops.find(hopOf(route));
    let found = this.#rib.first(destination & maskOf(prefixLength), prefixLength);
    while (found !== NONE && (this.#rib.hop(found) !== hop || this.#rib.metric(found) !== metric)) {
      found = this.#rib.next(found);
    }
    return found;
  }

  /** Makes the forwarding table say of a prefix what follows from the routes to it: the first usable one. */
  #choose(network: number, prefixLength: number): void {
    let chosen = NONE;
    let best = NONE;
    let route = this.#rib.first(network, prefixLength);
    for (; route !== NONE; route = this.#rib.next(route)) {
      if (this.#rib.isChosen(route)) chosen = route;
      if (best === NONE && this.#hops.isUp(this.#rib.hop(route))) best = route;
    }
    if (best !== chosen && chosen !== NONE) this.#withdraw(chosen);
    if (best === NONE) return;
    this.#rib.choose(best, true);
    this.#fib.set(network, prefixLength, this.#numberOf(best));
  }

  /** Takes the prefix of `chosen` out of the forwarding table. What it hid from view is seen again. */
  #withdraw(chosen: number): void {
    const destination = this.#rib.destination(chosen);
    const prefixLength = this.#rib.prefixLength(chosen);
    this.#rib.choose(chosen, false);
    const cover = this.#chosen(destination, prefixLength - 1);
    if (cover === NONE) this.#fib.delete(destination, prefixLength, NO_MATCH, 0);
    else this.#fib.delete(destination, prefixLength, this.#numberOf(cover), this.#rib.prefixLength(cover));
  }

  /** The chosen route to the longest prefix of at most `longest` bits that `destination` is in. */
  #chosen(destination: number, longest: number): number {
    for (let length = longest; length >= 0; length--) {
      let route = this.#rib.first(destination & maskOf(length), length);
      while (route !== NONE && !this.#rib.isChosen(route)) route = this.#rib.next(route);
      if (route !== NONE) return route;
    }
    return NONE;
  }

  /** What the forwarding table says of the prefix of `chosen`. */
  #numberOf(chosen: number): number {
    const next = this.#rib.next(chosen);
    const several = next !== NONE && this.#rib.metric(next) === this.#rib.metric(chosen);
    return several ? (chosen << 1) | SEVERAL : this.#rib.hop(chosen) << 1;
  }

  #tell(changes: readonly RouteChange[] | null): void {
    if (changes !== null && changes.length > 0) this.onChange?.(changes);
  }

  /** The routes by way of `link`, which has gone up or down. */
  #changesOf(link: Link): readonly RouteChange[] {
    const changes: RouteChange[] = [];
    for (const first of this.#rib.firsts()) {
      for (let route = first; route !== NONE; route = this.#rib.next(route)) {
        if (this.#leadsBy(route, link)) changes.push({ change: 'changed', row: this.#row(route) });
      }
    }
    return changes;
  }

  #leadsBy(route: number, link: Link): boolean {
    return this.#hops.at(this.#rib.hop(route)).link === link;
  }

  #row(route: number): RouteRow {
    const hop = this.#rib.hop(route);
    const { gateway, link, source } = this.#hops.at(hop);
    const [destination, prefixLength, metric] = [
      this.#rib.destination(route),
      this.#rib.prefixLength(route),
      this.#rib.metric(route),
    ];
    return { destination, prefixLength, gateway, link, source, metric, usable: this.#hops.isUp(hop) };
  }
}

const hopOf = ({ gateway = 0, link, source = link.address }: NewRoute): NextHop => ({ gateway, link, source });

/** A route as a person writes it: `192.0.2.0/24 dev eth0`, `0.0.0.0/0 via 192.0.2.1 dev eth0`. */
export function formatRoute(route: Route): string {
  const via = route.gateway === 0 ? '' : ` via ${formatIpv4(route.gateway)}`;
  return `${formatIpv4(route.destination)}/${route.prefixLength}${via} dev ${route.link.name}`;
}
