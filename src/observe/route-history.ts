/** The history of the routing table of a computer. */
import { map } from 'rxjs';
import type { Clock } from '../../hw/sim/clock.ts';
import { formatRoute, type RouteRow } from '../../kernel/net/route.ts';
import { type ObservedRoutes, routeEvents } from './route-probe.ts';
import { TableHistory, type TableUpdate } from './table-history.ts';

/** A route, with the name of its link for the link. Addresses are unsigned numbers. */
export interface RouteEntry extends Omit<RouteRow, 'link'> {
  readonly dev: string;
}

interface RoutesWithList extends ObservedRoutes {
  list(): readonly RouteRow[];
}

/** Begins to watch the routes of `host`. */
export function routeHistory(routes: RoutesWithList, host: string, clock: Clock): TableHistory<RouteEntry> {
  const now = { timeNs: clock.nowNs, rows: routes.list().map(entered) };
  const updates = routeEvents(routes, host, clock).pipe(
    map(({ timeNs, changes }): TableUpdate<RouteEntry> => {
      return {
        timeNs,
        rows: changes.map(({ change, row }) => (change === 'removed' ? [keyOf(row), null] : entered(row))),
      };
    }),
  );
  return new TableHistory(now, updates);
}

/** The route as the history has it. */
export function routeEntry({ link, ...row }: RouteRow): RouteEntry {
  return { ...row, dev: link.name };
}

const entered = (row: RouteRow) => [keyOf(row), routeEntry(row)] as const;

const keyOf = (row: RouteRow): string => `${formatRoute(row)} src ${row.source} metric ${row.metric}`;
