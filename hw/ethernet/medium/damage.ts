/**
 * What a wire can do to a frame. Frames are immutable, so damage makes a new one whose FCS is no longer known to be
 * good. Bits are counted from the first bit of DA, each octet least significant bit first, as they stand on the wire;
 * the FCS counts too.
 */
import { Frame } from '../frame.ts';

/** What a MAC sends instead of the rest of a frame that it gives up, clause 4.2.8. */
const JAM_BITS = 32;
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
  return Frame.raw(frame.wire().slice(0, bits >>> 3), { dribbleBits: bits & 7, rxError });
}

/** `bits` bits of which the last 32 are jam, the others the beginning of `frame`: a sender gave up. */
export function jammed(frame: Frame, bits: number): Frame | null {
  if (bits < 0) return null;
  const wire = frame.wire();
  const sent = new Uint8Array((bits + 7) >>> 3).fill(JAM_OCTET);
  const kept = Math.max(0, bits - JAM_BITS);
  sent.set(wire.subarray(0, kept >>> 3));
  const mask = (1 << (kept & 7)) - 1;
  if (mask !== 0) sent[kept >>> 3] = (wire[kept >>> 3]! & mask) | (JAM_OCTET & ~mask);
  return Frame.raw(sent.slice(0, bits >>> 3), { dribbleBits: bits & 7, rxError: false });
}
