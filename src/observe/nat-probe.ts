/**
 * What changes in the table of a router that translates addresses, as a stream: a mapping is entered, changes (a session
 * of it begins, ends, or goes to another state), or ends. `timeNs` is virtual time; addresses are unsigned 32-bit numbers.
 * What the table looks like at any one time is `computer.kernel.net.nat.table()`.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../../hw/sim/clock.ts';
import type { MappingRow } from '../../kernel/net/nat/mapping-row.ts';
import type { NatObserver } from '../../kernel/net/nat/nat.ts';
import { onePerDevice, tapObservable } from './probe.ts';

export interface NatEvent {
  readonly timeNs: number;
  /** The router. */
  readonly host: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** The mapping after the change. */
  readonly row: MappingRow;
}

/** A NAT as an observer sees it. */
export interface ObservedNat {
  observer: NatObserver | null;
}

export const natEvents = onePerDevice(
  (nat: ObservedNat, host: string, clock: Clock): Observable<NatEvent> =>
    tapObservable(emit => {
      nat.observer = emit && ((change, row) => emit({ timeNs: clock.nowNs, host, change, row }));
    }),
);
