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
import { checkPort, type Endpoint } from './endpoint.ts';
import { GroupMemberships } from './group-memberships.ts';
import { isMulticast } from './ipv4/address.ts';
import type { Ipv4Arrival } from './ipv4/input.ts';
import type { Link } from './ipv4/link.ts';
import type { Ipv4Output, MtuDiscover, Sender } from './ipv4/output.ts';
import { bufferBytes, flag, oneOf, wholeNumber } from './option-value.ts';
import { POLLERR, POLLIN, POLLNVAL, POLLOUT } from './poll.ts';
import type { PortTable } from './port-table.ts';
import { type Datagram, type DatagramType, MSG_OOB, MSG_PEEK, Socket } from './socket.ts';
import { SocketError } from './socket-error.ts';
import type { GroupMembership, SettableOptions, SocketOptions } from './socket-options.ts';
import type { SocketRow } from './socket-row.ts';

/** What a socket needs of its protocol. */
export interface DatagramProtocol {
  /** Who is at which port. */
  readonly ports: PortTable<DatagramSocket>;
  readonly output: Ipv4Output;
  /** Sends one datagram; the socket is bound. Throws EINVAL, EMSGSIZE, ENETUNREACH, ENOBUFS. */
  send(socket: DatagramSocket, bytes: Uint8Array, address: number, port: number): void;
}

/** Received bytes that may wait in one socket, unless SO_RCVBUF says otherwise. */
const RECEIVE_BUFFER_BYTES = 262_144;
/** What a datagram takes of that beyond its bytes, so that empty ones are bounded too. */
const DATAGRAM_OVERHEAD_BYTES = 64;
const MTU_DISCOVER: readonly MtuDiscover[] = ['IP_PMTUDISC_DONT', 'IP_PMTUDISC_WANT', 'IP_PMTUDISC_DO'];
/** Taken datagrams after which the front of the queue is cut off, should it never become empty. */
const QUEUE_CUT = 256;

export class DatagramSocket extends Socket implements Sender {
  declare readonly type: DatagramType;
  /** Endpoints: read by all, set by the protocol (local) and by `connect` (remote). */
  localAddress = 0;
  localPort = 0;
  remoteAddress = 0;
  remotePort = 0;
  connected = false;
  /** Options: read by all, set by the program. */
  device: Link | null = null;
  multicastLink: Link | null = null;
  multicastTtl = 1;
  broadcast = false;
  reuseAddress = false;
  mtuDiscover: MtuDiscover = 'IP_PMTUDISC_DONT';
  readonly counters = { received: 0, sent: 0, dropped: 0, errors: 0 };
  readonly #context: KernelContext;
  readonly #protocol: DatagramProtocol;
  readonly #closed: (socket: DatagramSocket) => void;
  readonly #readable: WaitChannel;
  readonly #queue: Datagram[] = [];
  #head = 0;
  #queuedBytes = 0;
  #receiveBufferBytes = RECEIVE_BUFFER_BYTES;
  readonly #memberships: GroupMemberships;
  #error: SocketError | null = null;
  #open = true;

  /** For `Sockets` alone. `closed` is told when the socket closes. */
  constructor(
    context: KernelContext,
    type: DatagramType,
    name: string,
    protocol: DatagramProtocol,
    closed: (socket: DatagramSocket) => void,
  ) {
    super(type, name);
    this.#context = context;
    this.#protocol = protocol;
    this.#closed = closed;
    this.#readable = new WaitChannel(name);
    this.#memberships = new GroupMemberships(protocol.output.groups);
  }

  bind(address: number, port: number): void {
    this.#checkOpen();
    if (this.localPort !== 0) throw new SocketError('EINVAL', 'the socket is bound already');
    checkPort(port, 0);
    const { ports, output } = this.#protocol;
    if (address !== 0 && !output.isOwnAddress(address)) {
      throw new SocketError('EADDRNOTAVAIL', `${formatIpv4(address)} is not an address of this host`);
    }
    this.localPort = ports.choose(address, port, undefined, this);
    this.localAddress = address;
    ports.add(this);
  }

