/**
 * The seventh step of SEGMENT ARRIVES: what of a segment lies in the window goes into the receive buffer, in order or
 * behind a hole. Also says when it is acknowledged (RFC 5681 section 4.2, RFC 9293 section 3.8.6.3).
 */
import type { ControlBlock } from './control-block.ts';
import { reset } from './ending.ts';
import { sendAck } from './output.ts';
import { noteDuplicate, noteRecentPiece } from './sack-blocks.ts';
import { FIN, type Segment, SYN } from './segment.ts';
import { seqAdd, seqDiff, seqGeq, seqGt, seqLt, seqMin } from './seq.ts';

/** Cuts off what lies outside of the window: octets, SYN and FIN (RFC 9293 section 3.10.7.4, "tailored to fit"). */
export function trim(block: ControlBlock, segment: Segment): void {
  if ((segment.flags & SYN) !== 0) {
    segment.flags &= ~SYN;
    segment.seq = seqAdd(segment.seq, 1);
  }
  const old = seqDiff(block.rcvNxt, segment.seq);
  if (old > 0) {
    const known = Math.min(old, segment.dataBytes);
    if (known > 0 && block.sack) noteDuplicate(block, segment.seq, seqAdd(segment.seq, known));
    if (known > 0) block.ackNow = true;
    if (old > segment.dataBytes) segment.flags &= ~FIN;
    segment.seq = seqAdd(segment.seq, known);
    segment.dataAt += known;
    segment.dataBytes -= known;
  }
  const beyond = seqDiff(seqAdd(segment.seq, segment.dataBytes), block.rcvAdv);
  if (beyond <= 0) return;
  // A FIN beyond the edge goes with the data before it; one alone is taken (see `isAcceptable`).
  segment.flags &= ~FIN;
  segment.dataBytes = Math.max(0, segment.dataBytes - beyond);
  block.ackNow = true;
}

/** The segment has been trimmed. */
export function processText(block: ControlBlock, segment: Segment): void {
  if (!block.receiving) {
    if (segment.dataBytes > 0 && block.receiveClosed && !block.finSeen) reset(block, null);
    return;
  }
  const { seq } = segment;
  if ((segment.flags & FIN) !== 0 && !block.finSeen) {
    block.finSeen = true;
    block.finSeq = seqAdd(seq, segment.dataBytes);
    block.receiveBuffer.pieces.dropFrom(block.finSeq);
  }
  // Nothing comes after a FIN.
  const dataEnd = seqAdd(seq, segment.dataBytes);
  const length = block.finSeen ? seqDiff(seqMin(dataEnd, block.finSeq), seq) : segment.dataBytes;
  if (length <= 0) {
    if (block.finSeen && seqGt(block.finSeq, block.receiveBuffer.next)) sendAck(block);
    return;
  }
  if (block.receiveClosed) {
    // SHLD-3: the user has closed, and these data will never be read.
    reset(block, null);
    return;
  }
  store(block, segment, length);
}

function store(block: ControlBlock, segment: Segment, length: number): void {
  const { receiveBuffer, host } = block;
  const { seq } = segment;
  if (length > block.rcvMss) block.rcvMss = length;
  const hadHole = receiveBuffer.pieces.count > 0;
  if (hadHole) noteKnown(block, seq, seqAdd(seq, length));
  const advance = receiveBuffer.insert(seq, segment.bytes, segment.dataAt, length);
  if (advance > 0) {
    block.rcvNxt = receiveBuffer.next;
    if (block.unackedBytes === 0) block.unackedSinceNs = host.context.nowNs();
    block.unackedBytes += advance;
    block.changed = true;
    // What fills a gap, wholly or in part, is acknowledged at once.
    if (hadHole) block.ackNow = true;
    return;
  }
  // Behind a hole. Each such segment is worth an ACK of its own: the peer counts them.
  host.counters.outOfOrderSegments += 1;
  if (advance === 0) noteRecentPiece(block, seq);
  sendAck(block);
}

/** A segment behind a hole that has come before is reported as a D-SACK (RFC 2883 section 4.1). */
function noteKnown(block: ControlBlock, seq: number, end: number): void {
  const { pieces } = block.receiveBuffer;
  const piece = pieces.find(seq);
  if (!block.sack || piece < 0 || seqLt(pieces.end(piece), end)) return;
  if (seqGeq(seq, pieces.start(piece))) noteDuplicate(block, seq, end);
}
