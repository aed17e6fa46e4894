/**
 * What a connection sends: new data as windows, Nagle and silly window avoidance allow (RFC 9293 sections 3.7.4 and
 * 3.8.6.2.1), what a timeout or SACK asks to have again, the FIN, and acknowledgements.
 */
import type { ResendReason } from '../../trace.ts';
import type { ControlBlock } from './control-block.ts';
import { ACK, FIN, PSH, SYN } from './segment.ts';
import { seqAdd, seqDiff, seqGeq, seqGt, seqLt, seqMax } from './seq.ts';
import { payloadLimit, timestampNow, transmit } from './transmit.ts';

/** RFC 9293 section 3.8.6.2.1, rule 4: after this long a small segment is sent into a small window. */
const OVERRIDE_NS = 500_000_000;
/** What TCP_CORK holds back, it holds back for so long at most. */
const CORK_NS = 200_000_000;
/** No packet buffer was free: when to try again. */
const RETRY_NS = 10_000_000;
/** Full segments after which an acknowledgement is due (RFC 5681 section 4.2). */
const ACK_EVERY_SEGMENTS = 2;

const HOLE = { start: 0, end: 0 };

/** Sends all that may be sent now, and sees to the timers that belong to it. */
export function output(block: ControlBlock): void {
  if (mayHaveData(block)) {
    restartAfterIdle(block);
    if (block.recovery === 'recovery' && block.sack) sendByPipe(block);
    else while (sendNext(block, block.congestion.cwnd + block.limitedTransmit, false));
    armRetransmit(block);
  }
  acknowledge(block);
}

/** A bare ACK, now: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
export function sendAck(block: ControlBlock): void {
  // After a timeout SND.NXT is old, and the peer would refuse the segment as old; but what a probe sent may lie beyond
  // the peer's window.
  const seq = block.persisting ? block.sndNxt : seqMax(block.sndNxt, block.sndMax);
  if (transmit(block, seq, 0, ACK)) return;
  block.ackNow = true;
  block.timers.delayedAck.armIn(RETRY_NS);
}

/** SYN or, when the peer's is there, SYN,ACK; `reason`, for observers, when it is sent again. */
export function sendSyn(block: ControlBlock, reason: ResendReason | null = null): void {
  const again = block.sndMax !== block.iss;
  transmit(block, block.iss, 0, block.state === 'SYN-SENT' ? SYN : SYN | ACK, reason);
  const nowNs = block.host.context.nowNs();
  block.sndNxt = block.sndMax = seqAdd(block.iss, 1);
  if (again) noteRetransmission(block, block.sndMax);
  else {
    block.timing = true;
    block.timedSeq = block.sndMax;
    block.timedNs = block.unansweredSinceNs = nowNs;
  }
  block.lastSendNs = nowNs;
  armIn(block, block.rtt.timeoutNs());
}

/** Sends again what starts at `seq`, at most up to `limit` (exclusive); SND.NXT stays. Returns where it ended. */
export function sendAgain(block: ControlBlock, seq: number, limit: number, reason: ResendReason): number {
  const { sendBuffer } = block;
  const edge = seqAdd(block.sndUna, Math.max(1, block.sndWnd));
  const dataEnd = sendBuffer.end;
  const room = Math.min(payloadLimit(block), seqDiff(dataEnd, seq), seqDiff(limit, seq), seqDiff(edge, seq));
  const dataBytes = Math.max(0, room);
  const end = seqAdd(seq, dataBytes);
  const fin = block.finSent && end === dataEnd;
  if (dataBytes === 0 && !fin) return seq;
  const flags = ACK | (end === dataEnd && dataBytes > 0 ? PSH : 0) | (fin ? FIN : 0);
  if (!transmit(block, seq, dataBytes, flags, reason)) return seq;
  const next = fin ? seqAdd(end, 1) : end;
  noteRetransmission(block, next);
  return next;
}

/** Sends one octet beyond the window, or what there is of FIN: the peer must answer (RFC 9293 section 3.8.6.1). */
export function sendProbe(block: ControlBlock): void {
  block.host.counters.zeroWindowProbes += 1;
  const seq = block.sndUna;
  const dataBytes = Math.min(1, block.sendBuffer.length);
  const fin = dataBytes === 0 && block.finQueued;
  transmit(block, seq, dataBytes, fin ? ACK | FIN : ACK, 'zero window probe');
  block.sndNxt = seq;
  block.sndMax = seqMax(block.sndMax, seqAdd(seq, fin ? 1 : dataBytes));
  block.timing = false;
}

