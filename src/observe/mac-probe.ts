/**
 * What changes in the table of addresses of one switch, as a stream of its own: it costs nothing per frame. `timeNs` is
 * virtual time in nanoseconds. That an address is seen again where it was is no change; what the table looks like at any
 * one time is `device.table()`.
 */
import type { Observable } from 'rxjs';
import type { TableEntry } from '../../hw/ethernet/switch/mac-table.ts';
import type { Switch } from '../../hw/ethernet/switch/switch.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { onePerDevice, tapObservable } from './probe.ts';

/**
 * The entry is as it is after the change, or as it last was. `aged`: not seen again in time; `flushed`: forgotten before
 * that, since the link of its port broke or the spanning tree changed; `entered`: by hand, for good.
 */
type MacHappening =
  | { readonly kind: 'learned' | 'aged' | 'flushed' | 'entered'; readonly entry: TableEntry }
  | { readonly kind: 'moved'; readonly entry: TableEntry; readonly from: number };

/** `switch` is its name in the world. Ports are numbers from 0. */
export type MacEvent = MacHappening & { readonly timeNs: number; readonly switch: string };

/** The table of a switch as an observer sees it. */
export type TappedMacTable = Pick<Switch, 'onLearned' | 'onMoved' | 'onAged' | 'onFlushed' | 'onEntered'>;

export const macEvents = onePerDevice(
  (device: TappedMacTable, name: string, clock: Clock): Observable<MacEvent> =>
    tapObservable(emit => {
      const tell = (happening: MacHappening) => emit!({ timeNs: clock.nowNs, switch: name, ...happening });
      device.onLearned = emit && (entry => tell({ kind: 'learned', entry }));
      device.onMoved = emit && ((entry, from) => tell({ kind: 'moved', entry, from }));
      device.onAged = emit && (entry => tell({ kind: 'aged', entry }));
      device.onFlushed = emit && (entry => tell({ kind: 'flushed', entry }));
      device.onEntered = emit && (entry => tell({ kind: 'entered', entry }));
    }),
);
