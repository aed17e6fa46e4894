/**
 * What a wire can do to a frame. Frames are immutable, so damage makes a new one whose FCS is no longer known to be
 * good. Bits are counted from the first bit of DA, each octet least significant bit first, as they stand on the wire;
 * the FCS counts too.
 */
import { Frame } from '../frame.ts';

/** Alternating ones and zeros, the first bit a one. */
const JAM_OCTET = 0x55;

/** `frame` with the bits at `positions` inverted; positions behind its end do nothing. */
export function flipBits(frame: Frame, positions: readonly number[]): Frame {
  const wire = frame.wire();
  for (const position of positions) {
    const at = position >>> 3;
    if (at < wire.length) wire[at]! ^= 1 << (position & 7);
  }
  return Frame.raw(wire, frame.errors);
}

/**
 * The first `bits` bits of `frame`: its signal stopped in the middle. Null when not even the delimiter came through.
 * At 100 Mb/s and above the PHY misses the end-of-stream code, and says so with RX_ER.
 */
export function truncate(frame: Frame, bits: number, rxError: boolean): Frame | null {
  if (bits < 0) return null;
  const dribbleBits = bits < 8 * frame.wireBytes ? bits & 7 : 0;
  return Frame.raw(beginning(frame, bits >>> 3), { dribbleBits, rxError });
}

/**
 * `bits` bits of which the first `cleanBits` are those of `frame` and the others jam, or what two signals make of each
 * other: a collision. Null when jam began within the preamble, so that there is no delimiter. Jam is by rule not what
 * would be the FCS, so the result is never a good frame.
 */
export function jammed(frame: Frame, bits: number, cleanBits: number): Frame | null {
  if (bits < 0 || cleanBits < 0) return null;
  const sent = new Uint8Array((bits + 7) >>> 3).fill(JAM_OCTET);
  const at = cleanBits >>> 3;
  const wire = beginning(frame, Math.min(at + 1, sent.length));
  sent.set(cleanBits < bits ? wire.subarray(0, at) : wire);
  const mask = (1 << (cleanBits & 7)) - 1;
  if (mask !== 0 && at < sent.length && at < wire.length) sent[at] = (wire[at]! & mask) | (JAM_OCTET & ~mask);
  return Frame.spoilt(sent.slice(0, bits >>> 3), { dribbleBits: bits & 7, rxError: false });
}

/** The first `octets` octets, or all there are; the FCS is computed only if it is among them. */
function beginning(frame: Frame, octets: number): Uint8Array {
  return octets <= frame.octets.length ? frame.octets.slice(0, octets) : frame.wire().subarray(0, octets);
}
