/**
 * Sequence numbers, RFC 9293 section 3.4: 32 bits that wrap. They travel as int32 (a heap number costs more), and are
 * compared by their distance, which is right while both lie in one half of the circle. Nothing else in this folder
 * compares them with `<`.
 */

/** The number `count` octets after `seq`; `count` may be negative. */
export const seqAdd = (seq: number, count: number): number => (seq + count) | 0;

/** How far `a` is after `b`; negative when it is before. */
export const seqDiff = (a: number, b: number): number => (a - b) | 0;

export const seqLt = (a: number, b: number): boolean => ((a - b) | 0) < 0;
export const seqLeq = (a: number, b: number): boolean => ((a - b) | 0) <= 0;
export const seqGt = (a: number, b: number): boolean => ((a - b) | 0) > 0;
export const seqGeq = (a: number, b: number): boolean => ((a - b) | 0) >= 0;

export const seqMax = (a: number, b: number): number => (seqGt(a, b) ? a : b);
export const seqMin = (a: number, b: number): number => (seqLt(a, b) ? a : b);

/** Whether `seq` is one of the `size` numbers from `start`. */
export const seqWithin = (seq: number, start: number, size: number): boolean => (seq - start) >>> 0 < size;