  /**
   * Sets the one peer that `send` goes to and from which alone datagrams are taken. From then on errors that the
   * network reports are thrown by `send` and `recvfrom`, once each. `port` is of no meaning for ICMP. Throws
   * ENETUNREACH. It does not wait: all is done when it returns.
   */
  connect(address: number, port = 0): Blocking<void> {
    this.#checkOpen();
    if (this.type === 'udp') checkPort(port, 1);
    const route = this.#protocol.output.routeFor(this, address, 0);
    if (this.localPort === 0) this.bind(0, 0);
    if (this.localAddress === 0) this.localAddress = route.source;
    this.remoteAddress = address;
    this.remotePort = this.type === 'udp' ? port : 0;
    this.connected = true;
    return done(undefined);
  }

  /** Sends to the peer, all at once: it does not wait. Throws EDESTADDRREQ unless connected, EOPNOTSUPP for MSG_OOB. */
  send(bytes: Uint8Array, flags = 0): Blocking<number> {
    if ((flags & MSG_OOB) !== 0) throw new SocketError('EOPNOTSUPP', 'no datagram is urgent');
    if (!this.connected) throw new SocketError('EDESTADDRREQ', 'the socket is not connected');
    this.sendto(bytes, this.remoteAddress, this.remotePort);
    return done(bytes.length);
  }

  /** Sends one datagram; binds the socket to an ephemeral port if it has none. Does not wait. */
  override sendto(bytes: Uint8Array, address: number, port = 0): void {
    this.#checkOpen();
    this.#throwError();
    if (this.type === 'udp') checkPort(port, 1);
    if (this.localPort === 0) this.bind(0, 0);
    this.#protocol.send(this, bytes, address, port);
    this.counters.sent += 1;
  }

  /**
   * As `recvfrom`, without saying who sent the datagram. What of it is beyond `maxBytes` is lost, unless MSG_PEEK leaves
   * all of it there.
   */
  *recv(maxBytes: number, flags = 0): Blocking<Uint8Array> {
    const datagram = yield* this.#receive(this.patienceNs(this.receiveTimeoutNs, flags), flags);
    const { bytes } = datagram ?? nothingCame();
    return bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
  }

  /**
   * Waits for a datagram; null when none came within `timeoutNs`. Without that argument the options SO_RCVTIMEO and
   * O_NONBLOCK hold, and having waited in vain is EAGAIN. Throws EBADF when the socket is closed.
   */
  override *recvfrom(timeoutNs?: number): Blocking<Datagram | null> {
    if (timeoutNs !== undefined) return yield* this.#receive(timeoutNs, 0);
    return (yield* this.#receive(this.patienceNs(this.receiveTimeoutNs), 0)) ?? nothingCame();
  }

  getsockname(): Endpoint {
    return { address: this.localAddress, port: this.localPort };
  }

  getpeername(): Endpoint {
    if (!this.connected) throw new SocketError('ENOTCONN', 'the socket is not connected');
    return { address: this.remoteAddress, port: this.remotePort };
  }

  takeError(): SocketError | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#queue.length = this.#head = this.#queuedBytes = 0;
    this.#protocol.ports.remove(this);
    this.#memberships.leaveAll();
    this.#closed(this);
    this.#readable.wakeAll();
    this.wakeWatchers();
  }

