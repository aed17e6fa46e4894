/**
 * A link that is not Ethernet, for tests: one end of a leased line. It has no addresses of its own and asks nobody where
 * a neighbour is; what is sent comes out at the far end, with a one-octet header in front.
 */
import type { NetFeatures, PacketBuffer } from '../../kernel/driver-api.ts';
import { LIMITED_BROADCAST } from '../../kernel/net/ipv4/address.ts';
import type { Link } from '../../kernel/net/ipv4/link.ts';
import { push } from '../../kernel/net/packet.ts';
import type { NetStack } from '../../kernel/net/stack.ts';
import type { PacketPool } from '../../kernel/packet-pool.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';

/** The protocol field of PPP for IPv4, compressed (RFC 1661 section 6.5). */
const IPV4 = 0x21;

export class SerialLine implements Link {
  readonly name: string;
  readonly type = 'leased line';
  readonly mtu: number;
  readonly address: number;
  readonly prefixLength = 30;
  readonly broadcast = LIMITED_BROADCAST;
  readonly loopback = false;
  readonly features: NetFeatures = { checksum: false, segmentationBuffers: 0, vlan: false };
  /** What came out at the far end, from the IPv4 header on. */
  readonly sent: Uint8Array[] = [];
  readonly #net: NetStack;
  readonly #packets: PacketPool;

  /** Adds itself to `net`. `address` is dotted. */
  constructor(net: NetStack, packets: PacketPool, name: string, address: string, mtu: number) {
    this.#net = net;
    this.#packets = packets;
    this.name = name;
    this.address = parseIpv4(address);
    this.mtu = mtu;
    net.addLink(this, 0, 0);
  }

  send(packet: PacketBuffer): void {
    push(packet, 1);
    packet.bytes[packet.start] = IPV4;
    this.sent.push(packet.bytes.slice(packet.start + 1, packet.start + packet.length));
    this.#packets.free(packet);
  }

  /** The far end sends an IPv4 packet. */
  receive(octets: Uint8Array): void {
    const packet = this.#packets.allocate()!;
    packet.bytes.set(octets, packet.start);
    packet.length = octets.length;
    this.#net.ipv4Input.input(this, packet, false);
  }
}
