/**
 * A stream socket: bytes in order, to and from one peer, over TCP. It begins as nothing, and becomes a listener, by
 * `listen`, or one end of a connection, by `connect` or because a listener accepted it. The connection is the control
 * block in `tcp/`, found by its four addresses; it knows what was sent and received, and outlives the socket until the
 * peer knows that it has ended. The socket makes tasks wait for it, and gives its errors their POSIX meaning.
 *
 * An error is told once, by the next call; after that the stream has ended: `recv` gives no more bytes, `send` EPIPE.
 */

import type { KernelContext } from '../context.ts';
import { type Blocking, sleepOn, WaitChannel } from '../task.ts';
import { checkPort, type Endpoint } from './endpoint.ts';
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDHUP } from './poll.ts';
import { MSG_OOB, MSG_PEEK, MSG_WAITALL, type ShutdownHow, Socket } from './socket.ts';
import { SocketError } from './socket-error.ts';
import type { SettableOptions, SocketOptions } from './socket-options.ts';
import type { SocketRow } from './socket-row.ts';
import { StreamOptions } from './stream-options.ts';
import type { StreamPorts } from './stream-ports.ts';
import type { StreamConnection, StreamListener } from './stream-protocol.ts';
import { connectionRow, listenerRow } from './stream-row.ts';
import type { TcpOptions, TcpUser } from './tcp/user.ts';

/** Connections that may wait to be accepted, whatever `listen` asks for. */
const MAX_BACKLOG = 128;
/** `poll` calls a socket writable when this part of the send buffer is free: not for each byte. */
const WRITABLE_SHARE = 1 / 3;
const NOTHING = new Uint8Array(0);
const UNBOUND: Endpoint = { address: 0, port: 0 };

/** What the host does with its stream sockets: `Sockets`. */
export interface StreamOwner {
  /** Throws EMFILE when there are too many sockets. */
  checkRoom(): void;
  /** A socket for a connection that was accepted, not open yet. */
  child(): StreamSocket;
  opened(socket: StreamSocket): void;
  closed(socket: StreamSocket): void;
}

export class StreamSocket extends Socket implements TcpUser {
  declare readonly type: 'tcp';
  readonly #context: KernelContext;
  readonly #ports: StreamPorts;
  readonly #owner: StreamOwner;
  readonly #options: StreamOptions;
  readonly #readable: WaitChannel;
  readonly #writable: WaitChannel;
  #bound = UNBOUND;
  #listener: StreamListener | null = null;
  #connection: StreamConnection | null = null;
  /** The outcome of `connect` is not known yet, or nobody has been told. */
  #connecting = false;
  #readEnded = false;
  #writeEnded = false;
  #open = true;

  /** For `Sockets` alone. */
  constructor(context: KernelContext, name: string, ports: StreamPorts, owner: StreamOwner) {
    super('tcp', name);
    this.#context = context;
    this.#ports = ports;
    this.#options = new StreamOptions(ports.tcp.defaults);
    this.#owner = owner;
    this.#readable = new WaitChannel(name);
    this.#writable = new WaitChannel(name);
  }

