/**
 * One segment of a connection on its way out: fills in the header from the control block, copies the data behind it,
 * and hands the packet to IPv4. Which segments are sent, and when, is `output.ts`.
 */
import type { ResendReason } from '../../trace.ts';
import { allocateTransport } from '../packet.ts';
import type { ControlBlock } from './control-block.ts';
import { offerWindow, ownMss } from './receive-window.ts';
import { addSackBlocks, hasSackBlocks } from './sack-blocks.ts';
import { ACK, RST, SYN, TCP_HEADER_BYTES, TCP_PROTOCOL, URG } from './segment.ts';
import { OutgoingHeader, optionBytes, TIMESTAMPS_BYTES, writeHeader } from './segment-writer.ts';
import { seqDiff, seqGt } from './seq.ts';

const NS_PER_MS = 1_000_000;
const IPV4_AND_TCP_BYTES = 40;
/** Payload of a full segment is never taken to be less: that of the least MTU, 68, with timestamps. */
const MIN_MSS = 16;

/** One for all connections: nothing is sent while another segment is being written. */
const HEADER = new OutgoingHeader();

/** The value of the timestamp clock (RFC 7323 section 5.4): milliseconds, from a start of the connection's own. */
export function timestampNow(block: ControlBlock): number {
  return (Math.floor(block.host.context.nowNs() / NS_PER_MS) + block.tsOffset) | 0;
}

/** Sets SMSS: RFC 9293 section 3.7.1, less the options that every segment has (MUST-16, RFC 7323 appendix A). */
export function updateSendMss(block: ControlBlock): void {
  const mtuAllows = block.pathMtu - IPV4_AND_TCP_BYTES;
  const wanted = block.options.mss === 0 ? block.peerMss : Math.min(block.peerMss, block.options.mss);
  const options = block.timestamps ? TIMESTAMPS_BYTES : 0;
  block.sndMss = Math.max(MIN_MSS, Math.min(wanted, mtuAllows) - options);
  block.congestion.setMss(block.sndMss);
}

/** Octets of data that fit into the next segment: SACK blocks take room too. */
export function payloadLimit(block: ControlBlock): number {
  if (!hasSackBlocks(block)) return block.sndMss;
  fillOptions(block, 0);
  const extra = optionBytes(HEADER) - (block.timestamps ? TIMESTAMPS_BYTES : 0);
  return Math.max(1, block.sndMss - extra);
}

/**
 * Sends one segment with `dataBytes` of the send buffer from `seq` on; `reason`, for observers, unless it is the next
 * one or an ACK. False when there is no packet buffer: then it is as if nothing had been asked for.
 */
export function transmit(
  block: ControlBlock,
  seq: number,
  dataBytes: number,
  flags: number,
  reason: ResendReason | null = null,
): boolean {
  const { host } = block;
  const packet = allocateTransport(host.context.packets, dataBytes);
  if (packet === null) {
    host.counters.outOfBuffers += 1;
    return false;
  }
  fillHeader(block, seq, flags);
  fillOptions(block, flags);
  packet.start += TCP_HEADER_BYTES + optionBytes(HEADER);
  if (dataBytes > 0) block.sendBuffer.copy(seq, dataBytes, packet.bytes, packet.start);
  writeHeader(packet, HEADER);
  if ((flags & ACK) !== 0) acknowledged(block);
  host.counters.sent += 1;
  const { trace } = host.context;
  if (trace !== null && reason !== null) trace.resend(block.name, seq >>> 0, dataBytes, reason);
  const route = host.output.route(block.remoteAddress);
  if (route === null) {
    host.context.packets.free(packet);
    return true;
  }
  const { ttl, typeOfService } = block.options;
  host.output.send(packet, route, block.localAddress, block.remoteAddress, TCP_PROTOCOL, ttl, typeOfService, true);
  return true;
}

function fillHeader(block: ControlBlock, seq: number, flags: number): void {
  const header = HEADER;
  header.sourceAddress = block.localAddress;
  header.destinationAddress = block.remoteAddress;
  header.sourcePort = block.localPort;
  header.destinationPort = block.remotePort;
  header.seq = seq;
  header.ack = (flags & ACK) === 0 ? 0 : block.rcvNxt;
  header.flags = flags;
  header.window = (flags & RST) !== 0 ? 0 : offerWindow(block, (flags & SYN) === 0);
  header.urgentPointer = 0;
  if (block.sndUrgent && seqGt(block.sndUp, seq)) {
    header.flags |= URG;
    header.urgentPointer = Math.min(0xffff, seqDiff(block.sndUp, seq));
  }
}

/** A SYN offers what the options allow, a SYN,ACK what the peer has offered too. */
function fillOptions(block: ControlBlock, flags: number): void {
  const header = HEADER;
  header.clearOptions();
  if ((flags & RST) !== 0) return;
  const opening = (flags & (SYN | ACK)) === SYN;
  if ((flags & SYN) !== 0) {
    header.mss = ownMss(block);
    if (opening ? block.options.windowScale : block.windowScaling) header.windowShift = block.rcvScale;
    header.sackPermitted = opening ? block.options.sack : block.sack;
  }
  if (opening ? block.options.timestamps : block.timestamps) {
    header.hasTimestamps = true;
    header.tsVal = timestampNow(block);
    header.tsEcr = opening ? 0 : block.tsRecent;
  }
  if ((flags & SYN) === 0 && hasSackBlocks(block)) addSackBlocks(block, header);
}

/** What was sent acknowledges all that came so far. */
function acknowledged(block: ControlBlock): void {
  block.ackNow = false;
  block.unackedBytes = 0;
  block.lastAckSent = block.rcvNxt;
  block.duplicateStart = block.duplicateEnd = 0;
}
