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
  readonly endNs: number;
  readonly aborted: boolean;
}

/** A whole frame, preamble first, that begins to leave at `startNs`. */
export function transmissionOf(frame: Frame, bitNs: number, startNs: number): Transmission {
  const endNs = startNs + (HEADER_BITS + 8 * frame.wireBytes) * bitNs;
  return { frame, bitNs, startNs, endNs, aborted: false };
}

export function saveTransmission(transmission: Transmission): TransmissionState {
  const { frame, bitNs, startNs, endNs, aborted } = transmission;
  return { frame: frame.save(), bitNs, startNs, endNs, aborted };
}

export function loadTransmission(state: TransmissionState): Transmission {
  const { frame, bitNs, startNs, endNs, aborted } = state;
  return { frame: Frame.load(frame), bitNs, startNs, endNs, aborted };
}
