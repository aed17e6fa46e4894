/**
 * What changes in the table of addresses of a switch, as a stream. `timeNs` is virtual time. That an address is seen
 * again where it was is no change: what the table looks like at any one time is `device.table()`.
 */
import type { Observable } from 'rxjs';
import type { TableEntry } from '../../hw/ethernet/switch/mac-table.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { onePerDevice, tapObservable } from './probe.ts';

/**
 * `moved`: to another port. `aged`: not seen again in time. `flushed`: the link of its port broke, or the spanning tree
 * changed. `entered`: by hand, for good.
 */
type MacChange = 'learned' | 'moved' | 'aged' | 'flushed' | 'entered';

export interface MacEvent {
  readonly timeNs: number;
  /** The switch. */
  readonly host: string;
  readonly change: MacChange;
  /** The entry after the change, or as it last was. */
  readonly entry: TableEntry;
  /** The port where it was before; null unless it has moved. */
  readonly from: number | null;
}

type EntryTap = ((entry: TableEntry) => void) | null;

/** The table of a switch as an observer sees it. */
export interface ObservedMacTable {
  onLearned: EntryTap;
  onMoved: ((entry: TableEntry, from: number) => void) | null;
  set onAged(tap: EntryTap);
  set onFlushed(tap: EntryTap);
  set onEntered(tap: EntryTap);
}

export const macEvents = onePerDevice(
  (device: ObservedMacTable, host: string, clock: Clock): Observable<MacEvent> =>
    tapObservable(emit => {
      const tap = (change: MacChange): EntryTap =>
        emit && (entry => emit({ timeNs: clock.nowNs, host, change, entry, from: null }));
      device.onLearned = tap('learned');
      device.onMoved = emit && ((entry, from) => emit({ timeNs: clock.nowNs, host, change: 'moved', entry, from }));
      device.onAged = tap('aged');
      device.onFlushed = tap('flushed');
      device.onEntered = tap('entered');
    }),
);