/** The override timer: sends what fits into a window that is too small to be worth it (rule 4). */
export function sendOverride(block: ControlBlock): void {
  sendNext(block, block.congestion.cwnd, true);
}

/** How long the user wants to wait for an answer: Infinity unless there is such a time. */
export function patience(block: ControlBlock): number {
  const { userTimeoutNs, openTimeoutNs } = block.options;
  const limitNs = userTimeoutNs === 0 && !block.synchronized ? openTimeoutNs : userTimeoutNs;
  return limitNs === 0 ? Number.POSITIVE_INFINITY : limitNs;
}

/** Arms the retransmission timer, so that the end of the user's patience is not overslept. */
export function armIn(block: ControlBlock, delayNs: number): void {
  const leftNs = block.unansweredSinceNs + patience(block) - block.host.context.nowNs();
  block.timers.retransmit.armIn(Math.max(0, Math.min(delayNs, leftNs)));
}

/** Whether the state is one in which data or a FIN are sent or sent again. */
function mayHaveData(block: ControlBlock): boolean {
  switch (block.state) {
    case 'ESTABLISHED':
    case 'CLOSE-WAIT':
    case 'FIN-WAIT-1':
    case 'CLOSING':
    case 'LAST-ACK':
      return true;
    default:
      return false;
  }
}

/** RFC 5681 section 4.1. */
function restartAfterIdle(block: ControlBlock): void {
  if (!block.options.slowStartAfterIdle || block.sndUna !== block.sndMax || block.sendBuffer.length === 0) return;
  if (block.host.context.nowNs() - block.lastSendNs > block.rtt.timeoutNs()) block.congestion.idle();
}

/**
 * Sends the segment at SND.NXT, unless windows, Nagle or silly window avoidance are against it. `allowedBytes`, counted
 * from SND.UNA, is what congestion control allows; `force`: silly or not. False when nothing was sent.
 */
function sendNext(block: ControlBlock, allowedBytes: number, force: boolean): boolean {
  skipSacked(block);
  const seq = block.sndNxt;
  const left = seqDiff(block.sendBuffer.end, seq);
  // After the FIN there is nothing.
  if (left < 0 || (left === 0 && !block.finQueued)) return false;
  const window = Math.min(block.sndWnd, allowedBytes);
  const usable = Math.max(0, seqDiff(seqAdd(block.sndUna, window), seq));
  const limit = payloadLimit(block);
  let dataBytes = Math.min(left, limit, usable);
  const again = seqLt(seq, block.sndMax);
  if (again) dataBytes = Math.min(dataBytes, untilSacked(block, seq));
  const fin = block.finQueued && dataBytes === left;
  if (dataBytes === 0 && !fin) return false;
  if (!(force || again || fin || dataBytes === limit || isWorthSending(block, dataBytes, left))) return false;
  const flags = ACK | (dataBytes === left && dataBytes > 0 ? PSH : 0) | (fin ? FIN : 0);
  if (!transmit(block, seq, dataBytes, flags, again ? block.resendReason : null)) {
    block.timers.delayedAck.armIn(RETRY_NS);
    return false;
  }
  noteSent(block, seqAdd(seq, dataBytes + (fin ? 1 : 0)), again);
  return true;
}

/** RFC 9293 section 3.8.6.2.1, rules 2 and 3, for less than a full segment; Nagle is the condition in brackets. */
function isWorthSending(block: ControlBlock, dataBytes: number, left: number): boolean {
  const quiet = block.options.noDelay || block.sndNxt === block.sndUna;
  if (quiet && !block.options.cork && (dataBytes === left || 2 * dataBytes >= block.maxSndWnd)) return true;
  return block.sndUrgent && seqGt(block.sndUp, block.sndNxt);
}

function noteSent(block: ControlBlock, end: number, again: boolean): void {
  const nowNs = block.host.context.nowNs();
  if (again) noteRetransmission(block, end);
  if (seqGt(end, block.sndMax)) {
    if (block.sndMax === block.sndUna) block.unansweredSinceNs = nowNs;
    // While there is a hole, a cumulative ACK says more of the hole than of the path.
    if (!block.timing && !again && block.recovery === 'open') {
      block.timing = true;
      block.timedSeq = end;
      block.timedNs = nowNs;
    }
    block.sndMax = end;
  }
  block.sndNxt = end;
  block.lastSendNs = nowNs;
}

