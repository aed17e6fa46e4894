/**
 * What a packet is to a NAT: who talks to whom, by addresses and ports. An ICMP query has its identifier for a port, at the
 * end that asks. One {@link Flow} is filled in again and again.
 */
import { readBe16 } from '../../../src/lib/bytes.ts';
import type { DropReason } from '../drop.ts';
import { ICMP_HEADER_BYTES, ICMP_PROTOCOL, isErrorType } from '../icmp-message.ts';
import { FRAGMENT_OFFSET, Ipv4Header, parseUnchecked } from '../ipv4/header.ts';
import { TCP_HEADER_BYTES, TCP_PROTOCOL } from '../tcp/segment.ts';
import { UDP_HEADER_BYTES, UDP_PROTOCOL } from '../udp.ts';
import { KIND, type Kind } from './mapping.ts';

/** What an ICMP error quotes at least of a packet, behind its IPv4 header. */
const QUOTED_PAYLOAD_BYTES = 8;
const TCP_FLAGS_AT = 13;
const ICMP_IDENTIFIER_AT = 4;

/** Echo, timestamp, information, address mask (RFC 792, RFC 950): the types that ask, and those that answer. */
const REQUEST_TYPES: ReadonlySet<number> = new Set([8, 13, 15, 17]);
const REPLY_TYPES: ReadonlySet<number> = new Set([0, 14, 16, 18]);

/** `none`: the packet is not ICMP. */
type IcmpClass = 'none' | 'request' | 'reply' | 'error' | 'unknown';

export class Flow {
  readonly header = new Ipv4Header();
  kind: Kind = KIND.other;
  icmp: IcmpClass = 'none';
  /** Control bits of a TCP segment. */
  tcpFlags = 0;
  sourcePort = 0;
  destinationPort = 0;
  /** Where the packet starts, where what is behind its IPv4 header starts, and where all that is there ends. */
  ipAt = 0;
  transportAt = 0;
  endAt = 0;

  /**
   * Reads the packet at `ipAt` of which `length` octets are there. `quoted`: it is in an ICMP error, and may be cut short.
   * Returns why it cannot be translated, or null.
   */
  read(bytes: Uint8Array, ipAt: number, length: number, quoted: boolean): DropReason | null {
    const { header } = this;
    if (!parseUnchecked(bytes, ipAt, length, header)) return quoted ? 'malformed ICMP' : 'malformed IPv4 header';
    const at = ipAt + header.headerBytes;
    this.ipAt = ipAt;
    this.transportAt = at;
    this.endAt = ipAt + length;
    this.icmp = 'none';
    const room = length - header.headerBytes;
    const { protocol } = header;
    // Ports are in the first fragment only. Fragments come here put together; one that is quoted may be a later one.
    if ((header.fragment & FRAGMENT_OFFSET) !== 0) this.#readOther(protocol);
    else if (protocol === TCP_PROTOCOL) {
      if (room < (quoted ? QUOTED_PAYLOAD_BYTES : TCP_HEADER_BYTES)) return 'malformed TCP';
      this.#readPorts(KIND.tcp, bytes, at);
      this.tcpFlags = quoted ? 0 : bytes[at + TCP_FLAGS_AT]!;
    } else if (protocol === UDP_PROTOCOL) {
      if (room < UDP_HEADER_BYTES) return 'malformed UDP';
      this.#readPorts(KIND.udp, bytes, at);
    } else if (protocol === ICMP_PROTOCOL) {
      if (room < ICMP_HEADER_BYTES) return 'malformed ICMP';
      this.#readIcmp(bytes, at);
    } else this.#readOther(protocol);
    return null;
  }

  #readPorts(kind: Kind, bytes: Uint8Array, at: number): void {
    this.kind = kind;
    this.sourcePort = readBe16(bytes, at);
    this.destinationPort = readBe16(bytes, at + 2);
  }

  #readIcmp(bytes: Uint8Array, at: number): void {
    const type = bytes[at]!;
    const identifier = readBe16(bytes, at + ICMP_IDENTIFIER_AT);
    this.kind = KIND.icmp;
    this.icmp = classOf(type);
    this.sourcePort = this.icmp === 'request' ? identifier : 0;
    this.destinationPort = this.icmp === 'reply' ? identifier : 0;
  }

  #readOther(protocol: number): void {
    this.kind = KIND.other;
    this.sourcePort = this.destinationPort = protocol;
  }
}

function classOf(type: number): IcmpClass {
  if (isErrorType(type)) return 'error';
  if (REQUEST_TYPES.has(type)) return 'request';
  return REPLY_TYPES.has(type) ? 'reply' : 'unknown';
}
