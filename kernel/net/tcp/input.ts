/**
 * SEGMENT ARRIVES, RFC 9293 section 3.10.7, for a connection that exists: step by step, in the order and the words of
 * the RFC, with the changes of RFC 5961 and RFC 7323. Segments for LISTEN are in `listener.ts`, those for nobody in
 * `reset.ts`. What a plain transfer consists of takes the short way of `header-prediction.ts`.
 */
import { isAcceptableAck, processAck } from './acknowledge.ts';
import { challengeAck } from './challenge.ts';
import type { ControlBlock } from './control-block.ts';
import { end, enterFinWait2, enterTimeWait, restartTimeWait, wasReset } from './ending.ts';
import { establish } from './handshake.ts';
import { predicted } from './header-prediction.ts';
import { sendAck, sendSyn } from './output.ts';
import { replyReset } from './reset.ts';
import { noteDuplicate } from './sack-blocks.ts';
import { ACK, FIN, RST, type Segment, SYN, URG } from './segment.ts';
import { seqAdd, seqDiff, seqGeq, seqGt, seqLeq, seqLt, seqMin, seqWithin } from './seq.ts';
import { synSentArrives } from './syn-sent.ts';
import { processText, trim } from './text.ts';

/** A timestamp that was not renewed for longer has wrapped, and says nothing (RFC 7323 section 5.5). */
const TS_RECENT_LIFE_NS = 24 * 24 * 3600 * 1e9;

/**
 * Handles a segment for `block`. True: it asks for a new connection in the place of this one, which is no more, and the
 * listener may have it.
 */
export function segmentArrives(block: ControlBlock, segment: Segment): boolean {
  block.lastReceiveNs = block.host.context.nowNs();
  block.keepAliveProbes = 0;
  if (block.state === 'ESTABLISHED' && predicted(block, segment)) {
    block.host.schedule(block);
    return false;
  }
  if (block.state === 'SYN-SENT') synSentArrives(block, segment);
  else {
    if (block.state === 'TIME-WAIT' && startsAnew(block, segment)) {
      end(block, null);
      return true;
    }
    otherStates(block, segment);
  }
  if (block.state !== 'CLOSED') block.host.schedule(block);
  return false;
}

/** Section 3.10.7.4, and what goes before it in RFC 7323 section 5.3. */
function otherStates(block: ControlBlock, segment: Segment): void {
  if (!checkTimestamps(block, segment)) return;
  const crossed = block.state === 'SYN-RECEIVED' && (segment.flags & (SYN | RST)) === SYN && segment.seq === block.irs;
  if (crossed && (segment.flags & ACK) === 0) {
    // The peer has not heard our SYN,ACK, and sends its SYN again.
    sendSyn(block, 'SYN repeated');
    return;
  }
  // First, check sequence number. In a simultaneous open (figure 7) the peer's SYN,ACK has that of its SYN.
  if (!crossed && !isAcceptable(block, segment)) {
    refuse(block, segment);
    return;
  }
  // Second, check the RST bit: RFC 5961 section 3.2.
  if ((segment.flags & RST) !== 0) {
    rstArrives(block, segment);
    return;
  }
  // Fourth, check the SYN bit: RFC 5961 section 4.2.
  if ((segment.flags & SYN) !== 0 && !crossed) {
    if (block.state === 'SYN-RECEIVED' && !block.active) end(block, null);
    else challengeAck(block);
    return;
  }
  updateTsRecent(block, segment);
  // Fifth, check the ACK field.
  if ((segment.flags & ACK) === 0 || !ackArrives(block, segment)) return;
  // Sixth, check the URG bit.
  if ((segment.flags & URG) !== 0) urgArrives(block, segment);
  // Seventh, process the segment text; eighth, check the FIN bit.
  trim(block, segment);
  processText(block, segment);
  if (block.finSeen && block.receiving && block.receiveBuffer.next === block.finSeq) finArrives(block);
  else if (block.state === 'TIME-WAIT' && (segment.flags & FIN) !== 0) restartTimeWait(block);
}

/** The four cases of table 6. A FIN alone is taken at a closed window too, so that it need not be probed for. */
function isAcceptable(block: ControlBlock, segment: Segment): boolean {
  const { length, seq } = segment;
  const window = block.rcvWnd;
  if (window === 0) {
    if (seq !== block.rcvNxt) return false;
    // MUST-66: RST, URG and ACK count at a closed window too; `trim` takes the data off.
    return true;
  }
  if (seqWithin(seq, block.rcvNxt, window)) return true;
  return length > 0 && seqWithin(seqAdd(seq, length - 1), block.rcvNxt, window);
}

