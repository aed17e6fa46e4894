/**
 * Bytes of a stream in a ring: the octet with sequence number n stands at n modulo the size, which is a power of two
 * and so divides 2^32. No wrap, of the ring or of the numbers, needs a thought anywhere else.
 */
import { seqAdd } from './seq.ts';

const FIRST_BYTES = 4096;

export class Ring {
  #bytes = new Uint8Array(0);

  /** Makes room for `length` octets from number `start` on, of which the first `used` stand there already. */
  reserve(start: number, used: number, length: number): void {
    if (length <= this.#bytes.length) return;
    let size = Math.max(FIRST_BYTES, this.#bytes.length);
    while (size < length) size *= 2;
    const grown = new Uint8Array(size);
    const old = this.#bytes;
    if (used > 0) {
      const mask = old.length - 1;
      for (let done = 0; done < used; ) {
        const from = seqAdd(start, done) & mask;
        const to = seqAdd(start, done) & (size - 1);
        const count = Math.min(used - done, old.length - from, size - to);
        grown.set(old.subarray(from, from + count), to);
        done += count;
      }
    }
    this.#bytes = grown;
  }

  /** There is room: {@link reserve}. */
  write(seq: number, source: Uint8Array, at: number, length: number): void {
    const ring = this.#bytes;
    const to = seq & (ring.length - 1);
    const first = Math.min(length, ring.length - to);
    ring.set(source.subarray(at, at + first), to);
    if (first < length) ring.set(source.subarray(at + first, at + length), 0);
  }

  read(seq: number, length: number, target: Uint8Array, targetAt: number): void {
    const ring = this.#bytes;
    const from = seq & (ring.length - 1);
    const first = Math.min(length, ring.length - from);
    target.set(ring.subarray(from, from + first), targetAt);
    if (first < length) target.set(ring.subarray(0, length - first), targetAt + first);
  }

  /** Bytes of memory. */
  get size(): number {
    return this.#bytes.length;
  }

  release(): void {
    this.#bytes = new Uint8Array(0);
  }
}
