/**
 * A router that translates addresses, on fake drivers, for tests in the style of a dialogue: packets come in from the
 * inside and from the outside, and go out there, octet by octet as somebody computes them who knows nothing of the kernel.
 *
 * The router is 10.0.0.1/24 inside and 203.0.113.1/24 outside, where 203.0.113.254 is the way to all else. An endpoint is
 * written `10.0.0.2:4000`; that of an ICMP query has its identifier for a port.
 */
import { expect } from 'vitest';
import type { NetFeatures } from '../../kernel/driver-api.ts';
import { PRIVATE_RANGES } from '../../kernel/net/ipv4/private-ranges.ts';
import type { NatConfig } from '../../kernel/net/nat/config.ts';
import type { Nat } from '../../kernel/net/nat/nat.ts';
import { formatIpv4, hexBytes, parseIpv4 } from '../../src/lib/bytes.ts';
import { NetRig, SECOND_NS } from './net-rig.ts';
import { arpFrame, frame, type IcmpFields, type Ipv4Fields, icmp, ipv4, naiveChecksum, udp } from './packets.ts';

export const ROUTER = '10.0.0.1';
export const ALICE = '10.0.0.2';
export const BOB = '10.0.0.3';
export const PUBLIC = '203.0.113.1';
/** Somewhere on the Internet. */
export const SERVER = '198.51.100.7';
export const OTHER_SERVER = '198.51.100.8';
const GATEWAY = '203.0.113.254';

const INSIDE = 0;
const OUTSIDE = 1;
const ROUTER_MACS = ['52:54:00:00:00:01', '52:54:00:00:01:01'] as const;
const PEER_MACS = ['52:54:00:aa:00:01', '52:54:00:aa:01:01'] as const;

export const FLAGS = { FIN: 1, SYN: 2, RST: 4, ACK: 16 } as const;

interface End {
  readonly address: string;
  readonly port: number;
}

const endOf = (text: string): End => {
  const [address, port = '0'] = text.split(':');
  return { address: address!, port: Number(port) };
};
const word = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];

type Extra = Partial<Ipv4Fields>;

/** A UDP datagram in its packet. */
export function udpPacket(
  from: string,
  to: string,
  data: ArrayLike<number> = [1, 2, 3],
  extra: Extra = {},
): Uint8Array {
  const [{ address: source, port: sourcePort }, { address: destination, port: destinationPort }] = [
    endOf(from),
    endOf(to),
  ];
  const payload = udp({ source, destination, sourcePort, destinationPort, data });
  return ipv4({ source, destination, protocol: 17, payload, ...extra });
}

interface Numbers {
  readonly seq: number;
  readonly ack: number;
}

/** Those of a segment of which nobody looks at the numbers. */
const SOME_NUMBERS: Numbers = { seq: 0x1122_3344, ack: 0x5566_7788 };

/** A TCP segment in its packet. */
export function tcpPacket(
  from: string,
  to: string,
  flags: number,
  data: ArrayLike<number> = [],
  extra: Extra = {},
  { seq, ack } = SOME_NUMBERS,
): Uint8Array {
  const [{ address: source, port: sourcePort }, { address: destination, port: destinationPort }] = [
    endOf(from),
    endOf(to),
  ];
  const segment = [
    ...word(sourcePort),
    ...word(destinationPort),
    ...[seq >>> 16, seq, ack >>> 16, ack].flatMap(word),
    ...[0x50, flags, 0x20, 0x00, 0, 0, 0, 0],
    ...Array.from(data),
  ];
  const pseudo = [...octetsOf(source), ...octetsOf(destination), 0, 6, ...word(segment.length)];
  segment.splice(16, 2, ...word(naiveChecksum([...pseudo, ...segment])));
  return ipv4({ source, destination, protocol: 6, payload: segment, ...extra });
}

export function icmpPacket(from: string, to: string, fields: IcmpFields, extra: Extra = {}): Uint8Array {
  return ipv4({ source: from, destination: to, protocol: 1, payload: icmp(fields), ...extra });
}

/** An echo request, or with `type` 0 a reply. */
export function echoPacket(from: string, to: string, identifier: number, type = 8, extra: Extra = {}): Uint8Array {
  return icmpPacket(from, to, { type, word: identifier * 0x1_0000 + 1, data: [9, 8, 7] }, extra);
}

const octetsOf = (address: string): number[] => address.split('.').map(Number);

/** What a hop leaves of the usual TTL of 64. */
export const HOP = { ttl: 63 } as const;

export class NatRig extends NetRig {
  constructor(
    nat: Partial<NatConfig> = {},
    features: NetFeatures = { checksum: false, segmentationBuffers: 0, vlan: false },
  ) {
    super(
      {
        interfaces: [
          { address: parseIpv4(ROUTER), prefixLength: 24 },
          { address: parseIpv4(PUBLIC), prefixLength: 24, gateway: parseIpv4(GATEWAY) },
        ],
        forwarding: true,
        nat: { outside: OUTSIDE, insidePrefixes: PRIVATE_RANGES, ...nat },
      },
      2,
      { features },
    );
    this.#introduceAll();
  }

  get nat(): Nat {
    return this.net.nat!;
  }

  fromInside(packet: Uint8Array): void {
    this.#arrive(INSIDE, packet);
  }

  fromOutside(packet: Uint8Array): void {
    this.#arrive(OUTSIDE, packet);
  }

  /** The next packet that went out there. */
  sentInside(): Uint8Array {
    return this.sent(INSIDE).subarray(14);
  }

  sentOutside(): Uint8Array {
    return this.sent(OUTSIDE).subarray(14);
  }

  /** The next packet to the inside is exactly this. */
  expectInside(packet: Uint8Array): void {
    expect(hexBytes(this.sentInside())).toBe(hexBytes(packet));
  }

  expectOutside(packet: Uint8Array): void {
    expect(hexBytes(this.sentOutside())).toBe(hexBytes(packet));
  }

  /** The source of the next packet to the outside, as `203.0.113.1:4000`, and that packet. */
  nextOutside(): { readonly source: string; readonly packet: Uint8Array } {
    const packet = this.sentOutside();
    const port = packet[9] === 1 ? packet[24]! * 256 + packet[25]! : packet[20]! * 256 + packet[21]!;
    return { source: `${packet.subarray(12, 16).join('.')}:${port}`, packet };
  }

  wait(seconds: number): void {
    this.advance(seconds * SECOND_NS);
    this.#introduceAll();
  }

  /** The table, each mapping a line: `udp 203.0.113.1:4000 10.0.0.2:4000 ACTIVE`. */
  rows(): readonly string[] {
    return this.nat.table().map(row => {
      const ends = `${formatIpv4(row.publicAddress)}:${row.publicPort} ${formatIpv4(row.privateAddress)}:${row.privatePort}`;
      return `${row.protocol} ${ends} ${row.state}`;
    });
  }

  #arrive(index: number, payload: Uint8Array): void {
    this.inject(frame({ to: ROUTER_MACS[index]!, from: PEER_MACS[index]!, type: 0x0800, payload }), index);
  }

  /** Hosts are known to the router's ARP caches, which forget them within minutes. */
  #introduceAll(): void {
    for (const [index, sender] of [
      [INSIDE, ALICE],
      [INSIDE, BOB],
      [OUTSIDE, GATEWAY],
    ] as const) {
      const senderMac = PEER_MACS[index];
      this.inject(arpFrame({ opcode: 1, senderMac, sender, target: index === INSIDE ? ROUTER : PUBLIC }), index);
      // The answer is the last frame: what a test asks about may stand before it.
      this.drivers[index]!.sent.pop();
    }
  }
}
