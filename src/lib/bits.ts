/**
 * Bits of 32-bit words. A word travels through the hardware as int32 (`| 0`), so that it never becomes a heap number;
 * what a person or a driver sees is `word >>> 0`. A field is its mask: the shift follows from the mask.
 */

/** The mask of bits `hi` down to `lo`, both inclusive, as int32. */
export const bitMask = (hi: number, lo: number): number => (-1 >>> (31 - hi + lo)) << lo;

/** The value of the field `mask` in `word`, unsigned. */
export const getField = (word: number, mask: number): number => (word & mask) >>> (31 - Math.clz32(mask & -mask));

/** `word` with the field `mask` replaced by `value`; bits of `value` that do not fit are dropped. */
export const setField = (word: number, mask: number, value: number): number =>
  (word & ~mask) | ((value << (31 - Math.clz32(mask & -mask))) & mask);
