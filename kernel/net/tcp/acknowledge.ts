/**
 * The ACK field of a segment that is acceptable: RFC 9293 section 3.10.7.4, fifth step, for a connection that is
 * established. Moves SND.UNA, takes round-trip samples, finds duplicates, and keeps SND.WND.
 */
import type { ControlBlock } from './control-block.ts';
import { deliveredBytes, reduceRate } from './rate-reduction.ts';
import { acknowledgedAgain, acknowledgedNew } from './recovery.ts';
import type { Segment } from './segment.ts';
import { seqAdd, seqDiff, seqGeq, seqGt, seqLeq, seqLt } from './seq.ts';
import { timestampNow } from './transmit.ts';

const NS_PER_MS = 1_000_000;

/** Whether the ACK may be processed: RFC 5961 section 5.2. One that may not is answered. */
export function isAcceptableAck(block: ControlBlock, ack: number): boolean {
  return seqLeq(ack, block.sndMax) && seqGeq(ack, seqAdd(block.sndUna, -Math.max(block.maxSndWnd, 1)));
}

export function processAck(block: ControlBlock, segment: Segment): void {
  const { ack } = segment;
  const { sndUna } = block;
  const before = reduces(block) ? deliveredBytes(block) : 0;
  const window = segment.window << block.sndScale;
  const news = segment.sackBlocks > 0 && block.sack && block.scoreboard.update(segment, block.sndUna, block.sndMax);
  if (seqGt(ack, block.sndUna)) {
    takeNew(block, segment);
  } else if (block.flight > 0 && !block.persisting && (block.sack ? news : isDuplicate(block, segment, window))) {
    // With SACK, a duplicate is what brings news (RFC 6675 section 2): a D-SACK, or an answer to a probe, is none.
    acknowledgedAgain(block);
  }
  if (block.recovery === 'recovery' && reduces(block)) reduceRate(block, (deliveredBytes(block) - before) | 0);
  if (seqLeq(block.sndUna, ack)) takeWindow(block, segment, window, seqDiff(block.sndUna, sndUna));
}

const reduces = (block: ControlBlock): boolean => block.sack && block.options.proportionalRateReduction;

/** RFC 5681 section 2. A segment that changes the window is no duplicate. */
function isDuplicate(block: ControlBlock, segment: Segment, window: number): boolean {
  return segment.length === 0 && segment.ack === block.sndUna && window === block.sndWnd;
}

/** SND.UNA < SEG.ACK =< SND.NXT. */
function takeNew(block: ControlBlock, segment: Segment): void {
  const { ack } = segment;
  const count = seqDiff(ack, block.sndUna);
  takeSample(block, segment);
  block.sndUna = ack;
  if (seqLt(block.sndNxt, ack)) block.sndNxt = ack;
  block.sendBuffer.acknowledge(ack);
  if (block.sndUrgent && seqLeq(block.sndUp, ack)) block.sndUrgent = false;
  acknowledgedNew(block, count);
  block.changed = true;
}

/** RFC 6298 section 3: what was sent again gives no sample, unless timestamps say which copy is meant. */
function takeSample(block: ControlBlock, segment: Segment): void {
  const nowNs = block.host.context.nowNs();
  if (block.timing && seqGeq(segment.ack, block.timedSeq)) {
    block.timing = false;
    block.rtt.sample(nowNs - block.timedNs);
  } else if (block.timestamps && seqLt(block.sndUna, block.retransmittedTo)) {
    if (!segment.hasTimestamps || seqLt(segment.tsEcr, block.retransmittedTs)) return;
    const rttMs = seqDiff(timestampNow(block), segment.tsEcr);
    if (rttMs >= 0) block.rtt.sample(rttMs * NS_PER_MS);
  }
}

/**
 * Only a segment that is not older than the last that did may set the window: SND.WL1, SND.WL2. When an older one has
 * acknowledged `count` octets, the right edge stays where the peer has put it.
 */
function takeWindow(block: ControlBlock, segment: Segment, window: number, count: number): void {
  const newer = seqLt(block.sndWl1, segment.seq);
  if (!newer && !(block.sndWl1 === segment.seq && seqLeq(block.sndWl2, segment.ack))) {
    block.sndWnd = Math.max(0, block.sndWnd - count);
    return;
  }
  block.sndWl1 = segment.seq;
  block.sndWl2 = segment.ack;
  if (window === block.sndWnd) {
    answeredProbe(block);
    return;
  }
  block.sndWnd = window;
  if (window > block.maxSndWnd) block.maxSndWnd = window;
  if (window > 0 && block.persisting) {
    // The window has opened: what the probe sent goes out again, for it may have been refused.
    block.persisting = false;
    block.retries = 0;
    block.sndNxt = block.sndUna;
    block.resendReason = 'window opened';
    block.timers.retransmit.cancel();
  } else answeredProbe(block);
}

/**
 * A peer that answers probes is alive, however long its window stays closed (MUST-37). Not so when the user is gone: then
 * the window has to open within R2, or anybody could keep connections here for ever (RFC 6429 section 4).
 */
function answeredProbe(block: ControlBlock): void {
  if (block.persisting && !block.receiveClosed) block.unansweredSinceNs = block.host.context.nowNs();
}
