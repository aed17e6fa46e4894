/**
 * What stream sockets need of TCP: `tcp/` is what fits these interfaces, and a test may put something else in its place.
 * Nothing in here waits; TCP tells its user when to look again ({@link TcpUser}).
 */
import type { Endpoint } from './endpoint.ts';
import type { SocketError } from './socket-error.ts';
import type { TcpInfo, TcpOptions, TcpState, TcpUser } from './tcp/user.ts';

export interface StreamConnection {
  readonly state: TcpState;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Whether there is an error to take. */
  readonly hasError: boolean;
  /** Why the connection failed, which this takes away; null for none. */
  takeError(): SocketError | null;
  /** Bytes that `read` would give, and for which `write` has room. */
  readonly readableBytes: number;
  readonly writableBytes: number;
  /** The peer has finished, and all that it sent has been read. */
  readonly atEof: boolean;
  /** Whether `write` is allowed now, though there may be no room. */
  readonly canWrite: boolean;
  /** Takes up to `lengthBytes` of `bytes` from `at`, and keeps none of the array; returns how many. */
  write(bytes: Uint8Array, at: number, lengthBytes: number): number;
  /** Bytes that are the caller's; null when there are none. Those that `peek` gives can be read again. */
  read(maxBytes: number): Uint8Array | null;
  peek(maxBytes: number): Uint8Array | null;
  /** The next `lengthBytes` that are written are urgent; what was written before and is not sent yet goes with them. */
  markUrgent(lengthBytes: number): void;
  /** Bytes that can be read before the end of urgent data; more may have to come. 0: nothing is urgent. */
  readonly urgentBytes: number;
  /** Sends a FIN behind what was written. */
  shutdownWrite(): void;
  /** The user is gone: closes both directions, or resets, as the options and unread bytes have it. */
  close(): void;
  readonly options: Readonly<TcpOptions>;
  setOption<N extends keyof TcpOptions>(name: N, value: TcpOptions[N]): void;
  info(): TcpInfo;
}

export interface StreamListener {
  readonly state: 'LISTEN' | 'CLOSED';
  readonly local: Endpoint;
  /** Connections that wait to be accepted, and how many may. */
  readonly pendingCount: number;
  readonly backlog: number;
  /** The oldest connection that waits, which from now on tells `user`; null when there is none. */
  accept(user: TcpUser): StreamConnection | null;
  /** Handed on to connections: for the user to change. */
  readonly options: TcpOptions;
  /** Resets what waits. */
  close(): void;
}

export interface StreamProtocol {
  /** What a new socket begins with: the host's settings, as sysctls are elsewhere. */
  readonly defaults: Readonly<TcpOptions>;
  /** Begins to open a connection. `local` null: the stack chooses. Throws ENETUNREACH, EADDRINUSE, EADDRNOTAVAIL. */
  connect(local: Endpoint | null, remote: Endpoint, options: TcpOptions, user: TcpUser): StreamConnection;
  /** Throws EADDRINUSE. */
  listen(local: Endpoint, backlog: number, options: TcpOptions, user: TcpUser): StreamListener;
  /** Whether a listener or a connection has the port, at `address` or, where one of them is 0, at any. */
  portTaken(address: number, port: number): boolean;
  /** Listeners, and all connections there are, those without a user among them. */
  connections(): readonly (StreamListener | StreamConnection)[];
}