  pollEvents(): number {
    if (!this.#open) return POLLNVAL;
    return (
      POLLOUT | (this.#head < this.#queue.length ? POLLIN : 0) | (this.connected && this.#error !== null ? POLLERR : 0)
    );
  }

  row(): SocketRow {
    return {
      netid: this.type,
      state: this.connected ? 'ESTAB' : 'UNCONN',
      recvQ: this.#queuedBytes - DATAGRAM_OVERHEAD_BYTES * (this.#queue.length - this.#head),
      sendQ: 0,
      local: this.getsockname(),
      peer: { address: this.remoteAddress, port: this.remotePort },
      info: this.counters.dropped === 0 ? '' : `dropped:${this.counters.dropped}`,
    };
  }

  protected override option(name: keyof SocketOptions): unknown {
    switch (name) {
      case 'SO_RCVBUF':
        return this.#receiveBufferBytes;
      case 'SO_ACCEPTCONN':
        return false;
      case 'SO_BROADCAST':
        return this.broadcast;
      case 'SO_REUSEADDR':
        return this.reuseAddress;
      case 'SO_BINDTODEVICE':
        return this.device?.name ?? null;
      case 'IP_MULTICAST_IF':
        return this.multicastLink?.name ?? null;
      case 'IP_MULTICAST_TTL':
        return this.multicastTtl;
      case 'IP_MTU_DISCOVER':
        return this.mtuDiscover;
      default:
        return super.option(name);
    }
  }

  protected override setOption(name: keyof SettableOptions, value: unknown): void {
    switch (name) {
      case 'SO_RCVBUF':
        this.#receiveBufferBytes = bufferBytes(value);
        break;
      case 'SO_BROADCAST':
        this.broadcast = flag(value);
        break;
      case 'SO_REUSEADDR':
        this.reuseAddress = flag(value);
        break;
      case 'SO_BINDTODEVICE':
        this.device = this.#linkOf(value);
        break;
      case 'IP_MULTICAST_IF':
        this.multicastLink = this.#linkOf(value);
        break;
      case 'IP_MULTICAST_TTL':
        this.multicastTtl = wholeNumber(value, 0, 255);
        break;
      case 'IP_MTU_DISCOVER':
        this.mtuDiscover = oneOf(value, MTU_DISCOVER);
        break;
      case 'IP_ADD_MEMBERSHIP':
        this.#memberships.join(value as GroupMembership);
        break;
      case 'IP_DROP_MEMBERSHIP':
        this.#memberships.leave(value as GroupMembership);
        break;
      default:
        super.setOption(name, value);
    }
  }

  // For the protocols.

  /** Time to live of a datagram to `address`. */
  timeToLiveFor(address: number): number {
    return isMulticast(address) ? this.multicastTtl : this.ttl;
  }

  /** Whether the socket gets a datagram that went to a group, or to all, and came in by `arrival.link`. */
  takesGroup(arrival: Ipv4Arrival, remotePort: number): boolean {
    const { destination, link, source } = arrival;
    if (this.localAddress !== 0 && this.localAddress !== destination) return false;
    if (this.device !== null && this.device !== link) return false;
    if (this.connected && (this.remoteAddress !== source || this.remotePort !== remotePort)) return false;
    return !isMulticast(destination) || this.#memberships.has(link, destination);
  }

  /** Whether a datagram of `lengthBytes` still fits. One that does not is counted, and the caller drops it. */
  hasRoomFor(lengthBytes: number): boolean {
    if (this.#queuedBytes + lengthBytes + DATAGRAM_OVERHEAD_BYTES <= this.#receiveBufferBytes) return true;
    this.counters.dropped += 1;
    return false;
  }

  deliver(datagram: Datagram): void {
    this.#queue.push(datagram);
    this.#queuedBytes += datagram.bytes.length + DATAGRAM_OVERHEAD_BYTES;
    this.counters.received += 1;
    this.#readable.wakeOne();
    this.wakeWatchers();
  }

  /** The network reported an error about something that this socket sent. */
  fail(error: SocketError): void {
    this.#error = error;
    this.counters.errors += 1;
    if (!this.connected) return;
    this.#readable.wakeOne();
    this.wakeWatchers();
  }

  #linkOf(value: unknown): Link | null {
    return value === null ? null : this.#protocol.output.groups.linkNamed(String(value));
  }

  /** Waits for a datagram; null when none came within `timeoutNs`. */
  *#receive(timeoutNs: number, flags: number): Blocking<Datagram | null> {
    const untilNs = this.#context.nowNs() + timeoutNs;
    for (;;) {
      this.#checkOpen();
      this.#throwError();
      const datagram = (flags & MSG_PEEK) === 0 ? this.#take() : this.#peek();
      if (datagram !== null) return datagram;
      // Another task may have taken what woke this one, so there may be several sleeps.
      const leftNs = untilNs - this.#context.nowNs();
      if (leftNs <= 0) return null;
      yield* sleepOn(this.#readable, leftNs);
    }
  }

  #peek(): Datagram | null {
    const next = this.#queue[this.#head];
    return next === undefined ? null : { ...next, bytes: next.bytes.slice() };
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

/** The result of a call that did not have to wait. */
// biome-ignore lint/correctness/useYield: it is finished before it could.
function* done<T>(value: T): Blocking<T> {
  return value;
}

function nothingCame(): never {
  throw new SocketError('EAGAIN', 'no datagram has come');
}