  bind(address: number, port: number): void {
    this.#checkOpen();
    if (this.#bound.port !== 0 || this.#connection !== null)
      throw new SocketError('EINVAL', 'the socket is bound already');
    checkPort(port, 0);
    this.#bound = this.#ports.bind(address, port, this.#options.tcp.reuseAddress);
  }

  /** `backlog` connections may wait to be accepted. Binds the socket to an ephemeral port if it has none. */
  override listen(backlog: number): void {
    this.#checkOpen();
    if (this.#connection !== null) throw new SocketError('EINVAL', 'the socket has a connection');
    if (this.#listener !== null) throw new SocketError('EINVAL', 'the socket listens already');
    if (this.#bound.port === 0) this.bind(this.#bound.address, 0);
    const length = Math.max(1, Math.min(MAX_BACKLOG, backlog));
    this.#listener = this.#ports.tcp.listen(this.#bound, length, this.#options.tcp, this);
  }

  /**
   * Waits for the oldest connection that nobody has accepted yet. Throws EINVAL unless the socket listens, EAGAIN as
   * `recv` does, EMFILE.
   */
  override *accept(): Blocking<StreamSocket> {
    const untilNs = this.#until(this.receiveTimeoutNs);
    for (;;) {
      this.#checkOpen();
      if (this.#listener === null) throw new SocketError('EINVAL', 'the socket does not listen');
      if (this.#listener.pendingCount > 0) return this.#acceptFrom(this.#listener);
      yield* this.#sleep(this.#readable, untilNs, 'EAGAIN', 'no connection waits');
    }
  }

  /**
   * Opens a connection, and waits until it is there. Throws ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH,
   * EADDRNOTAVAIL; EISCONN when there is one, EALREADY while it is being opened, EINPROGRESS when it did not come about
   * in the time there was, which goes on nevertheless: `poll` for POLLOUT.
   */
  *connect(address: number, port = 0): Blocking<void> {
    this.#checkOpen();
    checkPort(port, 1);
    if (this.#listener !== null) throw new SocketError('EOPNOTSUPP', 'the socket listens');
    if (this.#connecting && this.#isOpening()) throw new SocketError('EALREADY', 'the connection is being opened');
    if (this.#connecting) this.#conclude();
    if (this.#connection !== null) throw new SocketError('EISCONN', 'the socket is connected');
    const untilNs = this.#until(this.sendTimeoutNs);
    const local = this.#bound.port === 0 ? null : this.#bound;
    this.#connection = this.#ports.tcp.connect(local, { address, port }, this.#options.tcp, this);
    this.#connecting = true;
    while (this.#isOpening()) {
      yield* this.#sleep(this.#writable, untilNs, 'EINPROGRESS', 'the connection is being opened');
      this.#checkOpen();
    }
    this.#conclude();
  }

  /**
   * Sends all of `bytes`, waiting for room; when not all could be sent in the time there was, or before the connection
   * broke, returns how many were. With MSG_OOB they are urgent (RFC 9293 section 3.8.5): they stay in line, as RFC 6093
   * has it. Throws EAGAIN, EPIPE after the end, ENOTCONN, and the connection's error.
   */
  *send(bytes: Uint8Array, flags = 0): Blocking<number> {
    const untilNs = this.#until(this.sendTimeoutNs, flags);
    for (let sent = 0; ; ) {
      this.#checkOpen();
      const connection = this.#connected();
      if (sent > 0 && (connection.hasError || this.#isWriteEnded())) return sent;
      this.#throwError();
      if (this.#isWriteEnded()) throw new SocketError('EPIPE', 'the stream has ended');
      if (!this.#isOpening()) {
        if ((flags & MSG_OOB) !== 0) connection.markUrgent(bytes.length - sent);
        sent += this.#write(connection, bytes, sent);
      }
      if (sent === bytes.length) return sent;
      if (sent > 0 && untilNs <= this.#context.nowNs()) return sent;
      yield* this.#sleep(this.#writable, untilNs, 'EAGAIN', 'the send buffer is full');
    }
  }

  /**
   * Waits for bytes, and returns at most `maxBytes` of them; none at all when the peer has finished sending. Bytes that
   * came before an error are still there. MSG_PEEK leaves them there in any case; MSG_WAITALL, without it, waits for
   * `maxBytes`, or the end, or an error. Throws EAGAIN, ENOTCONN, and the connection's error.
   */
  *recv(maxBytes: number, flags = 0): Blocking<Uint8Array> {
    const untilNs = this.#until(this.receiveTimeoutNs, flags);
    if ((flags & (MSG_PEEK | MSG_WAITALL)) !== MSG_WAITALL) return yield* this.#receive(maxBytes, flags, untilNs);
    let bytes = yield* this.#receive(maxBytes, flags, untilNs);
    while (bytes.length > 0 && bytes.length < maxBytes && (yield* this.#moreComes(untilNs))) {
      const more = yield* this.#receive(maxBytes - bytes.length, flags, untilNs);
      const both = new Uint8Array(bytes.length + more.length);
      both.set(bytes);
      both.set(more, bytes.length);
      bytes = both;
    }
    return bytes;
  }

  /** SHUT_WR tells the peer that no more will come. SHUT_RD tells nobody: `recv` just gives no more. */
  override shutdown(how: ShutdownHow): void {
    this.#checkOpen();
    const connection = this.#opened();
    if (how !== 'SHUT_WR') this.#readEnded = true;
    if (how !== 'SHUT_RD' && !this.#writeEnded) {
      this.#writeEnded = true;
      connection.shutdownWrite();
    }
    this.changed();
  }

  getsockname(): Endpoint {
    const { address, port } = this.#connection?.local ?? this.#bound;
    return { address, port };
  }

  getpeername(): Endpoint {
    const { address, port } = this.#opened().remote;
    return { address, port };
  }

  takeError(): SocketError | null {
    return this.#connection?.takeError() ?? null;
  }

  /**
   * Gives the socket up. What was sent still arrives, unless SO_LINGER says otherwise; connections that wait in a
   * listener are reset.
   */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#listener?.close();
    this.#connection?.close();
    this.#ports.release(this.#bound);
    this.#owner.closed(this);
    this.changed();
  }

  pollEvents(): number {
    if (!this.#open) return POLLNVAL;
    if (this.#listener !== null) return this.#listener.pendingCount > 0 ? POLLIN : 0;
    const connection = this.#connection;
    // As BSD has it: a socket without a connection does not wait for anything.
    if (connection === null) return POLLOUT | POLLHUP;
    if (this.#isOpening()) return 0;
    const readEnded = this.#readEnded || connection.atEof;
    const closed = connection.state === 'CLOSED';
    let events = connection.hasError ? POLLERR : 0;
    if (connection.readableBytes > 0 || readEnded || closed) events |= POLLIN;
    if (readEnded) events |= POLLRDHUP;
    if (connection.urgentBytes > 0) events |= POLLPRI;
    if (this.#isWriteEnded() || this.#hasRoom(connection)) events |= POLLOUT;
    if (closed || (readEnded && this.#isWriteEnded())) events |= POLLHUP;
    return events;
  }

  row(): SocketRow {
    if (this.#listener !== null) return listenerRow(this.#listener);
    if (this.#connection !== null) return connectionRow(this.#connection);
    return { netid: 'tcp', state: 'CLOSED', recvQ: 0, sendQ: 0, local: this.#bound, peer: UNBOUND, info: '' };
  }

  /** The connection that this socket is an end of, for the table of sockets. */
  get connection(): StreamConnection | null {
    return this.#connection;
  }

  // What TCP calls.

  changed(): void {
    this.#readable.wakeAll();
    this.#writable.wakeAll();
    this.wakeWatchers();
  }

  // The options.

  protected override option(name: keyof SocketOptions): unknown {
    if (name === 'SO_ACCEPTCONN') return this.#listener !== null;
    if (name === 'TCP_INFO') return this.#connected().info();
    const value = this.#options.get(name);
    return value === undefined ? super.option(name) : value;
  }

  protected override setOption(name: keyof SettableOptions, value: unknown): void {
    const { tcp } = this.#options;
    const before = { ...tcp };
    if (!this.#options.set(name, value)) super.setOption(name, value);
    tcp.ttl = this.ttl;
    tcp.typeOfService = this.typeOfService;
    if (this.#listener !== null) Object.assign(this.#listener.options, tcp);
    if (this.#connection === null) return;
    for (const each of Object.keys(tcp) as (keyof TcpOptions)[]) {
      if (tcp[each] !== before[each]) this.#connection.setOption(each, tcp[each]);
    }
  }

  #acceptFrom(listener: StreamListener): StreamSocket {
    this.#owner.checkRoom();
    const child = this.#owner.child();
    child.#connection = listener.accept(child);
    child.#options.inherit(this.#options);
    child.ttl = this.ttl;
    child.typeOfService = this.typeOfService;
    this.#owner.opened(child);
    return child;
  }

  *#receive(maxBytes: number, flags: number, untilNs: number): Blocking<Uint8Array> {
    for (;;) {
      this.#checkOpen();
      const connection = this.#connected();
      if (this.#readEnded || maxBytes === 0) return NOTHING;
      const bytes = (flags & MSG_PEEK) === 0 ? connection.read(maxBytes) : connection.peek(maxBytes);
      if (bytes !== null) {
        this.#tell('in', bytes.length);
        return bytes;
      }
      this.#throwError();
      if (connection.atEof || connection.state === 'CLOSED') return NOTHING;
      yield* this.#sleep(this.#readable, untilNs, 'EAGAIN', 'no bytes have come');
    }
  }

  /** Waits until there are bytes to read. False: there will be none, or not in time, or the next call tells an error. */
  *#moreComes(untilNs: number): Blocking<boolean> {
    for (;;) {
      const connection = this.#connection!;
      if (!this.#open || this.#readEnded) return false;
      if (connection.readableBytes > 0) return true;
      const leftNs = untilNs - this.#context.nowNs();
      if (connection.hasError || connection.atEof || connection.state === 'CLOSED' || leftNs <= 0) return false;
      yield* sleepOn(this.#readable, leftNs);
    }
  }

  #write(connection: StreamConnection, bytes: Uint8Array, at: number): number {
    const taken = connection.write(bytes, at, bytes.length - at);
    if (taken > 0) this.#tell('out', taken);
    return taken;
  }

  #tell(direction: 'in' | 'out', lengthBytes: number): void {
    const { trace } = this.#context;
    if (trace !== null) trace.socket(direction, this.name, lengthBytes);
  }

  /** The end of a wait that lasts `timeoutNs` at most. */
  #until(timeoutNs: number, flags = 0): number {
    return this.#context.nowNs() + this.patienceNs(timeoutNs, flags);
  }

  /** Waits on `channel` for a change. Throws `code` when there is no time left. */
  *#sleep(channel: WaitChannel, untilNs: number, code: 'EAGAIN' | 'EINPROGRESS', text: string): Blocking<void> {
    const leftNs = untilNs - this.#context.nowNs();
    if (leftNs <= 0) throw new SocketError(code, text);
    yield* sleepOn(channel, leftNs);
  }

  /** `connect` is over. If the connection did not come about, the socket has none again, and may try anew. */
  #conclude(): void {
    const error = this.takeError();
    this.#connecting = false;
    if (this.#connection!.state === 'CLOSED') this.#connection = null;
    if (error !== null) throw error;
  }

  #isOpening(): boolean {
    const state = this.#connection?.state;
    return state === 'SYN-SENT' || state === 'SYN-RECEIVED';
  }

  #isWriteEnded(): boolean {
    return this.#writeEnded || this.#connection!.state === 'CLOSED';
  }

  #hasRoom(connection: StreamConnection): boolean {
    return connection.writableBytes >= this.#options.tcp.sendBufferBytes * WRITABLE_SHARE;
  }

  /** Throws the error of the connection, once. */
  #throwError(): void {
    const error = this.takeError();
    if (error !== null) throw error;
  }

  #connected(): StreamConnection {
    if (this.#connection === null) throw new SocketError('ENOTCONN', 'the socket is not connected');
    return this.#connection;
  }

  /** As `#connected`; a connection that is still being opened is none. */
  #opened(): StreamConnection {
    if (this.#isOpening()) throw new SocketError('ENOTCONN', 'the connection is being opened');
    return this.#connected();
  }

  #checkOpen(): void {
    if (!this.#open) throw new SocketError('EBADF', 'the socket is closed');
  }
}
