/**
 * Who talks to whom in a packet, as connection tracking has it, and whether it can be what it claims to be.
 *
 * Ports are those of TCP and UDP. An ICMP query goes from its identifier to its type and code, as if they were a service
 * that is asked; the answer comes from there. So an echo request is never taken for the answer to one that went the other
 * way. Other protocols have no ports.
 */
import { readBe16 } from '../../../src/lib/bytes.ts';
import { ICMP_PROTOCOL } from '../icmp-message.ts';
import type { Ipv4Header } from '../ipv4/header.ts';
import { ACK, FIN, RST, SYN, TCP_HEADER_BYTES, TCP_PROTOCOL, URG } from '../tcp/segment.ts';
import { UDP_PROTOCOL } from '../udp.ts';
import type { Ends } from './flow.ts';

const UDP_HEADER_BYTES = 8;
const ICMP_IDENTIFIER_AT = 4;
/** Beyond all identifiers. */
const QUERY = 0x1_0000;
/** Types of queries, RFC 792 and RFC 950 (echo, timestamp, information, address mask), and of the answers to them. */
const ANSWERS: ReadonlyMap<number, number> = new Map([
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
]);
const QUERY_OF: ReadonlyMap<number, number> = new Map(Array.from(ANSWERS, ([query, answer]) => [answer, query]));

/** What a segment can mean: PSH, and what RFC 3168 added, may stand beside any of it. */
const MEANINGFUL_FLAGS = FIN | SYN | RST | ACK | URG;
const POSSIBLE_FLAGS = [SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG];

/** The ends of the packet at hand; filled in again and again. */
export class PacketEnds implements Ends {
  protocol = 0;
  source = 0;
  sourcePort = 0;
  destination = 0;
  destinationPort = 0;

  /** Takes those of the packet with that header, of which at least 8 octets of payload stand at `at`. False: it has none. */
  read(header: Ipv4Header, bytes: Uint8Array, at: number): boolean {
    this.protocol = header.protocol;
    this.source = header.source;
    this.destination = header.destination;
    this.sourcePort = this.destinationPort = 0;
    switch (header.protocol) {
      case TCP_PROTOCOL:
      case UDP_PROTOCOL:
        this.sourcePort = readBe16(bytes, at);
        this.destinationPort = readBe16(bytes, at + 2);
        return true;
      case ICMP_PROTOCOL:
        return this.#readQuery(bytes, at);
      default:
        return true;
    }
  }

  #readQuery(bytes: Uint8Array, at: number): boolean {
    const type = bytes[at]!;
    const code = bytes[at + 1]!;
    const identifier = readBe16(bytes, at + ICMP_IDENTIFIER_AT);
    if (ANSWERS.has(type)) {
      this.sourcePort = identifier;
      this.destinationPort = QUERY + type * 256 + code;
      return true;
    }
    const query = QUERY_OF.get(type);
    if (query === undefined) return false;
    this.sourcePort = QUERY + query * 256 + code;
    this.destinationPort = identifier;
    return true;
  }
}

/** Whether the payload of a whole packet, `length` octets at `at`, has the lengths and flags of its protocol. */
export function isWellFormed(protocol: number, bytes: Uint8Array, at: number, length: number): boolean {
  if (protocol === TCP_PROTOCOL) {
    const headerBytes = (bytes[at + 12]! >>> 4) * 4;
    if (headerBytes < TCP_HEADER_BYTES || headerBytes > length) return false;
    return POSSIBLE_FLAGS.includes(bytes[at + 13]! & MEANINGFUL_FLAGS);
  }
  if (protocol !== UDP_PROTOCOL) return true;
  const datagramBytes = readBe16(bytes, at + 4);
  return datagramBytes >= UDP_HEADER_BYTES && datagramBytes <= length;
}

/** A TCP connection begins with a SYN, an ICMP query with its question; an answer begins nothing. */
export function canBegin(protocol: number, bytes: Uint8Array, at: number): boolean {
  if (protocol === TCP_PROTOCOL) return (bytes[at + 13]! & (SYN | ACK | RST)) === SYN;
  return protocol !== ICMP_PROTOCOL || ANSWERS.has(bytes[at]!);
}
