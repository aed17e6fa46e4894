/**
 * What a receiver makes of an arrival, IEEE 802.3 clauses 4.2.9 and 5.2.4.3 with the names of RFC 2819 for lengths out
 * of range. Exactly one class fits each arrival, so that a counter per class adds up to the number of arrivals.
 *
 * The FCS is looked at in every case, but a frame whose FCS a MAC generated, and that nothing damaged, knows that it is
 * good without computing it.
 */
import { type Frame, MIN_FRAME_BYTES } from '../frame.ts';

/**
 * - `ok`; `undersize` below 64 octets with a good FCS; `fragment` below 64 and damaged;
 * - `oversize` above the maximum with a good FCS; `jabber` above it and damaged;
 * - `rx-error` at least 64 octets during which the PHY raised RX_ER;
 * - `alignment` a bad FCS and not a whole number of octets; `fcs` a bad FCS and whole octets.
 */
export type ReceiveClass = 'ok' | 'undersize' | 'fragment' | 'oversize' | 'jabber' | 'rx-error' | 'alignment' | 'fcs';

/**
 * The class of `frame` at a receiver that takes frames of up to `maxBytes` from DA to FCS. Dribble bits behind a good
 * FCS are dropped without a trace, as the standard says.
 */
export function classify(frame: Frame, maxBytes: number): ReceiveClass {
  const { wireBytes, errors } = frame;
  if (wireBytes < MIN_FRAME_BYTES) return frame.fcsGood && !errors.rxError ? 'undersize' : 'fragment';
  if (errors.rxError) return 'rx-error';
  if (wireBytes > maxBytes) return frame.fcsGood ? 'oversize' : 'jabber';
  if (frame.fcsGood) return 'ok';
  return errors.dribbleBits > 0 ? 'alignment' : 'fcs';
}
