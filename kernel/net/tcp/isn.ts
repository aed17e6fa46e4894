/**
 * Initial sequence numbers, RFC 6528: a 4 us clock plus a keyed hash of the endpoints, so that numbers of one pair of
 * endpoints never go back, and those of another say nothing about them. The hash is HalfSipHash-2-4 (J.-P. Aumasson,
 * D. J. Bernstein: SipHash, 2012, with words of 32 bits); its key comes from the host's seeded randomness.
 */

/** One step of the clock. */
const STEP_NS = 4000;
const FINAL = 0xff;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(random: () => number) {
    this.#key0 = random();
    this.#key1 = random();
  }

  /** A word, int32, that depends on all of the numbers, each taken modulo 2^32. */
  hash(a: number, b: number, c: number, d: number): number {
    this.#v0 = this.#key0;
    this.#v1 = this.#key1;
    this.#v2 = this.#key0 ^ 0x6c796765;
    this.#v3 = this.#key1 ^ 0x74656462;
    this.#word(a | 0);
    this.#word(b | 0);
    this.#word(c | 0);
    this.#word(d | 0);
    this.#word(16 << 24);
    this.#v2 ^= FINAL;
    for (let i = 0; i < 4; i++) this.#round();
    return this.#v1 ^ this.#v3;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  #round(): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}

/** What the ISN and the timestamp offset of a connection are made of. */
interface Endpoints {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

export class InitialNumbers {
  readonly #sequence: KeyedHash;
  readonly #timestamp: KeyedHash;

  constructor(random: () => number) {
    this.#sequence = new KeyedHash(random);
    this.#timestamp = new KeyedHash(random);
  }

  /** ISN = M + F(localip, localport, remoteip, remoteport, secretkey). */
  sequence(of: Endpoints, nowNs: number): number {
    return (Math.floor(nowNs / STEP_NS) + endpointsHash(this.#sequence, of)) | 0;
  }

  /** What a connection adds to the timestamp clock: the same for the same endpoints, so that it never goes back. */
  timestampOffset(of: Endpoints): number {
    return endpointsHash(this.#timestamp, of);
  }
}

const endpointsHash = (hash: KeyedHash, of: Endpoints): number =>
  hash.hash(of.localAddress, of.remoteAddress, (of.localPort << 16) | of.remotePort, 0);
