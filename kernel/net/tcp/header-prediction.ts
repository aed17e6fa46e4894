/**
 * The short way through SEGMENT ARRIVES for what a plain transfer consists of: the next data in order, or an ACK of data
 * in flight, with nothing amiss. It does what the long way would, and leaves everything else to it.
 */

import { processAck } from './acknowledge.ts';
import type { ControlBlock } from './control-block.ts';
import { ACK, PSH, type Segment } from './segment.ts';
import { seqGt, seqLeq, seqLt } from './seq.ts';

/** Whether the segment, for a connection in ESTABLISHED, was of that kind and is done with. */
export function predicted(block: ControlBlock, segment: Segment): boolean {
  if ((segment.flags & ~PSH) !== ACK || segment.seq !== block.rcvNxt) return false;
  if (segment.hasTimestamps !== block.timestamps || segment.sackBlocks > 0) return false;
  if (block.timestamps && seqLt(segment.tsVal, block.tsRecent)) return false;
  if (segment.dataBytes === 0) return pureAck(block, segment);
  return segment.ack === block.sndUna && nextData(block, segment);
}

function pureAck(block: ControlBlock, segment: Segment): boolean {
  if (!seqGt(segment.ack, block.sndUna) || !seqLeq(segment.ack, block.sndMax)) return false;
  if (block.recovery !== 'open') return false;
  updateTimestamp(block, segment);
  processAck(block, segment);
  return true;
}

function nextData(block: ControlBlock, segment: Segment): boolean {
  const { receiveBuffer } = block;
  const length = segment.dataBytes;
  if (block.finSeen || receiveBuffer.pieces.count > 0 || block.receiveClosed || length > block.rcvWnd) return false;
  if (segment.window << block.sndScale !== block.sndWnd) return false;
  updateTimestamp(block, segment);
  block.sndWl1 = segment.seq;
  block.sndWl2 = segment.ack;
  if (length > block.rcvMss) block.rcvMss = length;
  receiveBuffer.insert(segment.seq, segment.bytes, segment.dataAt, length);
  block.rcvNxt = receiveBuffer.next;
  if (block.unackedBytes === 0) block.unackedSinceNs = block.host.context.nowNs();
  block.unackedBytes += length;
  block.changed = true;
  return true;
}

function updateTimestamp(block: ControlBlock, segment: Segment): void {
  if (!block.timestamps || seqGt(segment.seq, block.lastAckSent)) return;
  block.tsRecent = segment.tsVal;
  block.tsRecentNs = block.host.context.nowNs();
}
