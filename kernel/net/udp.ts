/**
 * UDP, RFC 768, with the rules of RFC 1122 section 4.1: datagrams between the ports of hosts.
 */
import { readBe16, writeBe16 } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';
import { allocateChain, chainBytes, readChain, sumChain, writeChain } from './chain.ts';
import { complement, fold, isGood, pseudoHeaderSum } from './checksum.ts';
import type { DatagramProtocol, DatagramSocket } from './datagram-socket.ts';
import type { DropReason, Drops } from './drop.ts';
import type { IcmpErrors } from './icmp-error.ts';
import {
  DESTINATION_UNREACHABLE,
  type IcmpReport,
  isAboutPathMtu,
  PORT_UNREACHABLE,
  socketErrorOf,
} from './icmp-message.ts';
import type { Ipv4Header } from './ipv4/header.ts';
import type { Ipv4Arrival, Ipv4Protocol } from './ipv4/input.ts';
import type { Ipv4Output } from './ipv4/output.ts';
import { IPV4_HEADER_BYTES } from './packet.ts';
import { PortTable } from './port-table.ts';
import { Slab } from './slab.ts';
import { SocketError } from './socket-error.ts';

export const UDP_PROTOCOL = 17;
export const UDP_HEADER_BYTES = 8;
const CHECKSUM_AT = 6;

export class Udp implements Ipv4Protocol, DatagramProtocol {
  readonly name = 'UDP';
  readonly ports: PortTable<DatagramSocket>;
  readonly output: Ipv4Output;
  readonly counters = { received: 0, delivered: 0, sent: 0 };
  readonly #context: KernelContext;
  readonly #errors: IcmpErrors;
  readonly #drops: Drops;
  readonly #slab = new Slab();

  constructor(context: KernelContext, output: Ipv4Output, errors: IcmpErrors, drops: Drops) {
    this.#context = context;
    this.output = output;
    this.#errors = errors;
    this.#drops = drops;
    this.ports = new PortTable(() => context.random());
  }

  send(socket: DatagramSocket, bytes: Uint8Array, address: number, port: number): void {
    const { output } = this;
    const lengthBytes = IPV4_HEADER_BYTES + UDP_HEADER_BYTES + bytes.length;
    const route = output.routeFor(socket, address, lengthBytes);
    const packet = allocateChain(this.#context.packets, UDP_HEADER_BYTES + bytes.length);
    if (packet === null) throw new SocketError('ENOBUFS', 'too few packet buffers are free');
    writeChain(packet, UDP_HEADER_BYTES, bytes);
    const source = socket.localAddress === 0 ? route.source : socket.localAddress;
    emitUdp(packet, source, socket.localPort, address, port, route.link.features.checksum);
    this.counters.sent += 1;
    const trace = this.#context.trace;
    if (trace !== null) trace.socket('out', socket.name, bytes.length);
    const dontFragment = output.dontFragment(socket, address, route.link, lengthBytes);
    const ttl = socket.timeToLiveFor(address);
    output.send(packet, route, source, address, UDP_PROTOCOL, ttl, socket.typeOfService, dontFragment);
  }

  input(packet: PacketBuffer, arrival: Ipv4Arrival): void {
    this.counters.received += 1;
    const reason = this.#deliver(packet, arrival);
    if (reason === null) this.#context.packets.free(packet);
    else this.#drops.drop(packet, 'udp', reason);
  }

  /** RFC 1122 section 4.1.3.3: the socket is told, whoever it belongs to. */
  error(report: IcmpReport, sent: Ipv4Header, bytes: Uint8Array, start: number): void {
    const localPort = readBe16(bytes, start);
    const remotePort = readBe16(bytes, start + 2);
    const socket = this.ports.find(sent.source, localPort, sent.destination, remotePort);
    if (socket === null) return;
    if (isAboutPathMtu(report, sent)) this.output.learnPathMtu(sent.destination, report.word & 0xffff, sent.totalBytes);
    socket.fail(socketErrorOf(report));
  }

  /** Null when the datagram is in a socket. The packet stays the caller's. */
  #deliver(packet: PacketBuffer, arrival: Ipv4Arrival): DropReason | null {
    const { bytes, start } = packet;
    const packetBytes = chainBytes(packet);
    if (packetBytes < UDP_HEADER_BYTES) return 'malformed UDP';
    const length = readBe16(bytes, start + 4);
    if (length < UDP_HEADER_BYTES || length > packetBytes) return 'malformed UDP';
    // The hardware takes all that follows the IPv4 header for the datagram. What it found bad is looked at again.
    const isKnownGood = packet.checksumGood && length === packetBytes;
    if (!isKnownGood && !hasGoodChecksum(packet, length, arrival)) return 'bad UDP checksum';
    const remotePort = readBe16(bytes, start);
    const payloadBytes = length - UDP_HEADER_BYTES;
    const localPort = readBe16(bytes, start + 2);
    if (arrival.group) return this.#deliverToAll(packet, arrival, localPort, remotePort, payloadBytes);
    const socket = this.ports.find(arrival.destination, localPort, arrival.source, remotePort, arrival.link);
    if (socket === null) {
      this.#errors.send(DESTINATION_UNREACHABLE, PORT_UNREACHABLE, 0, packet, arrival);
      return 'no such port';
    }
    return this.#put(socket, packet, arrival, remotePort, payloadBytes);
  }

