/**
 * What goes over one cable: each frame once, when the last bit of what is left of it has come out. Where a box in line
 * stands behind the cable, what comes out of that is told apart. Times are virtual nanoseconds.
 */
import type { Observable } from 'rxjs';
import type { Frame } from '../../hw/ethernet/frame.ts';
import type { End, FrameTap } from '../../hw/ethernet/medium/cable.ts';
import { onePerDevice, tapObservable } from './probe.ts';

export interface FrameEvent {
  /** When the first bit of the preamble left, at the sender. */
  readonly timeNs: number;
  /** When the last bit left, at the sender. */
  readonly endNs: number;
  /** When the first bit of the preamble came out at the far end. */
  readonly arrivalNs: number;
  /** Nanoseconds per bit. */
  readonly bitNs: number;
  readonly fromEnd: End;
  /** What was sent. */
  readonly sent: Frame;
  /** What came out: `sent` itself, or another frame if it was damaged or cut short, or null for nothing. */
  readonly arrived: Frame | null;
  /** The sender gave the frame up before its end: a collision. */
  readonly aborted: boolean;
  /** From when on it was jam, at the sender; Infinity if it never was. */
  readonly jamNs: number;
}

/** A cable as an observer sees it. */
export interface TappedWire {
  onFrame: FrameTap | null;
}

/** The far end of a cable, behind the boxes in line. */
export interface TappedDelivery {
  onDelivery: FrameTap | null;
}

export const frameEvents = onePerDevice(
  (wire: TappedWire): Observable<FrameEvent> =>
    tapObservable(emit => {
      wire.onFrame = emit && tapTo(emit);
    }),
);

/** What the NICs at the ends of a cable are given: a frame that a box in line doubles comes twice, one it lost as null. */
export const deliveries = onePerDevice(
  (wire: TappedDelivery): Observable<FrameEvent> =>
    tapObservable(emit => {
      wire.onDelivery = emit && tapTo(emit);
    }),
);

const tapTo =
  (emit: (event: FrameEvent) => void): FrameTap =>
  (fromEnd, { frame: sent, startNs: timeNs, endNs, bitNs, aborted, jamNs }, arrivalNs, arrived) =>
    emit({ timeNs, endNs, arrivalNs, bitNs, fromEnd, sent, arrived, aborted, jamNs });
