/**
 * SEGMENT ARRIVES in SYN-SENT, RFC 9293 section 3.10.7.3.
 */
import type { ControlBlock } from './control-block.ts';
import { wasReset } from './ending.ts';
import { establish, takeSyn } from './handshake.ts';
import { sendSyn } from './output.ts';
import { replyReset } from './reset.ts';
import { ACK, FIN, RST, type Segment, SYN } from './segment.ts';
import { seqAdd, seqGt, seqLeq } from './seq.ts';
import { processText, trim } from './text.ts';

export function synSentArrives(block: ControlBlock, segment: Segment): void {
  const { flags } = segment;
  const hasAck = (flags & ACK) !== 0;
  // First, check the ACK bit.
  if (hasAck && (seqLeq(segment.ack, block.iss) || seqGt(segment.ack, block.sndMax))) {
    if ((flags & RST) === 0) replyReset(block.host, segment);
    return;
  }
  // Second, check the RST bit. Without an ACK it could be anybody's.
  if ((flags & RST) !== 0) {
    if (hasAck) wasReset(block);
    return;
  }
  // Fourth, check the SYN bit.
  if ((flags & SYN) === 0) return;
  takeSyn(block, segment);
  if (!hasAck) {
    // Simultaneous open (MUST-10): <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>.
    block.state = 'SYN-RECEIVED';
    block.sndWnd = segment.window;
    block.notify();
    sendSyn(block);
    return;
  }
  establish(block, segment, 0);
  block.ackNow = true;
  if (segment.dataBytes === 0 && (flags & FIN) === 0) return;
  // "If there are other controls or text in the segment, then continue processing."
  trim(block, segment);
  processText(block, segment);
  if (block.finSeen && block.receiveBuffer.next === block.finSeq) {
    block.rcvNxt = seqAdd(block.finSeq, 1);
    block.state = 'CLOSE-WAIT';
  }
}
