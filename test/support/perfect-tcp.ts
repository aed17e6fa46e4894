/**
 * A TCP without a network, for tests of what is above it: both ends of each connection are in this host, and bytes
 * cross at once, in deferred work. Nothing is lost. A test can make a peer silent, or break a connection.
 */
import type { KernelContext } from '../../kernel/context.ts';
import type { DeferredWork } from '../../kernel/driver-api.ts';
import type { Endpoint } from '../../kernel/net/endpoint.ts';
import { SocketError, type SocketErrorCode } from '../../kernel/net/socket-error.ts';
import type { StreamConnection, StreamListener, StreamProtocol } from '../../kernel/net/stream-protocol.ts';
import {
  DEFAULT_TCP_OPTIONS,
  type TcpInfo,
  type TcpOptions,
  type TcpState,
  type TcpUser,
} from '../../kernel/net/tcp/user.ts';

const HOST = 0x7f00_0001;

export class PerfectTcp implements StreamProtocol {
  readonly defaults = DEFAULT_TCP_OPTIONS;
  /** Connection attempts are neither answered nor refused. */
  silent = false;
  readonly all: PerfectConnection[] = [];
  readonly #listeners = new Map<number, PerfectListener>();
  readonly #notify: DeferredWork;
  readonly #waiting: (() => void)[] = [];
  #nextPort = 50_000;

