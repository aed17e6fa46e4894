/**
 * The sender's side of SACK, RFC 6675: which octets the peer says it has, which of the others are lost, and how many
 * are still on their way.
 */
import { Ranges } from './ranges.ts';
import type { Segment } from './segment.ts';
import { seqDiff, seqGt, seqLeq, seqLt, seqMax, seqMin } from './seq.ts';

/** Ranges remembered: as many holes as a window of this size is likely to have. */
const MAX_RANGES = 256;
/** DupThresh (RFC 6675 section 2, RFC 5681 section 3.2). */
export const DUPLICATE_THRESHOLD = 3;

export class Scoreboard {
  readonly sacked = new Ranges(MAX_RANGES);
  /** HighRxt: everything below was sent again in this recovery, as far as it was missing. */
  highRetransmitted = 0;

  /**
   * Update(): the blocks of `segment`, as far as they lie between `una` and `max`. Others are D-SACKs (RFC 2883) or
   * nonsense. Returns whether anything new was learnt.
   */
  update(segment: Segment, una: number, max: number): boolean {
    const before = this.sacked.total();
    for (let i = 0; i < segment.sackBlocks; i++) {
      const start = segment.sackEdges[2 * i]!;
      const end = segment.sackEdges[2 * i + 1]!;
      if (!seqLt(start, end) || seqGt(end, max) || seqLeq(end, una) || seqLt(start, una)) continue;
      this.sacked.add(start, end);
    }
    return this.sacked.total() !== before;
  }

  /** Octets that SACK says have arrived above `seq`. */
  #sackedAbove(seq: number): number {
    let total = 0;
    for (let i = this.sacked.count - 1; i >= 0 && seqGt(this.sacked.start(i), seq); i--) {
      total += seqDiff(this.sacked.end(i), this.sacked.start(i));
    }
    return total;
  }

  #rangesAbove(seq: number): number {
    let count = 0;
    for (let i = this.sacked.count - 1; i >= 0 && seqGt(this.sacked.start(i), seq); i--) count += 1;
    return count;
  }

  /** IsLost(): enough above `seq`, which is not sacked, has arrived. */
  isLost(seq: number, mss: number): boolean {
    if (this.#rangesAbove(seq) >= DUPLICATE_THRESHOLD) return true;
    return this.#sackedAbove(seq) > (DUPLICATE_THRESHOLD - 1) * mss;
  }

  /** SetPipe(): octets between `una` and `max` that are taken to be in the network. */
  pipe(una: number, max: number, mss: number): number {
    let pipe = 0;
    let from = una;
    for (let i = 0; i <= this.sacked.count; i++) {
      const to = i < this.sacked.count ? this.sacked.start(i) : max;
      if (seqLt(from, to)) {
        if (!this.isLost(from, mss)) pipe += seqDiff(to, from);
        pipe += Math.max(0, seqDiff(seqMin(to, this.highRetransmitted), from));
      }
      if (i < this.sacked.count) from = this.sacked.end(i);
    }
    return pipe;
  }

  /** Octets between `una` and the highest sacked one that are held to be lost. */
  lost(una: number, mss: number): number {
    let lost = 0;
    let from = una;
    for (let i = 0; i < this.sacked.count; i++) {
      const to = this.sacked.start(i);
      if (seqLt(from, to) && this.isLost(from, mss)) lost += seqDiff(to, from);
      from = this.sacked.end(i);
    }
    return lost;
  }

  /**
   * NextSeg(), rules 1 and 3: the start of the next hole to fill above HighRxt, and `end` where it ends; false when
   * there is none. `lostOnly`: rule 1.
   */
  nextHole(una: number, mss: number, lostOnly: boolean, hole: { start: number; end: number }): boolean {
    let from = seqMax(una, this.highRetransmitted);
    for (let i = 0; i < this.sacked.count; i++) {
      const to = this.sacked.start(i);
      if (seqLt(from, to) && (!lostOnly || this.isLost(from, mss))) {
        hole.start = from;
        hole.end = to;
        return true;
      }
      from = seqMax(from, this.sacked.end(i));
    }
    return false;
  }

  clear(): void {
    this.sacked.clear();
  }
}
