/**
 * The ports of one public address that are free, for one protocol: a bit for each of them.
 *
 * A host gets the port that it has on the inside, if that is free: fewest surprises for protocols that mention their
 * ports. Else it gets one at random of the same range and, if there is one left, of the same parity, for RTP and RTCP use
 * neighbours (RFC 4787 section 4.2). No port is ever given to two (RFC 4787 REQ-3, RFC 5382 REQ-7).
 */
const PORTS = 65_536;
/** Ports below are the well-known ones: they are only given to who has one inside, and nobody else gets them. */
const FIRST_HIGH_PORT = 1024;
/** What a pool gives when it has none. */
export const NO_PORT = -1;

const WORD_BITS = 32;
const WORDS = PORTS / WORD_BITS;
/** Bits of the even and of the odd ports of a word. */
const PARITY_MASKS = [0x5555_5555, 0xaaaa_aaaa | 0] as const;

export class PortPool {
  /** A set bit is a port that is taken. */
  readonly #taken = new Int32Array(WORDS);
  readonly #hasRanges: boolean;
  readonly #random: () => number;
  #takenCount = 0;

  /**
   * `hasRanges`: range and parity mean something, and there is no port 0. ICMP identifiers have neither. `random` gives
   * the words that say where a search begins.
   */
  constructor(hasRanges: boolean, random: () => number) {
    this.#hasRanges = hasRanges;
    this.#random = random;
    if (hasRanges) this.#taken[0] = 1;
  }

  /** Ports that were taken and not released. */
  get takenCount(): number {
    return this.#takenCount;
  }

  /**
   * Takes a port for a host that has `wanted`; {@link NO_PORT} when none is left. `isBarred` names ports that somebody
   * else holds: they stay free in here, and are not given away.
   */
  take(wanted: number, isBarred: (port: number) => boolean): number {
    if (this.#isFree(wanted) && !isBarred(wanted)) return this.#mark(wanted);
    if (!this.#hasRanges) {
      return this.#search(0, PORTS, -1, isBarred);
    }
    const [from, to] = wanted < FIRST_HIGH_PORT ? [0, FIRST_HIGH_PORT] : [FIRST_HIGH_PORT, PORTS];
    const parity = wanted & 1;
    const sameParity = this.#search(from, to, PARITY_MASKS[parity]!, isBarred);
    return sameParity !== NO_PORT ? sameParity : this.#search(from, to, PARITY_MASKS[1 - parity]!, isBarred);
  }

  /** Takes exactly `port`. False when it is taken already. */
  reserve(port: number): boolean {
    if (!this.#isFree(port)) return false;
    this.#mark(port);
    return true;
  }

  /** `port` is taken. */
  release(port: number): void {
    this.#taken[port >>> 5]! &= ~(1 << (port & 31));
    this.#takenCount -= 1;
  }

  #isFree(port: number): boolean {
    return (this.#taken[port >>> 5]! & (1 << (port & 31))) === 0;
  }

  #mark(port: number): number {
    this.#taken[port >>> 5]! |= 1 << (port & 31);
    this.#takenCount += 1;
    return port;
  }

  /** From a random word of [`from`, `to`) upwards and round, the first free port with its bit in `mask`. */
  #search(from: number, to: number, mask: number, isBarred: (port: number) => boolean): number {
    const words = (to - from) / WORD_BITS;
    const random = this.#random() >>> 0;
    // Where in the word it begins is random as well: the ports after a taken one are as likely as all others.
    const turn = random & 31;
    const first = (random >>> 5) % words;
    for (let i = 0; i < words; i++) {
      const index = from / WORD_BITS + ((first + i) % words);
      const free = ~this.#taken[index]! & mask;
      if (free === 0) continue;
      for (let bit = 0; bit < WORD_BITS; bit++) {
        const at = (bit + turn) & 31;
        if ((free & (1 << at)) === 0) continue;
        const port = index * WORD_BITS + at;
        if (!isBarred(port)) return this.#mark(port);
      }
    }
    return NO_PORT;
  }
}
