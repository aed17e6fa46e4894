/**
 * Redirects that a host follows, RFC 1122 section 3.2.2.2: a router on the link says that another one is nearer to a
 * destination, and the host has a route to that destination by way of the other one for a while. Believed is only the
 * router that packets to the destination go to now, and only about neighbours: whoever is on the link could turn traffic
 * to himself all the same, but nobody further away.
 */
import type { KernelContext } from '../../context.ts';
import type { DriverTimer } from '../../driver-api.ts';
import type { NewRoute, RouteTable } from '../route.ts';
import { isClassDOrE, LIMITED_BROADCAST, maskOf } from './address.ts';
import { isOwnAddress, type Link } from './link.ts';

const HOST_ROUTE = 32;
/** How long a route is kept: the routers may have changed their minds. */
const LIFE_NS = 600_000_000_000;
/** Destinations; a newer one takes the place of the oldest. */
const MAX_REDIRECTED = 256;

interface Redirected {
  readonly route: NewRoute;
  readonly untilNs: number;
}

export class Redirects {
  readonly counters = { followed: 0 };
  readonly #context: KernelContext;
  readonly #routes: RouteTable;
  readonly #links: readonly Link[];
  readonly #timer: DriverTimer;
  /** By destination, oldest first. */
  readonly #redirected = new Map<number, Redirected>();

  /** `links` is the stack's list, which grows as interfaces appear. */
  constructor(context: KernelContext, routes: RouteTable, links: readonly Link[]) {
    this.#context = context;
    this.#routes = routes;
    this.#links = links;
    this.#timer = context.timer(() => this.#expire());
  }

  /** `reporter`, on `link`, says that `destination` is reached by way of `gateway`. False: it is not to be believed. */
  follow(link: Link, reporter: number, destination: number, gateway: number): boolean {
    const present = this.#routes.find(destination);
    if (present === null || present.link !== link || present.gateway !== reporter || gateway === reporter) return false;
    if (!this.#isNeighbour(link, gateway)) return false;
    const oldest = this.#redirected.keys().next().value;
    this.#forget(destination | 0);
    if (this.#redirected.size === MAX_REDIRECTED && oldest !== undefined) this.#forget(oldest);
    // A host can be redirected to the destination itself, which is then a neighbour.
    const nextHop = gateway === destination ? 0 : gateway;
    const route = { destination, prefixLength: HOST_ROUTE, gateway: nextHop, link, source: link.address };
    this.#routes.add(route);
    this.#redirected.set(destination | 0, { route, untilNs: this.#context.nowNs() + LIFE_NS });
    if (this.#redirected.size === 1) this.#timer.armIn(LIFE_NS);
    this.counters.followed += 1;
    return true;
  }

  /** The links, or their addresses, have changed: what was learnt on them is of no use. */
  clear(): void {
    for (const destination of [...this.#redirected.keys()]) this.#forget(destination);
  }

  #isNeighbour(link: Link, address: number): boolean {
    if (((address ^ link.address) & maskOf(link.prefixLength)) !== 0) return false;
    if (address === LIMITED_BROADCAST || address === link.broadcast || isClassDOrE(address)) return false;
    return !isOwnAddress(this.#links, address);
  }

  #forget(destination: number): void {
    const redirected = this.#redirected.get(destination);
    if (redirected === undefined) return;
    this.#routes.remove(redirected.route);
    this.#redirected.delete(destination);
  }

  #expire(): void {
    const nowNs = this.#context.nowNs();
    for (const [destination, { untilNs }] of this.#redirected) {
      if (untilNs > nowNs) {
        this.#timer.armIn(untilNs - nowNs);
        return;
      }
      this.#forget(destination);
    }
  }
}
