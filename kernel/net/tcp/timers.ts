/**
 * The timers of a connection, RFC 9293 section 3.8 and 3.10.8: retransmission and persist (one timer, for they exclude
 * each other), delayed ACK, keep-alive, and the waits for the end. Each is made once and armed again and again.
 */
import { SocketError } from '../socket-error.ts';
import type { ControlBlock } from './control-block.ts';
import { end, reset, timedOut } from './ending.ts';
import { armIn, delayedAckIsDue, output, patience, sendOverride, sendProbe, sendSyn } from './output.ts';
import { doubtPathMtu } from './path-mtu.ts';
import { afterTimeout } from './recovery.ts';
import { ACK } from './segment.ts';
import { seqAdd } from './seq.ts';
import { transmit } from './transmit.ts';

/** MUST-20: retransmissions after which the user is told that things do not go well. */
const R1_RETRIES = 3;
/** MUST-21 to MUST-23: how long data, and a SYN, may go unanswered. */
const R2_NS = 100_000_000_000;
const R2_SYN_NS = 180_000_000_000;

export function attachTimers(block: ControlBlock): void {
  const { context } = block.host;
  block.timers = {
    retransmit: context.timer(() => retransmitIsDue(block)),
    delayedAck: context.timer(() => delayedAckIsDue(block)),
    keepAlive: context.timer(() => keepAliveIsDue(block)),
    wait: context.timer(() => waitIsOver(block)),
  };
}

/** Starts, or stops, keep-alive as the options say. */
export function armKeepAlive(block: ControlBlock): void {
  const { keepAlive } = block.options;
  block.keepAliveProbes = 0;
  if (keepAlive === null || !block.synchronized || block.state === 'TIME-WAIT') block.timers.keepAlive.cancel();
  else block.timers.keepAlive.armIn(keepAlive.idleNs);
}

function retransmitIsDue(block: ControlBlock): void {
  if (isHopeless(block)) {
    timedOut(block);
    return;
  }
  if (!block.synchronized) {
    block.retries += 1;
    block.synRetries += 1;
    if (block.synRetries > block.options.synLinearTimeouts) block.rtt.backoff += 1;
    block.host.counters.timeouts += 1;
    sendSyn(block, 'timeout');
  } else if (block.persisting) persist(block);
  else retransmissionTimeout(block);
}

/**
 * R2 is reached: so much time has passed without an answer, or so many retransmissions. Probes of a closed window count
 * by time alone, for each answer to one begins it anew.
 */
function isHopeless(block: ControlBlock): boolean {
  const { synRetries, synAckRetries, dataRetries } = block.options;
  const unansweredNs = block.host.context.nowNs() - block.unansweredSinceNs;
  if (unansweredNs >= patience(block)) return true;
  if (block.options.userTimeoutNs !== 0) return false;
  if (!block.synchronized) {
    const retries = block.active ? synRetries : synAckRetries;
    return retries === 0 ? unansweredNs >= R2_SYN_NS : block.synRetries >= retries;
  }
  return dataRetries === 0 || block.persisting ? unansweredNs >= R2_NS : block.retries >= dataRetries;
}

/** RFC 6298 sections 5.4 to 5.6. */
function retransmissionTimeout(block: ControlBlock): void {
  block.retries += 1;
  block.rtt.backoff += 1;
  block.host.counters.timeouts += 1;
  if (block.retries === R1_RETRIES) block.notify();
  doubtPathMtu(block);
  afterTimeout(block);
  armIn(block, block.rtt.timeoutNs());
  if (block.sndWnd === 0) {
    // The peer has shrunk its window to nothing: all that may go out is a probe (RFC 9293 section 3.8.6.1).
    block.persisting = true;
    sendProbe(block);
  } else output(block);
}

/** SHLD-29 and SHLD-30: probes at growing intervals, for ever while they are answered. */
function persist(block: ControlBlock): void {
  block.retries += 1;
  armIn(block, block.rtt.probeNs(block.retries));
  if (block.sndWnd === 0) sendProbe(block);
  else sendOverride(block);
  if (block.sndNxt !== block.sndUna) {
    block.persisting = false;
    block.retries = 0;
    armIn(block, block.rtt.timeoutNs());
  }
}

/** RFC 9293 section 3.8.4. The timer is armed for silence, and looks when it fires whether there was any. */
function keepAliveIsDue(block: ControlBlock): void {
  const { keepAlive } = block.options;
  if (keepAlive === null || !block.synchronized) return;
  const quietNs = block.host.context.nowNs() - block.lastReceiveNs;
  if (quietNs < keepAlive.idleNs || block.flight > 0) {
    block.keepAliveProbes = 0;
    block.timers.keepAlive.armIn(Math.max(keepAlive.intervalNs, keepAlive.idleNs - quietNs));
    return;
  }
  if (block.keepAliveProbes >= keepAlive.count) {
    timedOut(block);
    return;
  }
  block.keepAliveProbes += 1;
  block.host.counters.keepAliveProbes += 1;
  // An old number, and no data (SHLD-27): the peer answers with an ACK of what it has.
  transmit(block, seqAdd(block.sndNxt, -1), 0, ACK, 'keep-alive probe');
  block.timers.keepAlive.armIn(keepAlive.intervalNs);
}

function waitIsOver(block: ControlBlock): void {
  switch (block.state) {
    case 'TIME-WAIT':
    case 'FIN-WAIT-2':
      end(block, null);
      break;
    default:
      // The linger time is over, and the peer has not acknowledged all.
      reset(block, new SocketError('ETIMEDOUT', 'data were not acknowledged within the linger time'));
  }
}
