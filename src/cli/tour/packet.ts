/** What is in a frame, read by the code that the kernel reads it by. */
import type { Frame } from '../../../hw/ethernet/frame.ts';
import type { DnsMessage } from '../../../kernel/apps/dns/message.ts';
import { parseMessage } from '../../../kernel/apps/dns/message-reader.ts';
import { Ipv4Header, parse } from '../../../kernel/net/ipv4/header.ts';
import { ACK, FIN, PSH, parseSegment, RST, Segment, SYN, TCP_PROTOCOL } from '../../../kernel/net/tcp/segment.ts';
import { UDP_HEADER_BYTES, UDP_PROTOCOL } from '../../../kernel/net/udp.ts';
import { readBe16 } from '../../lib/bytes.ts';

const ETHER_TYPE_AT = 12;
const IPV4_AT = 14;
const IPV4 = 0x0800;

const FLAGS = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
] as const;

/** The IPv4 header in a frame; null when there is none, or not a good one. */
export function ipv4In({ octets }: Frame): Ipv4Header | null {
  if (readBe16(octets, ETHER_TYPE_AT) !== IPV4) return null;
  const header = new Ipv4Header();
  return parse(octets, IPV4_AT, octets.length - IPV4_AT, header) === null ? header : null;
}

/** The TCP segment in a frame; null when there is none, or not a good one. */
export function segmentIn(frame: Frame): Segment | null {
  const header = ipv4In(frame);
  if (header?.protocol !== TCP_PROTOCOL) return null;
  const segment = new Segment();
  const { headerBytes, totalBytes } = header;
  const fault = parseSegment(frame.octets, IPV4_AT + headerBytes, totalBytes - headerBytes, header, segment);
  return fault === null ? segment : null;
}

/** The DNS message in a frame; null when there is none. */
export function dnsIn(frame: Frame): DnsMessage | null {
  const header = ipv4In(frame);
  if (header?.protocol !== UDP_PROTOCOL) return null;
  const start = IPV4_AT + header.headerBytes + UDP_HEADER_BYTES;
  return parseMessage(frame.octets.subarray(start, IPV4_AT + header.totalBytes));
}

/** The data of a segment as text. */
export const textOf = ({ bytes, dataAt, dataBytes }: Segment): string =>
  new TextDecoder('latin1').decode(bytes.subarray(dataAt, dataAt + dataBytes));

/** `SYN ACK`. */
export const flagNames = ({ flags }: Segment): string =>
  FLAGS.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(' ');

/** What a SYN says beside its number. */
export function offerOf({ mss, windowShift, sackPermitted, hasTimestamps, window }: Segment): string {
  const offers = [`MSS ${mss}`];
  if (windowShift >= 0) offers.push(`window scale ${windowShift}`);
  if (sackPermitted) offers.push('SACK permitted');
  if (hasTimestamps) offers.push('timestamps');
  return `${offers.join(', ')}; window ${window}`;
}

/** A sequence number as it stands in the header. */
export const numberOf = (seq: number): string => String(seq >>> 0);
