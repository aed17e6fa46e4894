/**
 * The Internet checksum, RFC 1071, as the offload engines compute it: over any octets, in network order.
 *
 * The receiver sums every frame that it stores, so this is done a word at a time where the octets lie right for it. The
 * sum does not depend on the order of octets within words (section 2 B): it is taken in the order of a little-endian
 * host, and swapped at the end.
 */

/** Words of the buffer that was summed last: frames share slabs, and a view costs as much as summing a short frame. */
let lastBuffer: ArrayBufferLike | null = null;
let lastWords: Int32Array = new Int32Array(0);

/** The 16-bit ones'-complement sum of `bytes[from]` to `bytes[to - 1]`; an odd octet at the end is a high one. */
export function onesSum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  let i = from;
  if (((bytes.byteOffset + from) & 1) === 0) {
    if (((bytes.byteOffset + from) & 2) !== 0 && from + 2 <= to) {
      sum = bytes[from]! | (bytes[from + 1]! << 8);
      i += 2;
    }
    const words = (to - i) >> 2;
    sum = swap(fold(sum + sumWords(bytes, i, words)));
    i += 4 * words;
  }
  for (; i + 2 <= to; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (i < to) sum += bytes[i]! << 8;
  return fold(sum);
}

/** A sum of 16-bit words, brought back to 16 bits by end-around carry. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

const swap = (sum: number): number => ((sum & 0xff) << 8) | (sum >>> 8);

/** The sum of both halves of `count` words from `bytes[from]` on, which is aligned. */
function sumWords(bytes: Uint8Array, from: number, count: number): number {
  if (count <= 0) return 0;
  if (bytes.buffer !== lastBuffer) {
    lastBuffer = bytes.buffer;
    lastWords = new Int32Array(lastBuffer, 0, lastBuffer.byteLength >> 2);
  }
  const words = lastWords;
  let i = (bytes.byteOffset + from) >> 2;
  const end = i + count;
  let low = 0;
  let high = 0;
  for (; i + 4 <= end; i += 4) {
    const a = words[i]!;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    low += (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff);
    high += (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16);
  }
  for (; i < end; i++) {
    low += words[i]! & 0xffff;
    high += words[i]! >>> 16;
  }
  return low + high;
}
