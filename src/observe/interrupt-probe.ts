/**
 * What happens between a device's interrupt line and the trap handler: levels, claims, traps. Three probes, one for
 * each station on the way; merge them to see the whole of it. `timeNs` is virtual time in nanoseconds.
 */
import type { Observable } from 'rxjs';
import type { Line } from '../../hw/bus/line.ts';
import type { Cause } from '../../hw/cpu/hart.ts';
import type { TrapTap } from '../../hw/cpu/native/native-hart.ts';
import type { Plic } from '../../hw/irq/plic.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { onePerDevice, tapObservable } from './probe.ts';

/** A level line of `host` changed. */
export interface LineEvent {
  readonly timeNs: number;
  readonly host: string;
  readonly line: string;
  readonly level: boolean;
}

/** A context claimed `source` (0: nothing was pending), or completed it. */
export interface PlicEvent {
  readonly timeNs: number;
  readonly host: string;
  readonly action: 'claim' | 'complete';
  readonly context: number;
  readonly source: number;
}

/** The hart entered the trap handler, or returned from it. */
export interface TrapEvent {
  readonly timeNs: number;
  readonly host: string;
  readonly hartId: number;
  readonly cause: Cause;
  readonly entered: boolean;
}

/** What a hart offers to an observer. */
export interface TappedHart {
  readonly hartId: number;
  onTrap: TrapTap | null;
}

export const lineEvents = onePerDevice(
  (line: Line, host: string, clock: Clock): Observable<LineEvent> =>
    tapObservable(emit => {
      line.tap = emit && (level => emit({ timeNs: clock.nowNs, host, line: line.name, level }));
    }),
);

export const plicEvents = onePerDevice(
  (plic: Plic, host: string, clock: Clock): Observable<PlicEvent> =>
    tapObservable(emit => {
      const tell = (action: PlicEvent['action']) =>
        emit && ((context: number, source: number) => emit({ timeNs: clock.nowNs, host, action, context, source }));
      plic.onClaim = tell('claim');
      plic.onComplete = tell('complete');
    }),
);

export const trapEvents = onePerDevice(
  (hart: TappedHart, host: string, clock: Clock): Observable<TrapEvent> =>
    tapObservable(emit => {
      hart.onTrap =
        emit && ((cause, entered) => emit({ timeNs: clock.nowNs, host, hartId: hart.hartId, cause, entered }));
    }),
);
