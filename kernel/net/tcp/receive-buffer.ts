/**
 * What has arrived and the user has not read: octets in order, and behind them, at their place in the same ring, those
 * that arrived behind a hole (RFC 9293 SHLD-31). The first copy of an octet wins: a later one is never written.
 */
import { Ranges } from './ranges.ts';
import { Ring } from './ring.ts';
import { seqAdd, seqDiff, seqGt, seqLt, seqMax, seqMin } from './seq.ts';

/** Pieces that may lie behind holes. One more is refused, as if it had been lost on the way. */
const MAX_PIECES = 256;

export class ReceiveBuffer {
  /** Bytes that may wait to be read. */
  limit: number;
  /** What arrived behind a hole. */
  readonly pieces = new Ranges(MAX_PIECES);
  /** The next octet that the user reads. */
  #readNext = 0;
  /** RCV.NXT, as far as data go: the first octet that is missing. */
  #next = 0;
  readonly #ring = new Ring();

  constructor(limit: number) {
    this.limit = limit;
  }

  get next(): number {
    return this.#next;
  }

  get readNext(): number {
    return this.#readNext;
  }

  /** Octets that can be read. */
  get length(): number {
    return seqDiff(this.#next, this.#readNext);
  }

  /** Bytes of memory that the buffer takes. */
  get heldBytes(): number {
    return this.#ring.size;
  }

  /** Octets from RCV.NXT on for which there is room. */
  get room(): number {
    return Math.max(0, this.limit - this.length);
  }

  /** Before the first octet: it will have the number `seq`. */
  begin(seq: number): void {
    this.#readNext = this.#next = seq;
  }

  /**
   * Takes `length` octets of `bytes` at `at`, which have the numbers from `seq` on and lie in the window. Returns by how
   * much RCV.NXT moved: 0 for a piece behind a hole, or when nothing of it was new; -1 when it was refused.
   */
  insert(seq: number, bytes: Uint8Array, at: number, length: number): number {
    const end = seqAdd(seq, length);
    const start = seqMax(seq, this.#next);
    if (!seqLt(start, end)) return 0;
    const offset = at + seqDiff(start, seq);
    const pieces = this.pieces;
    if (pieces.count === 0) {
      this.#reserve(end);
      this.#ring.write(start, bytes, offset, seqDiff(end, start));
      if (start !== this.#next) return pieces.add(start, end) ? 0 : -1;
      this.#next = end;
      return seqDiff(end, start);
    }
    return this.#insertAmongPieces(start, end, bytes, offset);
  }

  /** Up to `maxBytes` octets, the caller's own; null when there is none. */
  read(maxBytes: number): Uint8Array | null {
    const bytes = this.peek(maxBytes);
    if (bytes !== null) this.#readNext = seqAdd(this.#readNext, bytes.length);
    return bytes;
  }

  /** As `read`, but the octets stay. */
  peek(maxBytes: number): Uint8Array | null {
    const count = Math.min(maxBytes, this.length);
    if (count <= 0) return null;
    const bytes = new Uint8Array(count);
    this.#ring.read(this.#readNext, count, bytes, 0);
    return bytes;
  }

  /** Throws away what cannot be read any more, and gives the memory back. */
  release(): void {
    this.#readNext = this.#next;
    this.pieces.clear();
    this.#ring.release();
  }

  #insertAmongPieces(start: number, end: number, bytes: Uint8Array, at: number): number {
    const pieces = this.pieces;
    const inOrder = start === this.#next;
    // One more piece than there may be would have no place in the list. A piece in order always has.
    if (!inOrder && pieces.count === pieces.limit) return -1;
    this.#reserve(end);
    let from = start;
    for (let i = 0; i < pieces.count && seqLt(from, end); i++) {
      if (!seqLt(from, pieces.end(i))) continue;
      const gapEnd = seqMin(end, pieces.start(i));
      if (seqLt(from, gapEnd)) this.#ring.write(from, bytes, at + seqDiff(from, start), seqDiff(gapEnd, from));
      from = seqMax(from, pieces.end(i));
    }
    if (seqLt(from, end)) this.#ring.write(from, bytes, at + seqDiff(from, start), seqDiff(end, from));
    if (!inOrder) {
      pieces.add(start, end);
      return 0;
    }
    let next = end;
    while (pieces.count > 0 && !seqGt(pieces.start(0), next)) {
      next = seqMax(next, pieces.end(0));
      pieces.dropBelow(next);
    }
    const advance = seqDiff(next, this.#next);
    this.#next = next;
    return advance;
  }

  #reserve(end: number): void {
    const used = pieceEnd(this.pieces, this.#next);
    this.#ring.reserve(this.#readNext, seqDiff(used, this.#readNext), seqDiff(seqMax(end, used), this.#readNext));
  }
}

const pieceEnd = (pieces: Ranges, next: number): number => (pieces.count === 0 ? next : pieces.end(pieces.count - 1));