  constructor(context: KernelContext) {
    this.#notify = context.deferred('perfect tcp', () => {
      for (const each of this.#waiting.splice(0)) each();
      return this.#waiting.length > 0;
    });
  }

  /** As TCP does it: a user is never told from within a call of its own. */
  later(work: () => void): void {
    this.#waiting.push(work);
    this.#notify.schedule();
  }

  connect(local: Endpoint | null, remote: Endpoint, options: TcpOptions, user: TcpUser): PerfectConnection {
    const connection = new PerfectConnection(
      this,
      local ?? { address: HOST, port: this.#nextPort++ },
      remote,
      options,
      user,
    );
    this.all.push(connection);
    if (!this.silent) this.later(() => this.#open(connection));
    return connection;
  }

  listen(local: Endpoint, backlog: number, options: TcpOptions, user: TcpUser): PerfectListener {
    const listener = new PerfectListener(local, backlog, options, user, () => this.#listeners.delete(local.port));
    this.#listeners.set(local.port, listener);
    return listener;
  }

  connections(): readonly PerfectConnection[] {
    return this.all.filter(({ state }) => state !== 'CLOSED');
  }

  portTaken(_address: number, port: number): boolean {
    return this.#listeners.has(port) || this.connections().some(({ local }) => local.port === port);
  }

  #open(client: PerfectConnection): void {
    if (client.state !== 'SYN-SENT') return;
    const listener = this.#listeners.get(client.remote.port);
    if (listener === undefined || listener.queue.length === listener.backlog) {
      client.fail('ECONNREFUSED');
      return;
    }
    const server = new PerfectConnection(this, client.remote, client.local, listener.options, null);
    this.all.push(server);
    client.peer = server;
    server.peer = client;
    client.become('ESTABLISHED');
    server.become('ESTABLISHED');
    listener.queue.push(server);
    listener.user.changed();
  }
}

class PerfectListener implements StreamListener {
  readonly local: Endpoint;
  readonly backlog: number;
  readonly state = 'LISTEN';
  readonly options: TcpOptions;
  readonly user: TcpUser;
  readonly queue: PerfectConnection[] = [];
  readonly #closed: () => void;

  constructor(local: Endpoint, backlog: number, options: TcpOptions, user: TcpUser, closed: () => void) {
    this.local = local;
    this.backlog = backlog;
    this.options = { ...options };
    this.user = user;
    this.#closed = closed;
  }

  get pendingCount(): number {
    return this.queue.length;
  }

  accept(user: TcpUser): PerfectConnection | null {
    const connection = this.queue.shift() ?? null;
    if (connection !== null) connection.user = user;
    return connection;
  }

  close(): void {
    this.#closed();
    for (const connection of this.queue.splice(0)) connection.reset();
  }
}

export class PerfectConnection implements StreamConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly options: TcpOptions;
  user: TcpUser | null;
  peer: PerfectConnection | null = null;
  state: TcpState = 'SYN-SENT';
  readonly #tcp: PerfectTcp;
  readonly #received: number[] = [];
  #finReceived = false;
  #finSent = false;
  #userGone = false;
  #error: SocketError | null = null;

  constructor(tcp: PerfectTcp, local: Endpoint, remote: Endpoint, options: TcpOptions, user: TcpUser | null) {
    this.#tcp = tcp;
    this.local = local;
    this.remote = remote;
    this.options = { ...options };
    this.user = user;
  }

  become(state: TcpState): void {
    this.state = state;
    this.#tell();
  }

  /** The connection breaks at this end. */
  fail(code: SocketErrorCode): void {
    this.#error = new SocketError(code, 'the test says so');
    this.become('CLOSED');
  }

  /** This end is gone, and the other one is told. */
  reset(): void {
    this.become('CLOSED');
    const { peer } = this;
    if (peer !== null && peer.state !== 'CLOSED') this.#tcp.later(() => peer.fail('ECONNRESET'));
  }

  get hasError(): boolean {
    return this.#error !== null;
  }

  takeError(): SocketError | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  get readableBytes(): number {
    return this.#received.length;
  }

  get writableBytes(): number {
    const { peer } = this;
    return this.canWrite && peer !== null ? Math.max(0, peer.options.receiveBufferBytes - peer.readableBytes) : 0;
  }

  get canWrite(): boolean {
    return this.state === 'ESTABLISHED' && !this.#finSent;
  }

  get atEof(): boolean {
    return this.#received.length === 0 && (this.#finReceived || this.state === 'CLOSED');
  }

  /** Nothing is urgent where nothing waits. */
  readonly urgentBytes = 0;
  markUrgent(): void {}

  write(bytes: Uint8Array, at: number, lengthBytes: number): number {
    const { peer } = this;
    if (peer === null || !this.canWrite) return 0;
    if (peer.#userGone) {
      // Accepted, and answered with a reset.
      this.#tcp.later(() => this.fail('ECONNRESET'));
      return lengthBytes;
    }
    const count = Math.min(lengthBytes, this.writableBytes);
    if (count === 0) return 0;
    for (let i = 0; i < count; i++) peer.#received.push(bytes[at + i]!);
    peer.#tell();
    return count;
  }

  read(maxBytes: number): Uint8Array | null {
    if (this.#received.length === 0) return null;
    const bytes = Uint8Array.from(this.#received.splice(0, maxBytes));
    if (this.peer !== null) this.peer.#tell();
    return bytes;
  }

  peek(maxBytes: number): Uint8Array | null {
    return this.#received.length === 0 ? null : Uint8Array.from(this.#received.slice(0, maxBytes));
  }

  shutdownWrite(): void {
    const { peer } = this;
    if (this.#finSent || peer === null) return;
    this.#finSent = true;
    peer.#finReceived = true;
    peer.#tell();
    this.#finish();
  }

  close(): void {
    this.user = null;
    this.#userGone = true;
    if (this.state === 'SYN-SENT') this.state = 'CLOSED';
    else if (this.#received.length > 0 || this.options.lingerNs === 0) this.reset();
    else this.shutdownWrite();
  }

  setOption<N extends keyof TcpOptions>(name: N, value: TcpOptions[N]): void {
    this.options[name] = value;
  }

  info(): TcpInfo {
    return { state: this.state, unacked: 0, unsent: 0 } as TcpInfo;
  }

  #finish(): void {
    if (!this.#finReceived || this.peer === null) return;
    this.become('CLOSED');
    this.peer.become('CLOSED');
  }

  #tell(): void {
    this.#tcp.later(() => this.user?.changed());
  }
}
