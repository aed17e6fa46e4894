/**
 * A packet as rules see it: where its headers stand, and the value of any field. One view is filled in again for each
 * packet; it reads the packet's own bytes, and keeps nothing of them.
 */
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import { ECHO, ECHO_REPLY, ICMP_HEADER_BYTES, ICMP_PROTOCOL } from '../icmp-message.ts';
import { isMulticast, LIMITED_BROADCAST } from '../ipv4/address.ts';
import { FRAGMENT_OFFSET, Ipv4Header, parseUnchecked } from '../ipv4/header.ts';
import type { Link } from '../ipv4/link.ts';
import { ETHERNET_HEADER_BYTES } from '../packet.ts';
import { TCP_HEADER_BYTES, TCP_PROTOCOL } from '../tcp/segment.ts';
import { UDP_HEADER_BYTES, UDP_PROTOCOL } from '../udp.ts';
import { type FilterField, PACKET_TYPE } from './rule.ts';

/** What {@link PacketView.read} gives for a field that the packet does not have. */
export const ABSENT = -1;

/** The fields by number, so that reading one is a switch. */
export const FIELD_CODE: Readonly<Record<FilterField, number>> = {
  'ether saddr': 0,
  'ether daddr': 1,
  'ether type': 2,
  'ip saddr': 3,
  'ip daddr': 4,
  'ip protocol': 5,
  'ip dscp': 6,
  'ip length': 7,
  'ip id': 8,
  'ip ttl': 9,
  'icmp type': 10,
  'icmp code': 11,
  'icmp id': 12,
  'icmp sequence': 13,
  'tcp sport': 14,
  'tcp dport': 15,
  'tcp flags': 16,
  'tcp window': 17,
  'udp sport': 18,
  'udp dport': 19,
  'udp length': 20,
  'th sport': 21,
  'th dport': 22,
  'ct state': 23,
  'meta pkttype': 24,
};

/** The type of links whose frames have a header that rules know. */
const ETHERNET = 'Ethernet';
/** Where the fields of that header stand. */
const ETHER_DESTINATION_AT = 0;
const ETHER_SOURCE_AT = 6;
const ETHER_TYPE_AT = 12;

export class PacketView {
  bytes: Uint8Array = new Uint8Array(0);
  readonly header = new Ipv4Header();
  /** Where the header of TCP, UDP or ICMP stands; ABSENT where it is cut short, or some other protocol's. */
  transportAt = ABSENT;
  /** Octets of the packet from there on, in all its buffers; the header is in the first. */
  transportBytes = 0;
  from: Link | null = null;
  to: Link | null = null;
  /** One bit of `CONNECTION_STATE`. */
  connectionState = 0;
  /** Where the header of the frame stands in which the packet came in; ABSENT where there is none. */
  #etherAt = ABSENT;

  /** Looks at `packet`, which starts at a good IPv4 header and is whole. */
  look(packet: PacketBuffer, from: Link | null, to: Link | null): void {
    const { bytes, start, length } = packet;
    const { header } = this;
    this.bytes = bytes;
    this.#etherAt = from?.type === ETHERNET ? start - ETHERNET_HEADER_BYTES : ABSENT;
    this.from = from;
    this.to = to;
    parseUnchecked(bytes, start, length, header);
    this.transportBytes = header.totalBytes - header.headerBytes;
    this.transportAt =
      this.transportBytes >= leastBytes(header.protocol) && (header.fragment & FRAGMENT_OFFSET) === 0
        ? start + header.headerBytes
        : ABSENT;
  }

  /** The value of the field with that code, unsigned; {@link ABSENT} where the packet has none. */
  read(code: number): number {
    const { bytes, header, transportAt: at } = this;
    const { protocol } = header;
    switch (code) {
      case 0:
        return this.#mac(ETHER_SOURCE_AT);
      case 1:
        return this.#mac(ETHER_DESTINATION_AT);
      case 2:
        return this.#etherAt === ABSENT ? ABSENT : readBe16(bytes, this.#etherAt + ETHER_TYPE_AT);
      case 3:
        return header.source;
      case 4:
        return header.destination;
      case 5:
        return protocol;
      case 6:
        return header.typeOfService >>> 2;
      case 7:
        return header.totalBytes;
      case 8:
        return header.identification;
      case 9:
        return header.timeToLive;
      case 10:
      case 11:
        return at < 0 || protocol !== ICMP_PROTOCOL ? ABSENT : bytes[at + code - 10]!;
      case 12:
      case 13:
        return at < 0 || protocol !== ICMP_PROTOCOL || !isEcho(bytes[at]!)
          ? ABSENT
          : readBe16(bytes, at + 4 + 2 * (code - 12));
      case 14:
      case 15:
        return at < 0 || protocol !== TCP_PROTOCOL ? ABSENT : readBe16(bytes, at + 2 * (code - 14));
      case 16:
        return at < 0 || protocol !== TCP_PROTOCOL ? ABSENT : bytes[at + 13]!;
      case 17:
        return at < 0 || protocol !== TCP_PROTOCOL ? ABSENT : readBe16(bytes, at + 14);
      case 18:
      case 19:
      case 20:
        return at < 0 || protocol !== UDP_PROTOCOL ? ABSENT : readBe16(bytes, at + 2 * (code - 18));
      case 21:
      case 22:
        return at < 0 || protocol === ICMP_PROTOCOL ? ABSENT : readBe16(bytes, at + 2 * (code - 21));
      case 23:
        return this.connectionState;
      default:
        return this.packetType;
    }
  }

  /** Source and destination port; null where there are none. */
  ports(): readonly [number, number] | null {
    const source = this.read(FIELD_CODE['th sport']);
    return source === ABSENT ? null : [source, this.read(FIELD_CODE['th dport'])];
  }

  /** One of `PACKET_TYPE`. What the link brought to more than this host is for none of them alone. */
  get packetType(): number {
    const { destination } = this.header;
    if (isMulticast(destination)) return PACKET_TYPE.multicast;
    const broadcast =
      destination === LIMITED_BROADCAST || destination === this.from?.broadcast || destination === this.to?.broadcast;
    if (broadcast) return PACKET_TYPE.broadcast;
    const group = this.#etherAt !== ABSENT && (this.bytes[this.#etherAt]! & 1) !== 0;
    return group ? PACKET_TYPE.broadcast : PACKET_TYPE.host;
  }

  /** A MAC address of the frame in which the packet came in; what this host sends has none yet. */
  #mac(offset: number): number {
    if (this.#etherAt === ABSENT) return ABSENT;
    const at = this.#etherAt + offset;
    return readBe16(this.bytes, at) * 2 ** 32 + readBe32(this.bytes, at + 2);
  }
}

/** Other messages have other things where these have identifier and sequence number. */
const isEcho = (type: number): boolean => type === ECHO || type === ECHO_REPLY;

/** Octets of the header of a protocol of which rules know fields; of others nothing is read. */
function leastBytes(protocol: number): number {
  if (protocol === TCP_PROTOCOL) return TCP_HEADER_BYTES;
  if (protocol === UDP_PROTOCOL) return UDP_HEADER_BYTES;
  return protocol === ICMP_PROTOCOL ? ICMP_HEADER_BYTES : Number.POSITIVE_INFINITY;
}
