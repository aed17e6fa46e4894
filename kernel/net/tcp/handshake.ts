/**
 * What the SYNs of both sides agree on, and the moment at which a connection is established.
 */
import { type ControlBlock, DEFAULT_MSS } from './control-block.ts';
import { setState } from './ending.ts';
import type { Segment } from './segment.ts';
import { TIMESTAMPS_BYTES } from './segment-writer.ts';
import { seqAdd } from './seq.ts';
import { armKeepAlive } from './timers.ts';
import { timestampNow, updateSendMss } from './transmit.ts';

/** Smaller segments than this nobody means: an MSS option of 0 or 1 is a mistake or an attack. */
const LEAST_PEER_MSS = 64;
const NS_PER_MS = 1_000_000;

/** Takes IRS and the options of the peer's SYN. */
export function takeSyn(block: ControlBlock, segment: Segment): void {
  const { options } = block;
  // What the window of our own SYN offered counts from the number that is known only now.
  const offered = block.rcvWnd;
  block.irs = segment.seq;
  block.rcvNxt = seqAdd(segment.seq, 1);
  block.rcvAdv = seqAdd(block.rcvNxt, offered);
  block.receiveBuffer.begin(block.rcvNxt);
  block.peerMss = segment.mss === 0 ? DEFAULT_MSS : Math.max(LEAST_PEER_MSS, segment.mss);
  block.timestamps = options.timestamps && segment.hasTimestamps;
  block.sack = options.sack && segment.sackPermitted;
  block.windowScaling = options.windowScale && segment.windowShift >= 0;
  block.sndScale = block.windowScaling ? segment.windowShift : 0;
  if (!block.windowScaling) block.rcvScale = 0;
  if (block.timestamps) {
    block.tsRecent = segment.tsVal;
    block.tsRecentNs = block.host.context.nowNs();
  }
  updateSendMss(block);
  if (options.bsdWindows) holdWholeSegments(block);
}

/** 4.4BSD: a buffer that ends within a segment would only hold parts of it. */
function holdWholeSegments({ sendBuffer, receiveBuffer, sndMss, timestamps }: ControlBlock): void {
  const segmentBytes = sndMss + (timestamps ? TIMESTAMPS_BYTES : 0);
  for (const buffer of [sendBuffer, receiveBuffer]) {
    buffer.limit = Math.ceil(buffer.limit / segmentBytes) * segmentBytes;
  }
}

/**
 * The peer has acknowledged our SYN, by a segment of its own window. `segment.window` is scaled unless it is a SYN's.
 * False: there is no room for the connection, and it is as if the segment had been lost.
 */
export function establish(block: ControlBlock, segment: Segment, scale = block.sndScale): boolean {
  if (block.parent !== null && !block.parent.established(block)) return false;
  const { rtt, host } = block;
  const nowNs = host.context.nowNs();
  if (block.synRetries > 0) {
    if (block.timestamps && segment.hasTimestamps && segment.tsEcr !== 0) {
      const rttMs = (timestampNow(block) - segment.tsEcr) | 0;
      if (rttMs >= 0) rtt.sample(rttMs * NS_PER_MS);
    }
    rtt.synWasLost();
  } else if (block.timing) rtt.sample(nowNs - block.timedNs);
  block.timing = false;
  block.retries = 0;
  block.softError = null;
  block.sndUna = segment.ack;
  block.sndWnd = block.maxSndWnd = segment.window << scale;
  block.sndWl1 = segment.seq;
  block.sndWl2 = segment.ack;
  block.recover = block.iss;
  block.lastSendNs = nowNs;
  block.timers.retransmit.cancel();
  block.congestion.begin(block.synRetries > 0);
  host.counters.established += 1;
  setState(block, block.finQueued ? 'FIN-WAIT-1' : 'ESTABLISHED');
  armKeepAlive(block);
  return true;
}