/** "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is set)." */
function refuse(block: ControlBlock, segment: Segment): void {
  if ((segment.flags & RST) !== 0) return;
  block.host.counters.duplicateSegments += 1;
  if (block.state === 'TIME-WAIT' && (segment.flags & FIN) !== 0) restartTimeWait(block);
  if (segment.length === 0 || (segment.flags & SYN) !== 0) {
    challengeAck(block);
    return;
  }
  const dataEnd = seqMin(seqAdd(segment.seq, segment.dataBytes), block.rcvNxt);
  if (block.sack && seqLt(segment.seq, dataEnd)) noteDuplicate(block, segment.seq, dataEnd);
  sendAck(block);
}

/** RFC 5961 section 3.2: only the exact number resets. RFC 1337: TIME-WAIT is not cut short. */
function rstArrives(block: ControlBlock, segment: Segment): void {
  if (block.state === 'TIME-WAIT') return;
  if (segment.seq === block.rcvNxt) wasReset(block);
  else challengeAck(block);
}

/** False when the segment ends here. */
function ackArrives(block: ControlBlock, segment: Segment): boolean {
  if (block.state === 'SYN-RECEIVED') {
    if (!seqLt(block.sndUna, segment.ack) || seqGt(segment.ack, block.sndMax)) {
      replyReset(block.host, segment);
      return false;
    }
    if ((segment.flags & SYN) === 0) return establish(block, segment);
    block.ackNow = true;
    return establish(block, segment, 0);
  }
  if (!isAcceptableAck(block, segment.ack)) {
    challengeAck(block);
    return false;
  }
  processAck(block, segment);
  const finAcked = block.finQueued && seqGt(block.sndUna, block.sendBuffer.end);
  if (!finAcked) return true;
  switch (block.state) {
    case 'FIN-WAIT-1':
      enterFinWait2(block);
      return true;
    case 'CLOSING':
      enterTimeWait(block);
      return true;
    case 'LAST-ACK':
      end(block, null);
      return false;
    default:
      return true;
  }
}

/** RCV.UP <- max(RCV.UP, SEG.UP); the pointer is to the octet after the urgent data (RFC 6093). */
function urgArrives(block: ControlBlock, segment: Segment): void {
  if (!block.receiving) return;
  const pointer = seqAdd(segment.seq, segment.urgentPointer);
  if (block.rcvUrgent && seqLeq(pointer, block.rcvUp)) return;
  block.rcvUp = pointer;
  block.rcvUrgent = true;
  block.notify();
}

/** All up to the FIN has arrived. */
function finArrives(block: ControlBlock): void {
  block.rcvNxt = seqAdd(block.finSeq, 1);
  if (seqDiff(block.rcvNxt, block.rcvAdv) > 0) block.rcvAdv = block.rcvNxt;
  block.ackNow = true;
  switch (block.state) {
    case 'ESTABLISHED':
      block.state = 'CLOSE-WAIT';
      break;
    case 'FIN-WAIT-1':
      // Had our FIN been acknowledged in this segment, the state would be FIN-WAIT-2 by now.
      block.state = 'CLOSING';
      break;
    default:
      enterTimeWait(block);
  }
  block.notify();
}

/** PAWS, RFC 7323 section 5.3 step R1, and section 3.2 for a segment without timestamps. False: it ends here. */
function checkTimestamps(block: ControlBlock, segment: Segment): boolean {
  if (!block.timestamps || (segment.flags & RST) !== 0) return true;
  // A SYN is never taken (RFC 5961 section 4.2), but always answered: its sender may have forgotten the connection.
  if ((segment.flags & SYN) !== 0) return true;
  if (!segment.hasTimestamps) return false;
  if (!seqLt(segment.tsVal, block.tsRecent)) return true;
  if (block.host.context.nowNs() - block.tsRecentNs > TS_RECENT_LIFE_NS) return true;
  block.host.counters.pawsRejected += 1;
  if (segment.dataBytes === 0) challengeAck(block);
  else sendAck(block);
  return false;
}

/** Step R3: only what starts no later than the last ACK may advance it. */
function updateTsRecent(block: ControlBlock, segment: Segment): void {
  if (!segment.hasTimestamps || !block.timestamps) return;
  if (seqGt(segment.seq, block.lastAckSent)) return;
  block.tsRecent = segment.tsVal;
  block.tsRecentNs = block.host.context.nowNs();
}

/** RFC 9293 section 3.10.7.4 and RFC 6191 section 2: a SYN that cannot be an old duplicate opens a new connection. */
function startsAnew(block: ControlBlock, segment: Segment): boolean {
  if ((segment.flags & (SYN | ACK | RST)) !== SYN) return false;
  if (segment.hasTimestamps && block.options.timestamps) {
    // The timestamps of the new connection protect it from segments of the old one, which has none.
    if (!block.timestamps) return true;
    if (segment.tsVal !== block.tsRecent) return seqGt(segment.tsVal, block.tsRecent);
  }
  return seqGeq(segment.seq, block.rcvNxt);
}