function noteRetransmission(block: ControlBlock, end: number): void {
  block.timing = false;
  block.retransmittedTs = timestampNow(block);
  block.retransmits += 1;
  block.host.counters.retransmitted += 1;
  if (seqGt(end, block.retransmittedTo)) block.retransmittedTo = end;
}

/** After a timeout SND.NXT goes once more through what was sent; what the peer says it has is passed over. */
function skipSacked(block: ControlBlock): void {
  const { sacked } = block.scoreboard;
  if (sacked.count === 0 || seqGeq(block.sndNxt, block.sndMax)) return;
  const range = sacked.find(block.sndNxt);
  if (range >= 0) block.sndNxt = sacked.end(range);
}

/** Octets from `seq` to the next that the peer has. */
function untilSacked(block: ControlBlock, seq: number): number {
  const { sacked } = block.scoreboard;
  for (let i = 0; i < sacked.count; i++) if (seqGt(sacked.start(i), seq)) return seqDiff(sacked.start(i), seq);
  return Number.POSITIVE_INFINITY;
}

/** RFC 6675 section 5, step C: as long as `pipe` leaves room, holes, then new data, then doubtful holes. */
function sendByPipe(block: ControlBlock): void {
  const { scoreboard, congestion } = block;
  const mss = block.sndMss;
  let pipe = scoreboard.pipe(block.sndUna, block.sndMax, mss);
  block.sndNxt = block.sndMax;
  while (congestion.cwnd - pipe >= mss) {
    const sent = sendInRecovery(block);
    if (sent === 0) return;
    pipe += sent;
    block.rateReduction.sent(sent);
  }
}

/** Sends one segment of those that NextSeg() names. Returns its octets, 0 when there is none. */
function sendInRecovery(block: ControlBlock): number {
  const { scoreboard } = block;
  const mss = block.sndMss;
  if (scoreboard.nextHole(block.sndUna, mss, true, HOLE)) return fillHole(block);
  const before = block.sndMax;
  if (sendNext(block, Number.MAX_SAFE_INTEGER, false)) return seqDiff(block.sndMax, before);
  return scoreboard.nextHole(block.sndUna, mss, false, HOLE) ? fillHole(block) : 0;
}

/** Sends one segment of the hole in {@link HOLE} again. */
function fillHole(block: ControlBlock): number {
  const end = sendAgain(block, HOLE.start, HOLE.end, 'SACK');
  block.scoreboard.highRetransmitted = seqMax(block.scoreboard.highRetransmitted, end);
  return seqDiff(end, HOLE.start);
}

/**
 * RFC 6298 section 5.1 for what is in flight. With nothing in flight and data that may not be sent, the persist timer
 * runs instead, so that a lost window update does not stop the connection for ever.
 */
function armRetransmit(block: ControlBlock): void {
  const { retransmit } = block.timers;
  if (block.sndMax !== block.sndUna) {
    if (block.persisting && block.sndNxt !== block.sndUna) {
      block.persisting = false;
      block.retries = 0;
      retransmit.cancel();
    }
    if (!retransmit.armed) armIn(block, block.rtt.timeoutNs());
    return;
  }
  if (block.sendBuffer.length === 0 || retransmit.armed) return;
  block.persisting = true;
  block.retries = 0;
  block.unansweredSinceNs = block.host.context.nowNs();
  armIn(block, block.sndWnd === 0 ? block.rtt.probeNs(0) : block.options.cork ? CORK_NS : OVERRIDE_NS);
}

/** RFC 9293 section 3.8.6.3. The timer is left running when an ACK goes out: when it fires it looks what is due. */
function acknowledge(block: ControlBlock): void {
  if (block.state === 'CLOSED' || block.state === 'SYN-SENT') return;
  if (block.ackNow || block.unackedBytes >= ACK_EVERY_SEGMENTS * block.rcvMss) sendAck(block);
  else if (block.unackedBytes === 0) return;
  else if (block.quickAcksLeft > 0) {
    block.quickAcksLeft -= 1;
    sendAck(block);
  } else if (!block.timers.delayedAck.armed) block.timers.delayedAck.armIn(block.options.delayedAckNs);
}

/** The timer of delayed acknowledgements fired. */
export function delayedAckIsDue(block: ControlBlock): void {
  if (block.unackedBytes > 0 && !block.ackNow) {
    const leftNs = block.unackedSinceNs + block.options.delayedAckNs - block.host.context.nowNs();
    if (leftNs > 0) {
      block.timers.delayedAck.armIn(leftNs);
      return;
    }
    block.ackNow = true;
  }
  output(block);
}
