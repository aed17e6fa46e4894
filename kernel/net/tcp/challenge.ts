/**
 * ACKs in answer to what should not have come: the challenge ACKs of RFC 5961, and the answers to unacceptable segments
 * of RFC 9293 section 3.10.7.4. Bounded in number for each connection, so that two peers that find each other's
 * segments unacceptable fall silent.
 */
import type { ControlBlock } from './control-block.ts';
import { sendAck } from './output.ts';

/** RFC 5961 section 7: so many in such a time. */
const CHALLENGE_LIMIT = 10;
const CHALLENGE_INTERVAL_NS = 5_000_000_000;

export function challengeAck(block: ControlBlock): void {
  const nowNs = block.host.context.nowNs();
  if (nowNs - block.challengeSinceNs >= CHALLENGE_INTERVAL_NS || block.challengeCount === 0) {
    block.challengeSinceNs = nowNs;
    block.challengeCount = 0;
  }
  if (block.challengeCount >= CHALLENGE_LIMIT) return;
  block.challengeCount += 1;
  block.host.counters.challengeAcks += 1;
  sendAck(block);
}
