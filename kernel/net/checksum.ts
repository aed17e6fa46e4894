/**
 * The Internet checksum, RFC 1071: the ones' complement of the ones' complement sum of 16-bit big-endian words.
 *
 * The sum does not depend on byte order (section 2B), so long ranges are added as the aligned 32-bit words in which the
 * machine holds them, both halves at once, and the two bytes of the result are swapped at the end.
 */

/** Ranges shorter than this are cheaper byte by byte than through a view of words. */
const SHORT_RANGE_BYTES = 64;

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Memory seen as words. All packets of a host lie in one memory, so the last view is nearly always the one wanted. */
const views = new WeakMap<ArrayBufferLike, Int32Array>();
let lastBuffer: ArrayBufferLike = new ArrayBuffer(0);
let lastView: Int32Array = new Int32Array(lastBuffer);

/**
 * Adds `length` bytes of `bytes` from `start` to the running sum `initial`; an odd last byte counts as if a zero byte
 * followed. Ranges of one message are added up by passing the result on; all but the last must have even length. The
 * message is an IPv4 packet's at most, 65,535 bytes: more might overflow the sum.
 */
export function sum(bytes: Uint8Array, start: number, length: number, initial = 0): number {
  const at = bytes.byteOffset + start;
  if (length < SHORT_RANGE_BYTES || (at & 1) !== 0) return sumBytes(bytes, start, length, initial);
  const leadBytes = -at & 3;
  const wordCount = (length - leadBytes) >> 2;
  const tailAt = leadBytes + 4 * wordCount;
  const words = fold(sumWords(wordsOf(bytes.buffer), (at + leadBytes) >> 2, wordCount));
  const inner = initial + (LITTLE_ENDIAN ? ((words & 0xff) << 8) | (words >>> 8) : words);
  const withLead = sumBytes(bytes, start, leadBytes, inner);
  return sumBytes(bytes, start + tailAt, length - tailAt, withLead);
}

/** The running sum as 16 bits. */
export function fold(running: number): number {
  let folded = running;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** The checksum that belongs into a header: the complement of the sum of all else. */
export const complement = (running: number): number => ~fold(running) & 0xffff;

/** Whether a sum that took in the checksum too says that the message is undamaged. */
export const isGood = (running: number): boolean => fold(running) === 0xffff;

/** The running sum of the pseudo-header of UDP and TCP (RFC 768). Addresses are unsigned. */
export function pseudoHeaderSum(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

/**
 * The checksum after one 16-bit word under it changed from `before` to `after`: RFC 1624 section 3, equation 3. It is
 * what a computation from scratch would give, unless all that is left under it is zero: then it is 0, and ought to be
 * FFFF. An IPv4 header is never all zero.
 */
export function update(checksum: number, before: number, after: number): number {
  return complement((~checksum & 0xffff) + (~before & 0xffff) + after);
}

function sumBytes(bytes: Uint8Array, start: number, length: number, initial: number): number {
  const evenEnd = start + (length & ~1);
  let running = fold(initial);
  for (let at = start; at < evenEnd; at += 2) running += (bytes[at]! << 8) | bytes[at + 1]!;
  return (length & 1) === 0 ? running : running + (bytes[evenEnd]! << 8);
}

function sumWords(words: Int32Array, from: number, count: number): number {
  const end = from + count;
  let running = 0;
  let at = from;
  for (; at < end - 3; at += 4) {
    const a = words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    running += (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
    running += (c & 0xffff) + (c >>> 16) + (d & 0xffff) + (d >>> 16);
  }
  for (; at < end; at++) running += (words[at]! & 0xffff) + (words[at]! >>> 16);
  return running;
}

function wordsOf(buffer: ArrayBufferLike): Int32Array {
  if (buffer === lastBuffer) return lastView;
  let view = views.get(buffer);
  if (view === undefined) {
    view = new Int32Array(buffer, 0, buffer.byteLength >> 2);
    views.set(buffer, view);
  }
  lastBuffer = buffer;
  lastView = view;
  return view;
}
