/**
 * What one switch does, as one stream: addresses that it learns, moves and forgets, where it sends each frame, what it
 * drops, and what its spanning tree does with its ports. `timeNs` is virtual time in nanoseconds.
 */
import { merge, type Observable } from 'rxjs';
import type { Frame } from '../../hw/ethernet/frame.ts';
import type { PortState } from '../../hw/ethernet/switch/port.ts';
import type { Decision, Switch, SwitchDropReason } from '../../hw/ethernet/switch/switch.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { type MacEvent, macEvents, type TappedMacTable } from './mac-probe.ts';
import { onePerDevice, tapObservable } from './probe.ts';

type SwitchHappening =
  | ({ readonly kind: 'decision' } & Decision)
  | { readonly kind: 'port-state'; readonly port: number; readonly state: PortState }
  | { readonly kind: 'dropped'; readonly port: number; readonly frame: Frame; readonly reason: SwitchDropReason };

/** `switch` is its name in the world. Ports are numbers from 0. */
export type SwitchEvent = MacEvent | (SwitchHappening & { readonly timeNs: number; readonly switch: string });

/** A switch as an observer sees it. */
export type TappedSwitch = TappedMacTable & Pick<Switch, 'onDecision' | 'onPortState' | 'onDropped'>;

export const switchEvents = onePerDevice(
  (device: TappedSwitch, name: string, clock: Clock): Observable<SwitchEvent> =>
    merge(
      macEvents(device, name, clock),
      tapObservable<SwitchEvent>(emit => {
        const tell = (happening: SwitchHappening) => emit!({ timeNs: clock.nowNs, switch: name, ...happening });
        device.onDecision = emit && (decision => tell({ kind: 'decision', ...decision }));
        device.onPortState = emit && ((port, state) => tell({ kind: 'port-state', port, state }));
        device.onDropped = emit && ((port, frame, reason) => tell({ kind: 'dropped', port, frame, reason }));
      }),
    ),
);
