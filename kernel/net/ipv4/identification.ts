/**
 * The identification of packets that may be cut, RFC 6864: it must not come again for the same source, destination and
 * protocol while fragments of its last use may be about. With one counter for all, what goes to one peer would use it up
 * for all others; so there are several, and the three choose one. A counter starts where nobody can tell (RFC 7739).
 *
 * What may not be cut (DF) needs none: RFC 6864 section 4.1 lets it have any.
 */

/** A power of two. */
const COUNTERS = 256;

export class Identifications {
  readonly #counters = new Uint16Array(COUNTERS);
  readonly #secret: number;

  /** `secret` is a random word. */
  constructor(secret: number) {
    this.#secret = secret;
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = mix(secret + i);
  }

  next(source: number, destination: number, protocol: number): number {
    const place = mix(mix(mix(this.#secret ^ source) ^ destination) ^ protocol) & (COUNTERS - 1);
    const identification = this.#counters[place]!;
    this.#counters[place] = identification + 1;
    return identification;
  }
}

/** Spreads every bit of `word` over the result (the finalizer of MurmurHash3). */
function mix(word: number): number {
  let hash = word ^ (word >>> 16);
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
