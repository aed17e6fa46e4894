/**
 * How connections end: the states after ESTABLISHED in which nobody waits for data any more, and CLOSED.
 */
import { SocketError, type SocketErrorCode } from '../socket-error.ts';
import type { ControlBlock } from './control-block.ts';
import { ACK, RST } from './segment.ts';
import { seqMax } from './seq.ts';
import { transmit } from './transmit.ts';
import type { TcpState } from './user.ts';

export function setState(block: ControlBlock, state: TcpState): void {
  block.state = state;
  block.notify();
}

/** The connection is no more. `error` is what the user is told, null when all went well. */
export function end(block: ControlBlock, error: SocketError | null): void {
  if (block.state === 'CLOSED') return;
  const { timers } = block;
  timers.retransmit.cancel();
  timers.delayedAck.cancel();
  timers.keepAlive.cancel();
  timers.wait.cancel();
  if (error !== null) block.pendingError = error;
  block.sendBuffer.release();
  block.scoreboard.clear();
  // What arrived in order can still be read, unless nobody is there to do so.
  if (block.receiveClosed) block.receiveBuffer.release();
  block.receiveBuffer.pieces.clear();
  block.ackNow = false;
  block.unackedBytes = 0;
  setState(block, 'CLOSED');
  block.host.forget(block);
  const { parent } = block;
  block.parent = null;
  parent?.abandoned(block);
}

/** Ends the connection and tells the peer: <SEQ=SND.NXT><CTL=RST,ACK>. */
export function reset(block: ControlBlock, error: SocketError | null): void {
  if (block.state !== 'SYN-SENT' && block.state !== 'TIME-WAIT' && block.state !== 'CLOSED') {
    block.host.counters.resetsSent += 1;
    transmit(block, seqMax(block.sndNxt, block.sndMax), 0, RST | ACK);
  }
  end(block, error);
}

/** The peer reset the connection, or refused it. */
export function wasReset(block: ControlBlock): void {
  const opening = block.state === 'SYN-SENT' || block.state === 'SYN-RECEIVED';
  const code: SocketErrorCode = opening ? 'ECONNREFUSED' : 'ECONNRESET';
  // RFC 9293 section 3.10.7.4: in CLOSING and LAST-ACK both sides had finished anyway.
  const finished = block.state === 'CLOSING' || block.state === 'LAST-ACK' || block.state === 'TIME-WAIT';
  block.host.counters.resetsReceived += 1;
  if (opening) block.host.counters.failedOpens += 1;
  const text = opening ? 'the peer refused the connection' : 'the peer reset the connection';
  end(block, finished ? null : new SocketError(code, text, block.remoteAddress));
}

/** Nobody answers. What ICMP said about it is the better reason, if it said something. */
export function timedOut(block: ControlBlock): void {
  const error = block.softError ?? new SocketError('ETIMEDOUT', 'the peer does not answer', block.remoteAddress);
  if (block.synchronized) reset(block, error);
  else {
    block.host.counters.failedOpens += 1;
    end(block, error);
  }
}

/** RFC 9293 MUST-13: the side that closed first stays for 2 MSL. Its buffers do not. */
export function enterTimeWait(block: ControlBlock): void {
  const { timers } = block;
  timers.retransmit.cancel();
  timers.keepAlive.cancel();
  block.sendBuffer.release();
  block.scoreboard.clear();
  if (block.receiveClosed) block.receiveBuffer.release();
  setState(block, 'TIME-WAIT');
  restartTimeWait(block);
}

export function restartTimeWait(block: ControlBlock): void {
  block.timers.wait.armIn(block.options.timeWaitNs);
}

export function enterFinWait2(block: ControlBlock): void {
  setState(block, 'FIN-WAIT-2');
  if (block.receiveClosed) block.timers.wait.armIn(block.options.finWait2Ns);
}

/** The user is gone, and a FIN is queued or sent: bounds how long the rest may take. */
export function boundClosing(block: ControlBlock): void {
  const { lingerNs } = block.options;
  if (block.state === 'FIN-WAIT-2') block.timers.wait.armIn(block.options.finWait2Ns);
  // The linger time is for what is not acknowledged, which may all be unsent.
  else if (lingerNs !== null && Number.isFinite(lingerNs)) block.timers.wait.armIn(lingerNs);
}
