/**
 * Seeded randomness: sfc32 (Chris Doty-Humphrey's small fast counter, 128 bits of state). Every component takes its own
 * generator by label, `prng.fork('hub0/port2/backoff')`. A fork depends on the seed and the label alone, never on how
 * many numbers were drawn, so that a new draw in one place moves nothing elsewhere.
 */

/** The whole state: four words, and the key from which forks are derived. */
export interface PrngState {
  readonly key: string;
  readonly words: readonly [number, number, number, number];
}

export class Prng {
  #key: string;
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** Equal keys give equal sequences. */
  constructor(key: string) {
    this.#key = key;
    const hash = hashWords(key);
    this.#a = hash();
    this.#b = hash();
    this.#c = hash();
    for (let i = 0; i < 15; i++) this.word();
  }

  /** An independent generator for the component `label`. */
  fork(label: string): Prng {
    return new Prng(`${this.#key}/${label}`);
  }

  /** The next 32 bits, as int32. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum;
  }

  /** A number in [0, 1) with 32 random bits. */
  fraction(): number {
    return (this.word() >>> 0) / 0x1_0000_0000;
  }

  /** An integer in [0, bound), without bias; `bound` is 1 to 2**32. */
  below(bound: number): number {
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const word = this.word() >>> 0;
      if (word < limit) return word % bound;
    }
  }

  save(): PrngState {
    return { key: this.#key, words: [this.#a, this.#b, this.#c, this.#counter] };
  }

  load(state: PrngState): void {
    this.#key = state.key;
    [this.#a, this.#b, this.#c, this.#counter] = state.words;
  }
}

/** A stream of well-mixed words from a text: FNV-1a, then the finalizer of MurmurHash3 on a running counter. */
function hashWords(text: string): () => number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return () => {
    hash = (hash + 0x9e3779b9) | 0;
    let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
}
