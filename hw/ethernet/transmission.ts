/**
 * A transmission as plain data, for those who hold one over a snapshot: the MAC that sends it, the medium that carries
 * it. After a load each has its own copy, so nobody may compare transmissions by identity across objects.
 */
import { Frame, type FrameState } from './frame.ts';
import { HEADER_BITS, type Transmission } from './ports.ts';

export interface TransmissionState {
  readonly frame: FrameState;
  readonly bitNs: number;
  readonly startNs: number;
  readonly headBits: number;
  readonly endNs: number;
  readonly aborted: boolean;
  readonly jamNs: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** A whole frame, preamble first, that begins to leave at `startNs`. */
export function transmissionOf(frame: Frame, bitNs: number, startNs: number): Transmission {
  const endNs = startNs + (HEADER_BITS + 8 * frame.wireBytes) * bitNs;
  return { frame, bitNs, startNs, headBits: HEADER_BITS, endNs, aborted: false, jamNs: NEVER };
}

export function saveTransmission(transmission: Transmission): TransmissionState {
  const { frame, bitNs, startNs, headBits, endNs, aborted, jamNs } = transmission;
  return { frame: frame.save(), bitNs, startNs, headBits, endNs, aborted, jamNs };
}

export function loadTransmission(state: TransmissionState): Transmission {
  const { frame, bitNs, startNs, headBits, endNs, aborted, jamNs } = state;
  return { frame: Frame.load(frame), bitNs, startNs, headBits, endNs, aborted, jamNs };
}

/** `own` is a copy of `changed`, or `changed` itself: takes over what may change. */
export function moveEnd(own: Transmission, changed: Transmission): void {
  own.frame = changed.frame;
  own.endNs = changed.endNs;
  own.aborted = changed.aborted;
  own.jamNs = changed.jamNs;
}
