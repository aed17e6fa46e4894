/**
 * Sockets of the type `icmp`: a program sends echo requests, whole ICMP messages, and gets the replies to them. The
 * identifier plays the port: the kernel chooses it and writes it, and the checksum, into each request.
 */
import { readBe16, readBe32, writeBe16 } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';
import { allocateChain, chainBytes, readChain, writeChain } from './chain.ts';
import type { DatagramProtocol, DatagramSocket } from './datagram-socket.ts';
import type { DropReason } from './drop.ts';
import {
  ECHO,
  emitIcmp,
  ICMP_HEADER_BYTES,
  ICMP_PROTOCOL,
  type IcmpReport,
  isAboutPathMtu,
  socketErrorOf,
} from './icmp-message.ts';
import type { Ipv4Header } from './ipv4/header.ts';
import type { Ipv4Arrival } from './ipv4/input.ts';
import type { Ipv4Output } from './ipv4/output.ts';
import { IPV4_HEADER_BYTES } from './packet.ts';
import { PortTable } from './port-table.ts';
import { Slab } from './slab.ts';
import { SocketError } from './socket-error.ts';

export class EchoSockets implements DatagramProtocol {
  readonly ports: PortTable<DatagramSocket>;
  readonly output: Ipv4Output;
  readonly #context: KernelContext;
  readonly #slab = new Slab();

  constructor(context: KernelContext, output: Ipv4Output) {
    this.#context = context;
    this.output = output;
    this.ports = new PortTable(() => context.random());
  }

  /** Sends `bytes`, an echo request from its type octet on. Identifier and checksum in it are of no meaning. */
  send(socket: DatagramSocket, bytes: Uint8Array, address: number): void {
    if (bytes.length < ICMP_HEADER_BYTES || bytes[0] !== ECHO || bytes[1] !== 0) {
      throw new SocketError('EINVAL', 'not an echo request');
    }
    const { output } = this;
    const lengthBytes = IPV4_HEADER_BYTES + bytes.length;
    const route = output.routeFor(socket, address, lengthBytes);
    const packet = allocateChain(this.#context.packets, bytes.length);
    if (packet === null) throw new SocketError('ENOBUFS', 'too few packet buffers are free');
    writeChain(packet, 0, bytes);
    writeBe16(packet.bytes, packet.start + 4, socket.localPort);
    emitIcmp(packet, ECHO, 0, readBe32(packet.bytes, packet.start + 4));
    const trace = this.#context.trace;
    if (trace !== null) trace.socket('out', socket.name, bytes.length);
    const source = socket.localAddress === 0 ? route.source : socket.localAddress;
    const dontFragment = output.dontFragment(socket, address, route.link, lengthBytes);
    const ttl = socket.timeToLiveFor(address);
    output.send(packet, route, source, address, ICMP_PROTOCOL, ttl, socket.typeOfService, dontFragment);
  }

  /** An echo reply; the packet stays the caller's. Returns why it was of no use, or null. */
  input(packet: PacketBuffer, arrival: Ipv4Arrival): DropReason | null {
    const { bytes, start } = packet;
    const length = chainBytes(packet);
    const socket = this.ports.find(arrival.destination, readBe16(bytes, start + 4), arrival.source, 0, arrival.link);
    if (socket === null) return 'nobody waits for the echo reply';
    if (!socket.hasRoomFor(length)) return 'receive buffer is full';
    const trace = this.#context.trace;
    if (trace !== null) trace.socket('in', socket.name, length);
    const copy = this.#slab.take(length);
    readChain(packet, 0, length, copy, 0);
    socket.deliver({ bytes: copy, address: arrival.source, port: 0, ttl: arrival.timeToLive });
    return null;
  }

  /** The echo request with `identifier` did not arrive. */
  error(report: IcmpReport, sent: Ipv4Header, identifier: number): void {
    const socket = this.ports.find(sent.source, identifier, sent.destination, 0);
    if (socket === null) return;
    if (isAboutPathMtu(report, sent)) this.output.learnPathMtu(sent.destination, report.word & 0xffff, sent.totalBytes);
    socket.fail(socketErrorOf(report));
  }
}
