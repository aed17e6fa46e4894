/**
 * The path MTU of a connection, RFC 1191: lowered by what ICMP reports, tried again after a while, and doubted where
 * long segments vanish and nobody says why (a black hole, RFC 2923 section 2.1). Our packets have their DF bit set.
 */
import { type ControlBlock, DEFAULT_MSS } from './control-block.ts';
import { sendFromStart } from './recovery.ts';
import { TIMESTAMPS_BYTES } from './segment-writer.ts';
import { updateSendMss } from './transmit.ts';

/** RFC 1191 section 3: no link has a smaller MTU. */
const MIN_MTU = 68;
/** RFC 1191 section 7.1: MTUs that links have, for routers that do not say which. */
const PLATEAUS = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, MIN_MTU];
/** RFC 1191 section 6.3: when the path may have become a better one. */
const RAISE_AFTER_NS = 600_000_000_000;
/** What is tried when longer segments are not answered: every host can take as much (RFC 791 section 3.1). */
const BLACK_HOLE_MTU = DEFAULT_MSS + 40;
/** Timeouts in a row after which that is done, and after which it has turned out not to be the length. */
const DOUBT_RETRIES = 3;
const TRUST_RETRIES = 6;

/** A router on the way could not pass on a packet of ours of `sentBytes`; `nextHopMtu` 0: it is an old one. */
export function fragmentationNeeded(block: ControlBlock, nextHopMtu: number, sentBytes: number): void {
  const mtu = nextHopMtu === 0 ? plateauBelow(sentBytes) : Math.max(MIN_MTU, nextHopMtu);
  if (mtu >= block.pathMtu) return;
  setPathMtu(block, mtu);
  block.pathMtuUntilNs = block.host.context.nowNs() + RAISE_AFTER_NS;
  block.doubtedMtu = 0;
  if (!block.synchronized) return;
  sendFromStart(block);
  block.host.schedule(block);
}

/** Before new data are sent: whether it is time to try longer segments. */
export function raisePathMtu(block: ControlBlock): void {
  if (block.pathMtu === block.linkMtu || block.host.context.nowNs() < block.pathMtuUntilNs) return;
  block.pathMtuUntilNs = Number.POSITIVE_INFINITY;
  setPathMtu(block, block.linkMtu);
}

/** After a timeout. Segments that not every host can take may be too long for the path; if shorter ones fare no better, they were not. */
export function doubtPathMtu(block: ControlBlock): void {
  const shortBytes = DEFAULT_MSS - (block.timestamps ? TIMESTAMPS_BYTES : 0);
  const long = Math.min(block.flight, block.sndMss) > shortBytes;
  if (block.retries === DOUBT_RETRIES && long && block.pathMtu > BLACK_HOLE_MTU) {
    block.doubtedMtu = block.pathMtu;
    setPathMtu(block, BLACK_HOLE_MTU);
  } else if (block.retries === TRUST_RETRIES && block.doubtedMtu > 0) {
    setPathMtu(block, block.doubtedMtu);
    block.doubtedMtu = 0;
  }
}

function setPathMtu(block: ControlBlock, mtu: number): void {
  block.pathMtu = mtu;
  updateSendMss(block);
}

function plateauBelow(bytes: number): number {
  return PLATEAUS.find(plateau => plateau < bytes) ?? MIN_MTU;
}
