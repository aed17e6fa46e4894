/**
 * Manchester code, clause 7.3.1.1, and the signal of 10BASE-T, clause 14: each bit is two half-bit levels, 0 is high
 * then low, 1 is low then high, so that every bit has a transition in its middle. Behind the last bit the line stays
 * high for 300 ns (TP_IDL, the end-of-transmission delimiter), then falls silent.
 *
 * The decoder knows nothing of where bits begin: it finds that out from the preamble, in which the only transitions are
 * those in the middle of bits. A bit is the level of its second half. A receiver at 10 Mb/s has no RX_ER: a bit without
 * its transition is taken as it stands, and the FCS has the last word.
 */

/** High, 1, or low, -1; 0 is silence. */
export type HalfBits = Int8Array;

/** 300 ns; the standard wants 250 ns at least. */
const TP_IDL_HALF_BITS = 6;
/** A line that does not change for more than 1.6 bit times has ended its frame: this many half bits are the first. */
const END_HALF_BITS = 4;
/** Stretches of two equal half bits, one after another, that give the phase away. */
const LOCK_STRETCHES = 3;

/** The half bits of `bits`, and the end-of-transmission delimiter behind them. */
export function encodeManchester(bits: Uint8Array): HalfBits {
  const halves = new Int8Array(2 * bits.length + TP_IDL_HALF_BITS).fill(1);
  for (let i = 0; i < bits.length; i++) halves[2 * i + (bits[i]! === 0 ? 1 : 0)] = -1;
  return halves;
}

/** The bits from where the decoder finds its phase to the end of the frame. Levels of any size are taken by sign. */
export function decodeManchester(halves: HalfBits): Uint8Array {
  const begin = firstBit(halves);
  const bits = new Uint8Array((halves.length - begin) >>> 1);
  let count = 0;
  let runStart = begin;
  for (let i = begin; i < halves.length; i++) {
    const level = halves[i]!;
    if (level === 0) break;
    if (i > begin && level > 0 !== halves[i - 1]! > 0) runStart = i;
    if (i - runStart + 1 === END_HALF_BITS) return bits.subarray(0, Math.min(count, (runStart - begin + 1) >>> 1));
    if (((i - begin) & 1) === 1) bits[count++] = level > 0 ? 1 : 0;
  }
  return bits.subarray(0, count);
}

/** The first half bit of a bit: one before the stretches that begin in the middle of bits. The end if there are none. */
function firstBit(halves: HalfBits): number {
  let stretches = 0;
  let runStart = 0;
  for (let i = 1; i < halves.length; i++) {
    if (Math.sign(halves[i]!) === Math.sign(halves[i - 1]!)) continue;
    const isStretch = i - runStart === 2 && halves[runStart] !== 0;
    stretches = isStretch ? stretches + 1 : 0;
    runStart = i;
    if (stretches < LOCK_STRETCHES) continue;
    const begin = i - 2 * LOCK_STRETCHES - 1;
    return halves[begin] ? begin : begin + 2;
  }
  return halves.length;
}
