/**
 * What changes in the routing table of a computer, as a stream: an edit, or a link that goes up or down, is one event,
 * however many routes it is about. `timeNs` is virtual time. The table itself is `computer.kernel.net.routes.list()`.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../../hw/sim/clock.ts';
import type { RouteChange } from '../../kernel/net/route.ts';
import { onePerDevice, tapObservable } from './probe.ts';

export interface RouteEvent {
  readonly timeNs: number;
  readonly host: string;
  /** In the order in which they were made; all of them at one moment. */
  readonly changes: readonly RouteChange[];
}

/** A routing table as an observer sees it. */
export interface ObservedRoutes {
  onChange: ((changes: readonly RouteChange[]) => void) | null;
}

export const routeEvents = onePerDevice(
  (routes: ObservedRoutes, host: string, clock: Clock): Observable<RouteEvent> =>
    tapObservable(emit => {
      routes.onChange = emit && (changes => emit({ timeNs: clock.nowNs, host, changes }));
    }),
);
