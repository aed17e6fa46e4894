/** A station that sends TCP segments under whatever address it likes: a MAC and a PHY, with no computer behind them. */
import { Station } from '../../../hw/ethernet/station.ts';
import { complement, pseudoHeaderSum, sum } from '../../../kernel/net/checksum.ts';
import type { Endpoint } from '../../../kernel/net/endpoint.ts';
import { ETHERTYPE_IPV4 } from '../../../kernel/net/ethernet.ts';
import { emit, Ipv4Header } from '../../../kernel/net/ipv4/header.ts';
import { ETHERNET_HEADER_BYTES, IPV4_HEADER_BYTES } from '../../../kernel/net/packet.ts';
import { ACK, RST, SYN, TCP_HEADER_BYTES, TCP_PROTOCOL } from '../../../kernel/net/tcp/segment.ts';
import { writeBe16, writeBe32 } from '../../lib/bytes.ts';
import type { Jack } from '../../world/jack.ts';
import type { World } from '../../world/world.ts';

/** Locally administered, and nobody else's. */
const MAC = Uint8Array.of(0x52, 0x54, 0x02, 0, 0, 0x66);
const FLAGS = { ACK, RST, SYN } as const;
const TTL = 64;
const WINDOW = 1000;

export interface ForgedSegment {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly flags: keyof typeof FLAGS;
  readonly sequence: number;
}

export class Forger {
  /** Segments sent. */
  sent = 0;
  readonly #station: Station;
  readonly #gateway: () => Uint8Array;

  /** `name` is the station's, and that of its cable to `port`; `gateway` tells the MAC address that all frames go to. */
  constructor(world: World, name: string, port: Jack, gateway: () => Uint8Array) {
    this.#station = new Station(world.clock, world.prng(name));
    this.#gateway = gateway;
    world.cable(name, { name, phy: this.#station.phy }, port);
  }

  /** Every checksum is right. */
  send(segment: ForgedSegment): void {
    const ipv4At = ETHERNET_HEADER_BYTES;
    const tcpAt = ipv4At + IPV4_HEADER_BYTES;
    const octets = new Uint8Array(tcpAt + TCP_HEADER_BYTES);
    octets.set(this.#gateway());
    octets.set(MAC, 6);
    writeBe16(octets, 12, ETHERTYPE_IPV4);
    const header = new Ipv4Header();
    header.totalBytes = octets.length - ipv4At;
    header.timeToLive = TTL;
    header.protocol = TCP_PROTOCOL;
    header.source = segment.from.address;
    header.destination = segment.to.address;
    emit(octets, ipv4At, header);
    writeTcp(octets, tcpAt, segment);
    this.#station.send(octets);
    this.sent += 1;
  }
}

function writeTcp(octets: Uint8Array, at: number, { from, to, flags, sequence }: ForgedSegment): void {
  writeBe16(octets, at, from.port);
  writeBe16(octets, at + 2, to.port);
  writeBe32(octets, at + 4, sequence);
  octets[at + 12] = (TCP_HEADER_BYTES / 4) << 4;
  octets[at + 13] = FLAGS[flags];
  writeBe16(octets, at + 14, WINDOW);
  const pseudo = pseudoHeaderSum(from.address, to.address, TCP_PROTOCOL, TCP_HEADER_BYTES);
  writeBe16(octets, at + 16, complement(sum(octets, at, TCP_HEADER_BYTES, pseudo)));
}
