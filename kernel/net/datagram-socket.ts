/**
 * A datagram socket: the one object in which a program and the protocols meet. It holds both endpoints, a bounded queue
 * of received datagrams, and the latest error that the network reported. What goes out and how ports are shared is its
 * protocol's matter ({@link DatagramProtocol}: UDP, or the echo messages of ICMP).
 *
 * `deliver` and `fail` run as deferred work, all else in tasks. They never run at the same time, so nothing is locked;
 * a task that found the queue empty sleeps on `readable` before any deferred work can run.
 */
import { formatIpv4 } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import { type Blocking, sleepOn, WaitChannel } from '../task.ts';
import { DEFAULT_TTL, type Ipv4Output } from './ipv4/output.ts';
import type { PortTable } from './port-table.ts';
import { SocketError } from './socket-error.ts';

/** `udp`: datagrams between ports. `icmp`: echo requests and their replies; the identifier plays the port. */
export type SocketType = 'udp' | 'icmp';

/** One end of a conversation. The address is an unsigned 32-bit number, 0 for any; port 0 is none yet. */
export interface Endpoint {
  readonly address: number;
  readonly port: number;
}

/** A received datagram, and who sent it. */
export interface Datagram extends Endpoint {
  /** The program's own, to read and write. They are part of a larger buffer: mind `byteOffset` in a view of them. */
  readonly bytes: Uint8Array;
  /** Time to live as it arrived: how far the datagram came. */
  readonly ttl: number;
}

/** What a socket needs of its protocol. */
export interface DatagramProtocol {
  /** Who is at which port. */
  readonly ports: PortTable<Socket>;
  readonly output: Ipv4Output;
  /** Sends one datagram; the socket is bound. Throws EINVAL, EMSGSIZE, ENETUNREACH, ENOBUFS. */
  send(socket: Socket, bytes: Uint8Array, address: number, port: number): void;
}

/** Received bytes that may wait in one socket. */
const RECEIVE_BUFFER_BYTES = 262_144;
/** What a datagram takes of that beyond its bytes, so that empty ones are bounded too. */
const DATAGRAM_OVERHEAD_BYTES = 64;
/** Taken datagrams after which the front of the queue is cut off, should it never become empty. */
const QUEUE_CUT = 256;

export class Socket {
  readonly type: SocketType;
  /** For tables and traces. */
  readonly name: string;
  /** Endpoints: read by all, set by the protocol (local) and by `connect` (remote). */
  localAddress = 0;
  localPort = 0;
  remoteAddress = 0;
  remotePort = 0;
  connected = false;
  /** Time to live of what is sent: 1 to 255. */
  ttl = DEFAULT_TTL;
  readonly counters = { received: 0, sent: 0, dropped: 0, errors: 0 };
  readonly #context: KernelContext;
  readonly #protocol: DatagramProtocol;
  readonly #closed: (socket: Socket) => void;
  readonly #readable: WaitChannel;
  readonly #queue: Datagram[] = [];
  #head = 0;
  #queuedBytes = 0;
  #error: SocketError | null = null;
  #open = true;

  /** For `Sockets` alone. `closed` is told when the socket closes. */
  constructor(
    context: KernelContext,
    type: SocketType,
    name: string,
    protocol: DatagramProtocol,
    closed: (socket: Socket) => void,
  ) {
    this.#context = context;
    this.type = type;
    this.name = name;
    this.#protocol = protocol;
    this.#closed = closed;
    this.#readable = new WaitChannel(name);
  }

  /**
   * Takes a local endpoint: address 0 for all, port 0 for an ephemeral one. Throws EINVAL when bound already,
   * EADDRNOTAVAIL when the address is not this host's, EADDRINUSE when the port is taken there.
   */
  bind(address: number, port: number): void {
    this.#checkOpen();
    if (this.localPort !== 0) throw new SocketError('EINVAL', 'the socket is bound already');
    checkPort(port, 0);
    const { ports, output } = this.#protocol;
    if (address !== 0 && !output.isOwnAddress(address)) {
      throw new SocketError('EADDRNOTAVAIL', `${formatIpv4(address)} is not an address of this host`);
    }
    this.localPort = ports.choose(address, port);
    this.localAddress = address;
    ports.add(this);
  }

