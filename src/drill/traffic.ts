/**
 * The packets of one run: those that the host has sent and no event has been compared with yet, and the conversations
 * that they belong to. A packet of a script that names no ports belongs to the conversation at hand: the one that the
 * host has opened last, or that the peer opens to the port that the script has bound.
 */
import { ETHERTYPE_IPV4 } from '../../kernel/net/ethernet.ts';
import { ETHERNET_HEADER_BYTES } from '../../kernel/net/packet.ts';
import { readBe16 } from '../lib/bytes.ts';
import { Flow } from './flow.ts';
import type { DrillHost } from './host.ts';
import { type DrillFrame, ipv4Frame } from './ideal-nic.ts';
import { ACK, type PacketEndpoint, type PacketLine, SYN } from './packet-line.ts';
import type { ScriptSettings } from './settings.ts';
import { buildPacket, describe, readPacket, type WirePacket, wireFlags } from './wire-packet.ts';

/** The port of a peer that opens a connection, unless the script names one. */
const PEER_PORT = 40_000;
/** Packets that a script may leave unread: a host that sends for ever is stopped. */
const MAX_WAITING = 100_000;

type Transport = 'tcp' | 'udp';

/** A packet of the host's, and the conversation that it is part of. */
export interface Sent {
  readonly wire: WirePacket;
  readonly flow: Flow;
}

export class Traffic {
  /** Packets of the host's in the order in which it sent them, not yet taken. */
  readonly waiting: Sent[] = [];
  /** Told of each packet, for `--verbose`. */
  onPacket: ((timeNs: number, packet: PacketLine, flow: Flow) => void) | null = null;
  readonly #host: DrillHost;
  readonly #settings: ScriptSettings;
  readonly #flows: Flow[] = [];
  readonly #current: Record<Transport, Flow | null> = { tcp: null, udp: null };
  #identification = 0;
  #packetCount = 0;

  constructor(host: DrillHost, settings: ScriptSettings) {
    this.#host = host;
    this.#settings = settings;
  }

  /** Packets in both directions. */
  get packetCount(): number {
    return this.#packetCount;
  }

  /** The conversation that an event speaks of. */
  flowOf(packet: PacketLine): Flow {
    const transport = transportOf(packet);
    const { endpoints, direction } = packet;
    if (endpoints === null)
      return this.#current[transport] ?? this.#begin(transport, this.#usualLocal, this.#usualRemote);
    const [source, destination] = endpoints;
    const [local, remote] = direction === 'out' ? [source, destination] : [destination, source];
    return this.flowBetween(
      transport,
      { address: local.address || this.#settings.local, port: local.port },
      { address: remote.address || this.#settings.remote, port: remote.port },
    );
  }

  /** The conversation between two endpoints, which is new if there was none. */
  flowBetween(transport: Transport, local: PacketEndpoint, remote: PacketEndpoint): Flow {
    const found = this.#flows.find(
      each => each.protocol === transport && same(each.local, local) && same(each.remote, remote),
    );
    return found ?? this.#begin(transport, local, remote);
  }

  /** What comes next is for a conversation of its own. */
  forgetCurrent(): void {
    this.#current.tcp = null;
  }

  /** The datagrams of the script are those of `flow` from now on. */
  makeCurrent(flow: Flow): void {
    this.#current[flow.protocol] = flow;
  }

  /** Puts a packet of the peer's on the wire, now. */
  inject(packet: PacketLine): void {
    const flow = this.flowOf(packet);
    if (packet.protocol === 'tcp' && (packet.flags & SYN) !== 0) {
      flow.peerSyn = packet.seq;
      if ((packet.flags & ACK) === 0) flow.mayBegin = true;
    }
    this.#packetCount += 1;
    this.onPacket?.(this.#host.nowNs, packet, flow);
    this.#identification = (this.#identification + 1) & 0xffff;
    this.#host.nic.inject(ipv4Frame(buildPacket(packet, flow, this.#identification)));
  }

  /** For the host's NIC: a frame of the host's. */
  sent(frame: DrillFrame): void {
    if (frame.direction === 'in' || readBe16(frame.bytes, 12) !== ETHERTYPE_IPV4) return;
    const wire = readPacket(frame.timeNs, frame.bytes.subarray(ETHERNET_HEADER_BYTES));
    if (wire === null) return;
    if (this.waiting.length === MAX_WAITING) throw new Error(`the host has sent ${MAX_WAITING} packets unasked`);
    const flow = this.#flowOfSent(wire);
    this.waiting.push({ wire, flow });
    this.#packetCount += 1;
    this.onPacket?.(frame.timeNs, describe(wire, flow, null), flow);
  }

  #flowOfSent(wire: WirePacket): Flow {
    if (wire.protocol === 'icmp')
      return this.#current.udp ?? this.#current.tcp ?? this.#begin('udp', wire.source, wire.destination);
    const flow = this.flowBetween(wire.protocol, wire.source, wire.destination);
    // An active open makes its conversation the one at hand.
    if (wire.protocol === 'tcp' && (wireFlags(wire) & (SYN | ACK)) === SYN && this.#current.tcp !== flow) {
      this.#current.tcp = flow;
    }
    return flow;
  }

  get #usualLocal(): PacketEndpoint {
    return { address: this.#settings.local, port: this.#settings.bindPort };
  }

  get #usualRemote(): PacketEndpoint {
    return { address: this.#settings.remote, port: PEER_PORT };
  }

  #begin(transport: Transport, local: PacketEndpoint, remote: PacketEndpoint): Flow {
    const flow = new Flow(transport, local, remote);
    this.#flows.push(flow);
    this.#current[transport] ??= flow;
    return flow;
  }
}

/** An ICMP message belongs to the conversation that it quotes. */
const transportOf = (packet: PacketLine): Transport =>
  packet.protocol === 'icmp' ? (packet.quoted?.protocol ?? 'tcp') : packet.protocol;

const same = (a: PacketEndpoint, b: PacketEndpoint): boolean => a.address === b.address && a.port === b.port;
