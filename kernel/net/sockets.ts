/**
 * The sockets of one host: where programs get them, and the table of those that are open, with the connections that
 * outlive their sockets.
 */
import type { KernelContext } from '../context.ts';
import { type DatagramProtocol, DatagramSocket } from './datagram-socket.ts';
import type { DatagramType, Socket, SocketType } from './socket.ts';
import { SocketError } from './socket-error.ts';
import type { SocketRow } from './socket-row.ts';
import type { StreamPorts } from './stream-ports.ts';
import { connectionRow } from './stream-row.ts';
import { type StreamOwner, StreamSocket } from './stream-socket.ts';

/** Open sockets of one host. */
const MAX_SOCKETS = 16_384;

export class Sockets implements StreamOwner {
  readonly #context: KernelContext;
  readonly #protocols: Readonly<Record<DatagramType, DatagramProtocol>>;
  readonly #streamPorts: StreamPorts;
  readonly #open = new Set<Socket>();
  #made = 0;

  constructor(
    context: KernelContext,
    protocols: Readonly<Record<DatagramType, DatagramProtocol>>,
    streamPorts: StreamPorts,
  ) {
    this.#context = context;
    this.#protocols = protocols;
    this.#streamPorts = streamPorts;
  }

  /** A new socket, not bound. The program that asked for it closes it. Throws EMFILE when there are too many. */
  socket(type: DatagramType): DatagramSocket;
  socket(type: 'tcp'): StreamSocket;
  socket(type: SocketType): Socket;
  socket(type: SocketType): Socket {
    this.checkRoom();
    const socket = type === 'tcp' ? this.child() : this.#datagramSocket(type);
    this.#open.add(socket);
    return socket;
  }

  /** The open sockets, oldest first. */
  list(): readonly Socket[] {
    return [...this.#open];
  }

  /** A line for each open socket, oldest first, then one for each connection without a socket: TIME-WAIT, for one. */
  table(): readonly SocketRow[] {
    const sockets = this.list();
    const shown = new Set(sockets.map(socket => (socket instanceof StreamSocket ? socket.connection : null)));
    const rows = sockets.map(socket => socket.row());
    for (const each of this.#streamPorts.tcp.connections()) {
      if ('remote' in each && !shown.has(each)) rows.push(connectionRow(each));
    }
    return rows;
  }

  // For stream sockets.

  checkRoom(): void {
    if (this.#open.size === MAX_SOCKETS) throw new SocketError('EMFILE', `no more than ${MAX_SOCKETS} sockets`);
  }

  child(): StreamSocket {
    return new StreamSocket(this.#context, this.#name('tcp'), this.#streamPorts, this);
  }

  opened(socket: StreamSocket): void {
    this.#open.add(socket);
  }

  closed(socket: Socket): void {
    this.#open.delete(socket);
  }

  #datagramSocket(type: DatagramType): DatagramSocket {
    return new DatagramSocket(this.#context, type, this.#name(type), this.#protocols[type], socket =>
      this.closed(socket),
    );
  }

  #name(type: SocketType): string {
    this.#made += 1;
    return `${type}/${this.#made}`;
  }
}
