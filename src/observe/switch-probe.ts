/**
 * What one switch decides, as one stream: where each frame goes, and what its table of addresses learns and forgets.
 * `timeNs` is virtual time in nanoseconds. What the table looks like at any one time is `device.table()`.
 */
import type { Observable } from 'rxjs';
import type { TableEntry } from '../../hw/ethernet/switch/mac-table.ts';
import type { Decision } from '../../hw/ethernet/switch/switch.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { onePerDevice, tapObservable } from './probe.ts';

/** What happened. An address is learned before it is decided where the frame goes that has it. */
type SwitchHappening =
  | ({ readonly kind: 'decision' } & Decision)
  | { readonly kind: 'learned' | 'aged'; readonly entry: TableEntry }
  | { readonly kind: 'moved'; readonly entry: TableEntry; readonly from: number };

export type SwitchEvent = SwitchHappening & { readonly timeNs: number; readonly device: string };

/** A switch as an observer sees it. */
export interface TappedSwitch {
  onDecision: ((decision: Decision) => void) | null;
  onLearned: ((entry: TableEntry) => void) | null;
  onMoved: ((entry: TableEntry, from: number) => void) | null;
  set onAged(tap: ((entry: TableEntry) => void) | null);
}

/** `name` is what the events call the switch. */
export const switchEvents = onePerDevice(
  (device: TappedSwitch, name: string, clock: Clock): Observable<SwitchEvent> =>
    tapObservable(emit => {
      const tell = (happening: SwitchHappening) => emit?.({ timeNs: clock.nowNs, device: name, ...happening });
      device.onDecision = emit && (decision => tell({ kind: 'decision', ...decision }));
      device.onLearned = emit && (entry => tell({ kind: 'learned', entry }));
      device.onMoved = emit && ((entry, from) => tell({ kind: 'moved', entry, from }));
      device.onAged = emit && (entry => tell({ kind: 'aged', entry }));
    }),
);
