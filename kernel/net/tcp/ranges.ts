/**
 * Ranges of sequence numbers, apart from each other and in ascending order: what arrived behind a hole (receiver), or
 * what the peer says did (sender). Held in one array of edges, so that a change costs no allocation. The array grows as
 * it is needed: most connections never see a hole.
 */
import { seqDiff, seqGeq, seqGt, seqLeq, seqLt, seqMax, seqMin } from './seq.ts';

const NO_EDGES = new Int32Array(0);
const FIRST_RANGES = 8;

export class Ranges {
  /** Ranges that may be held. */
  readonly limit: number;
  /** Start and end (exclusive), one after the other. */
  #edges = NO_EDGES;
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** First number of range `index`. */
  start(index: number): number {
    return this.#edges[2 * index]!;
  }

  /** The number after the last of range `index`. */
  end(index: number): number {
    return this.#edges[2 * index + 1]!;
  }

  /** Numbers in all ranges together. */
  total(): number {
    let total = 0;
    for (let i = 0; i < this.#count; i++) total += seqDiff(this.end(i), this.start(i));
    return total;
  }

  /** The range that `seq` is in, or -1. */
  find(seq: number): number {
    for (let i = 0; i < this.#count; i++) {
      if (seqLt(seq, this.start(i))) return -1;
      if (seqLt(seq, this.end(i))) return i;
    }
    return -1;
  }

  /**
   * Adds `start` to `end` (exclusive), joined with what it overlaps or touches. False when there is no room for one
   * more range.
   */
  add(start: number, end: number): boolean {
    let first = 0;
    while (first < this.#count && seqLt(this.end(first), start)) first += 1;
    let last = first;
    while (last < this.#count && seqLeq(this.start(last), end)) last += 1;
    if (first === last) {
      if (this.#count === this.limit) return false;
      if (2 * this.#count === this.#edges.length) this.#grow();
      const edges = this.#edges;
      edges.copyWithin(2 * first + 2, 2 * first, 2 * this.#count);
      this.#count += 1;
      edges[2 * first] = start;
      edges[2 * first + 1] = end;
      return true;
    }
    const edges = this.#edges;
    edges[2 * first] = seqMin(start, this.start(first));
    edges[2 * first + 1] = seqMax(end, this.end(last - 1));
    edges.copyWithin(2 * first + 2, 2 * last, 2 * this.#count);
    this.#count -= last - first - 1;
    return true;
  }

  /** Takes away all below `seq`. */
  dropBelow(seq: number): void {
    let gone = 0;
    while (gone < this.#count && seqLeq(this.end(gone), seq)) gone += 1;
    if (gone > 0) {
      this.#edges.copyWithin(0, 2 * gone, 2 * this.#count);
      this.#count -= gone;
    }
    if (this.#count > 0 && seqLt(this.start(0), seq)) this.#edges[0] = seq;
  }

  /** Takes away all from `seq` on. */
  dropFrom(seq: number): void {
    while (this.#count > 0 && seqGeq(this.start(this.#count - 1), seq)) this.#count -= 1;
    if (this.#count > 0 && seqGt(this.end(this.#count - 1), seq)) this.#edges[2 * this.#count - 1] = seq;
  }

  clear(): void {
    this.#count = 0;
  }

  #grow(): void {
    const edges = this.#edges;
    this.#edges = new Int32Array(Math.max(2 * FIRST_RANGES, 2 * edges.length));
    this.#edges.set(edges);
  }
}
