/**
 * How losses are found and repaired: fast retransmit and limited transmit (RFC 5681, RFC 3042), NewReno (RFC 6582), SACK
 * (RFC 6675), and what a timeout changes (RFC 6298). What it means for the windows, the congestion control decides.
 */
import type { ControlBlock } from './control-block.ts';
import { armIn, sendAgain } from './output.ts';
import { DUPLICATE_THRESHOLD } from './scoreboard.ts';
import { seqDiff, seqGeq, seqGt, seqLeq } from './seq.ts';

/** SND.UNA has moved by `count` octets. */
export function acknowledgedNew(block: ControlBlock, count: number): void {
  const { congestion, scoreboard } = block;
  scoreboard.sacked.dropBelow(block.sndUna);
  block.dupAcks = 0;
  block.limitedTransmit = 0;
  // Whatever ICMP has reported, the path works.
  block.softError = null;
  let restartTimer = true;
  if (block.recovery === 'recovery') restartTimer = inRecovery(block, count);
  else {
    if (block.recovery === 'loss' && seqGeq(block.sndUna, block.recover)) block.recovery = 'open';
    congestion.acknowledged(count, block.host.context.nowNs(), block.rtt.srttNs);
  }
  block.retries = 0;
  block.persisting = false;
  // RFC 6298 sections 5.2 and 5.3.
  if (block.sndUna === block.sndMax) block.timers.retransmit.cancel();
  else {
    block.unansweredSinceNs = block.host.context.nowNs();
    if (restartTimer) armIn(block, block.rtt.timeoutNs());
  }
}

/** RFC 6582 section 3.2, step 3. Returns whether the timer restarts: for the first partial ACK alone. */
function inRecovery(block: ControlBlock, count: number): boolean {
  const { congestion } = block;
  if (seqGeq(block.sndUna, block.recover)) {
    if (!block.sack)
      congestion.cwnd = Math.min(congestion.ssthresh, Math.max(block.flight, block.sndMss) + block.sndMss);
    else if (block.options.proportionalRateReduction) congestion.cwnd = congestion.ssthresh;
    block.recovery = 'open';
    return true;
  }
  // A partial ACK. With SACK, `output` finds the next hole.
  if (block.sack) return true;
  if (!congestion.keepsRecovering) {
    congestion.cwnd = congestion.ssthresh;
    block.recovery = 'open';
    return true;
  }
  sendAgain(block, block.sndUna, block.sndMax, 'partial ACK');
  congestion.cwnd = Math.max(block.sndMss, congestion.cwnd - count + (count >= block.sndMss ? block.sndMss : 0));
  const first = !block.partialAckSeen;
  block.partialAckSeen = true;
  return first;
}

/** A duplicate acknowledgement. */
export function acknowledgedAgain(block: ControlBlock): void {
  block.dupAcks += 1;
  if (block.dupAcks === 1) block.flightAtDuplicate = block.flight;
  if (block.recovery === 'recovery') {
    if (!block.sack) block.congestion.cwnd += block.sndMss;
    return;
  }
  const lost =
    block.dupAcks >= DUPLICATE_THRESHOLD || (block.sack && block.scoreboard.isLost(block.sndUna, block.sndMss));
  // RFC 6582 section 4: what was sent again after a timeout, or in an earlier recovery, causes duplicates too.
  const fresh = block.sack ? seqGeq(block.sndUna, block.recover) : seqGt(block.sndUna, block.recover);
  if (lost && fresh) enterRecovery(block);
  else if (block.recovery === 'open' && block.dupAcks < DUPLICATE_THRESHOLD) {
    block.limitedTransmit = block.dupAcks * block.sndMss;
  }
}

/** RFC 5681 section 3.2 steps 2 and 3; RFC 6675 section 5 steps 4.1 to 4.3. */
function enterRecovery(block: ControlBlock): void {
  const { congestion, scoreboard } = block;
  block.host.counters.fastRetransmits += 1;
  block.recover = block.sndMax;
  block.recovery = 'recovery';
  block.partialAckSeen = false;
  // What limited transmit sent does not count (RFC 5681 section 3.2).
  block.limitedTransmit = 0;
  congestion.lost(block.flightAtDuplicate, block.host.context.nowNs());
  block.rateReduction.begin(block.flightAtDuplicate);
  const { sacked } = scoreboard;
  const limit = sacked.count > 0 ? sacked.start(0) : block.sndMax;
  const end = sendAgain(block, block.sndUna, limit, 'fast retransmit');
  if (block.sack) {
    block.rateReduction.sent(seqDiff(end, block.sndUna));
    scoreboard.highRetransmitted = end;
    congestion.cwnd = congestion.ssthresh;
  } else {
    congestion.cwnd = congestion.ssthresh + DUPLICATE_THRESHOLD * block.sndMss;
  }
}

/** The timer fired: all in flight counts as lost, and goes out again as slow start allows. `output` sends it. */
export function afterTimeout(block: ControlBlock): void {
  block.congestion.timedOut(block.flight, block.retries === 1, block.host.context.nowNs());
  block.recover = block.sndMax;
  block.recovery = 'loss';
  block.dupAcks = 0;
  block.limitedTransmit = 0;
  block.timing = false;
  // The peer may have thrown away what it had behind the hole (RFC 2018 section 8).
  block.scoreboard.clear();
  block.sndNxt = block.sndUna;
  block.resendReason = 'timeout';
}

/** Everything from SND.UNA on goes out again, though no timer fired and no window shrinks: the path MTU did. */
export function sendFromStart(block: ControlBlock): void {
  if (seqLeq(block.sndMax, block.sndUna)) return;
  block.recover = block.sndMax;
  block.recovery = 'loss';
  block.timing = false;
  block.scoreboard.clear();
  block.sndNxt = block.sndUna;
  block.resendReason = 'path MTU';
}
