/**
 * Resets for segments that belong to no connection, RFC 9293 section 3.5.3 group 1 and section 3.10.7.1; and the other
 * segments that are sent without one.
 */
import { ANY_ADDRESS } from '../ipv4/address.ts';
import { DEFAULT_TTL } from '../ipv4/output.ts';
import { allocateTransport } from '../packet.ts';
import type { TcpHost } from './control-block.ts';
import { ACK, RST, type Segment, TCP_HEADER_BYTES, TCP_PROTOCOL } from './segment.ts';
import { OutgoingHeader, optionBytes, writeHeader } from './segment-writer.ts';
import { seqAdd } from './seq.ts';

const HEADER = new OutgoingHeader();

/** Answers `segment` with a reset that its sender will believe. Never answers a reset. */
export function replyReset(host: TcpHost, segment: Segment): void {
  if ((segment.flags & RST) !== 0 || segment.sourceAddress === ANY_ADDRESS) return;
  const header = answerTo(segment);
  if ((segment.flags & ACK) !== 0) {
    header.seq = segment.ack;
    header.flags = RST;
  } else {
    header.ack = seqAdd(segment.seq, segment.length);
    header.flags = RST | ACK;
  }
  host.counters.resetsSent += 1;
  sendBare(host, header);
}

/** A header for an answer to `segment`, its fields zero but for the endpoints. */
export function answerTo(segment: Segment): OutgoingHeader {
  const header = HEADER;
  header.clearOptions();
  header.sourceAddress = segment.destinationAddress;
  header.destinationAddress = segment.sourceAddress;
  header.sourcePort = segment.destinationPort;
  header.destinationPort = segment.sourcePort;
  header.seq = header.ack = header.flags = header.window = header.urgentPointer = 0;
  return header;
}

/** Sends a segment without data and without a connection. */
export function sendBare(host: TcpHost, header: OutgoingHeader): void {
  const route = host.output.route(header.destinationAddress);
  if (route === null) return;
  const packet = allocateTransport(host.context.packets, 0);
  if (packet === null) {
    host.counters.outOfBuffers += 1;
    return;
  }
  packet.start += TCP_HEADER_BYTES + optionBytes(header);
  writeHeader(packet, header);
  host.counters.sent += 1;
  const { sourceAddress, destinationAddress } = header;
  host.output.send(packet, route, sourceAddress, destinationAddress, TCP_PROTOCOL, DEFAULT_TTL, 0, true);
}
