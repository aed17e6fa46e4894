/**
 * Edits of a computer's routing table, as a person makes them: on a draft of the whole list, which immer then compares
 * with what was there. All that is different becomes one edit of the table, so packets meet it as it was or as it is,
 * and never half of it. It takes time in proportion to the table: nothing for each packet, or for a full table of the
 * Internet; such a one is edited by `kernel.net.routes.edit`.
 *
 * Whoever runs the world may edit, and so may programs, from the time on at which the computer has booted.
 */
import { produce } from 'immer';
import type { Link } from '../../kernel/net/ipv4/link.ts';
import type { NewRoute, RouteEdit, RouteRow, RouteTable } from '../../kernel/net/route.ts';
import { formatIpv4, parseIpv4 } from '../lib/bytes.ts';
import { isNeighbour } from './nic.ts';
import { destinationOf } from './routing.ts';

/** A route in a draft. A new one needs a destination, and a gateway or a link. */
export interface DraftRoute {
  /** `10.0.0.0/8`; everything is `0.0.0.0/0`. */
  destination: string;
  /** The next hop, dotted; absent when the destination is on the link. */
  gateway?: string;
  /** The link: `eth0`. Absent when it is the one on whose network the gateway is. */
  dev?: string;
  /** A whole number; 0 unless given. The lowest wins, and routes with equal ones share the traffic. */
  metric?: number;
  /** The source address of what the computer itself sends this way; absent when it is the address of the link. */
  source?: string;
}

/** What the network stack of a computer has for it. */
interface Routed {
  readonly routes: Pick<RouteTable, 'list' | 'edit'>;
  readonly links: readonly Link[];
}

export class RouteEditor {
  readonly #net: Routed;

  constructor(net: Routed) {
    this.#net = net;
  }

  /** The routes as they are: those to the computer's own addresses and networks too, and those whose link is down. */
  list(): readonly Readonly<DraftRoute>[] {
    return this.#net.routes.list().map(row => this.#draftOf(row));
  }

  /**
   * Lets `recipe` change the list: enter routes, take some out, give others another gateway. Throws a RangeError when a
   * route makes no sense, or what `recipe` throws; then nothing has changed.
   */
  edit(recipe: (routes: DraftRoute[]) => void): void {
    const rows = this.#net.routes.list();
    const before = rows.map(row => this.#draftOf(row));
    const after = produce(before, draft => {
      recipe(draft);
    });
    // Routes that nobody has touched are the same objects.
    const [old, kept] = [new Set(before), new Set(after)];
    const edits: RouteEdit[] = rows.filter((_, i) => !kept.has(before[i]!)).map(route => ({ action: 'remove', route }));
    for (const route of kept) if (!old.has(route)) edits.push({ action: 'add', route: this.#routeOf(route) });
    this.#net.routes.edit(edits);
  }

  #draftOf({ destination, prefixLength, gateway, link, source, metric }: RouteRow): DraftRoute {
    const obvious = gateway !== 0 && this.#linkTo(gateway) === link;
    return {
      destination: `${formatIpv4(destination)}/${prefixLength}`,
      ...(gateway === 0 ? {} : { gateway: formatIpv4(gateway) }),
      ...(obvious ? {} : { dev: link.name }),
      metric,
      ...(source === link.address ? {} : { source: formatIpv4(source) }),
    };
  }

  #routeOf(route: DraftRoute): NewRoute {
    const { destination, gateway, dev, source } = route;
    const nextHop = gateway === undefined ? 0 : parseIpv4(gateway);
    const link = dev === undefined ? this.#linkTo(nextHop) : this.#net.links.find(({ name }) => name === dev);
    if (link === undefined) {
      if (dev !== undefined) throw new RangeError(`the route to ${destination} leads by ${dev}: there is no such link`);
      if (gateway === undefined) throw new RangeError(`the route to ${destination} has neither a gateway nor a link`);
      throw new RangeError(`gateway ${gateway} of the route to ${destination} is on no network of the NICs`);
    }
    if (gateway !== undefined && !isNeighbour(link, nextHop)) {
      throw new RangeError(`gateway ${gateway} of the route to ${destination} is on no network of ${link.name}`);
    }
    return {
      ...destinationOf(route),
      link,
      gateway: nextHop,
      ...(source === undefined ? {} : { source: parseIpv4(source) }),
    };
  }

  #linkTo(gateway: number): Link | undefined {
    return this.#net.links.find(link => !link.loopback && isNeighbour(link, gateway));
  }
}
