/**
 * The path MTU of a connection, RFC 1191: what IPv4 knows of the path to its peer, to which ICMP errors about segments of
 * ours add; less than that where long segments vanish and nobody says why (a black hole, RFC 2923 section 2.1). Our
 * packets have their DF bit set.
 */
import { type ControlBlock, DEFAULT_MSS } from './control-block.ts';
import { sendFromStart } from './recovery.ts';
import { TIMESTAMPS_BYTES } from './segment-writer.ts';
import { updateSendMss } from './transmit.ts';

/** What is tried when longer segments are not answered: every host can take as much (RFC 791 section 3.1). */
const BLACK_HOLE_MTU = DEFAULT_MSS + 40;
/** Timeouts in a row after which that is done, and after which it has turned out not to be the length. */
const DOUBT_RETRIES = 3;
const TRUST_RETRIES = 6;

/** Before data are sent: asks IPv4 again if it has learnt something of a path since, or forgotten it. */
export function refreshPathMtu(block: ControlBlock): void {
  const { generation } = block.host.output.pathMtus;
  if (block.pathMtuGeneration === generation) return;
  block.pathMtuGeneration = generation;
  setPathMtu(block);
}

/** A router on the way could not pass on a packet of ours of `sentBytes`; `nextHopMtu` 0: it is an old one. */
export function fragmentationNeeded(block: ControlBlock, nextHopMtu: number, sentBytes: number): void {
  const before = block.pathMtu;
  block.host.output.learnPathMtu(block.remoteAddress, nextHopMtu, sentBytes);
  refreshPathMtu(block);
  if (block.pathMtu >= before) return;
  block.pathMtuBound = Number.POSITIVE_INFINITY;
  if (!block.synchronized) return;
  sendFromStart(block);
  block.host.schedule(block);
}

/**
 * After a timeout. Segments that not every host can take may be too long for the path; if shorter ones fare no better,
 * they were not.
 */
export function doubtPathMtu(block: ControlBlock): void {
  const shortBytes = DEFAULT_MSS - (block.timestamps ? TIMESTAMPS_BYTES : 0);
  const long = Math.min(block.flight, block.sndMss) > shortBytes;
  if (block.retries === DOUBT_RETRIES && long && block.pathMtu > BLACK_HOLE_MTU) {
    block.pathMtuBound = BLACK_HOLE_MTU;
  } else if (block.retries === TRUST_RETRIES && block.pathMtuBound !== Number.POSITIVE_INFINITY) {
    block.pathMtuBound = Number.POSITIVE_INFINITY;
  } else {
    return;
  }
  setPathMtu(block);
}

function setPathMtu(block: ControlBlock): void {
  const mtu = Math.min(block.host.output.pathMtu(block.remoteAddress), block.pathMtuBound);
  // Without a route the old answer is as good as any.
  if (mtu === 0 || mtu === block.pathMtu) return;
  block.pathMtu = mtu;
  updateSendMss(block);
}