  /**
   * Sets the one peer that `send` goes to and from which alone datagrams are taken. From then on errors that the
   * network reports are thrown by `send` and `recvfrom`, once each. `port` is of no meaning for ICMP. Throws
   * ENETUNREACH.
   */
  connect(address: number, port = 0): void {
    this.#checkOpen();
    if (this.type === 'udp') checkPort(port, 1);
    const route = this.#protocol.output.routeFor(this, address, 0);
    if (this.localPort === 0) this.bind(0, 0);
    if (this.localAddress === 0) this.localAddress = route.source;
    this.remoteAddress = address;
    this.remotePort = this.type === 'udp' ? port : 0;
    this.connected = true;
  }

  /** Sends to the peer. Throws EDESTADDRREQ unless connected. */
  send(bytes: Uint8Array): void {
    if (!this.connected) throw new SocketError('EDESTADDRREQ', 'the socket is not connected');
    this.sendto(bytes, this.remoteAddress, this.remotePort);
  }

  /** Sends one datagram; binds the socket to an ephemeral port if it has none. Does not block. */
  sendto(bytes: Uint8Array, address: number, port = 0): void {
    this.#checkOpen();
    this.#throwError();
    if (this.type === 'udp') checkPort(port, 1);
    if (this.localPort === 0) this.bind(0, 0);
    this.#protocol.send(this, bytes, address, port);
    this.counters.sent += 1;
  }

  /** Waits for a datagram; null when none came within `timeoutNs`. Throws EBADF when the socket is closed. */
  *recvfrom(timeoutNs = Number.POSITIVE_INFINITY): Blocking<Datagram | null> {
    const untilNs = this.#context.nowNs() + timeoutNs;
    for (;;) {
      this.#checkOpen();
      this.#throwError();
      const datagram = this.#take();
      if (datagram !== null) return datagram;
      // Another task may have taken what woke this one, so there may be several sleeps.
      const leftNs = untilNs - this.#context.nowNs();
      if (leftNs <= 0) return null;
      yield* sleepOn(this.#readable, leftNs);
    }
  }

  getsockname(): Endpoint {
    return { address: this.localAddress, port: this.localPort };
  }

  /** The latest error that the network reported, which this takes away; null for none. */
  takeError(): SocketError | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** Gives up the port. Tasks that wait in `recvfrom` get EBADF. Closing twice does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#queue.length = this.#head = this.#queuedBytes = 0;
    this.#protocol.ports.remove(this);
    this.#closed(this);
    this.#readable.wakeAll();
  }

  // For the protocols.

  /** Whether a datagram of `lengthBytes` still fits. One that does not is counted, and the caller drops it. */
  hasRoomFor(lengthBytes: number): boolean {
    if (this.#queuedBytes + lengthBytes + DATAGRAM_OVERHEAD_BYTES <= RECEIVE_BUFFER_BYTES) return true;
    this.counters.dropped += 1;
    return false;
  }

  deliver(datagram: Datagram): void {
    this.#queue.push(datagram);
    this.#queuedBytes += datagram.bytes.length + DATAGRAM_OVERHEAD_BYTES;
    this.counters.received += 1;
    this.#readable.wakeOne();
  }

  /** The network reported an error about something that this socket sent. */
  fail(error: SocketError): void {
    this.#error = error;
    this.counters.errors += 1;
    if (this.connected) this.#readable.wakeOne();
  }

  #take(): Datagram | null {
    if (this.#head === this.#queue.length) return null;
    const datagram = this.#queue[this.#head++]!;
    this.#queuedBytes -= datagram.bytes.length + DATAGRAM_OVERHEAD_BYTES;
    if (this.#head === this.#queue.length) this.#queue.length = this.#head = 0;
    else if (this.#head === QUEUE_CUT) {
      this.#queue.splice(0, QUEUE_CUT);
      this.#head = 0;
    }
    return datagram;
  }

  /** An unconnected socket is not interrupted by what one of its many peers caused: RFC 1122 4.1.3.3 is `takeError`. */
  #throwError(): void {
    if (this.#error === null || !this.connected) return;
    throw this.takeError();
  }

  #checkOpen(): void {
    if (!this.#open) throw new SocketError('EBADF', 'the socket is closed');
  }
}

function checkPort(port: number, least: number): void {
  if (!Number.isInteger(port) || port < least || port > 65_535)
    throw new SocketError('EINVAL', `no such port: ${port}`);
}