  /** What was sent to a group, or to all, goes to each socket that takes it. */
  #deliverToAll(
    packet: PacketBuffer,
    arrival: Ipv4Arrival,
    localPort: number,
    remotePort: number,
    payloadBytes: number,
  ): DropReason | null {
    let reason: DropReason | null = 'no such port';
    for (const socket of this.ports.at(localPort)) {
      if (!socket.takesGroup(arrival, remotePort)) continue;
      const refusal = this.#put(socket, packet, arrival, remotePort, payloadBytes);
      if (reason !== null) reason = refusal;
    }
    return reason;
  }

  #put(
    socket: DatagramSocket,
    packet: PacketBuffer,
    arrival: Ipv4Arrival,
    remotePort: number,
    payloadBytes: number,
  ): DropReason | null {
    if (!socket.hasRoomFor(payloadBytes)) return 'receive buffer is full';
    this.counters.delivered += 1;
    const trace = this.#context.trace;
    if (trace !== null) trace.socket('in', socket.name, payloadBytes);
    const copy = this.#slab.take(payloadBytes);
    readChain(packet, UDP_HEADER_BYTES, payloadBytes, copy, 0);
    socket.deliver({ bytes: copy, address: arrival.source, port: remotePort, ttl: arrival.timeToLive });
    return null;
  }
}

/**
 * Writes the header at the start of `packet`, a chain of buffers. The checksum is left to the hardware if that `offers` to insert it: one in
 * 65,536 then comes out as zero, which says that there is none. All others are never zero.
 */
function emitUdp(
  packet: PacketBuffer,
  source: number,
  sourcePort: number,
  destination: number,
  destinationPort: number,
  offers: boolean,
): void {
  const { bytes, start } = packet;
  const length = chainBytes(packet);
  writeBe16(bytes, start, sourcePort);
  writeBe16(bytes, start + 2, destinationPort);
  writeBe16(bytes, start + 4, length);
  const pseudoHeader = pseudoHeaderSum(source, destination, UDP_PROTOCOL, length);
  if (offers) {
    writeBe16(bytes, start + CHECKSUM_AT, fold(pseudoHeader));
    packet.checksumStart = start;
    packet.checksumAt = start + CHECKSUM_AT;
    return;
  }
  writeBe16(bytes, start + CHECKSUM_AT, 0);
  const checksum = complement(sumChain(packet, length, pseudoHeader));
  // Zero would say that there is no checksum. All ones is the other zero of ones' complement.
  writeBe16(bytes, start + CHECKSUM_AT, checksum === 0 ? 0xffff : checksum);
}

function hasGoodChecksum(packet: PacketBuffer, length: number, arrival: Ipv4Arrival): boolean {
  if (readBe16(packet.bytes, packet.start + CHECKSUM_AT) === 0) return true;
  const pseudoHeader = pseudoHeaderSum(arrival.source, arrival.destination, UDP_PROTOCOL, length);
  return isGood(sumChain(packet, length, pseudoHeader));
}
