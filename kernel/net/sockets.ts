/**
 * The sockets of one host: where programs get them, and the list of those that are open.
 */
import type { KernelContext } from '../context.ts';
import { type DatagramProtocol, Socket, type SocketType } from './socket.ts';
import { SocketError } from './socket-error.ts';

/** Open sockets of one host. */
const MAX_SOCKETS = 4096;

export class Sockets {
  readonly #context: KernelContext;
  readonly #protocols: Readonly<Record<SocketType, DatagramProtocol>>;
  readonly #open = new Set<Socket>();
  #opened = 0;

  constructor(context: KernelContext, protocols: Readonly<Record<SocketType, DatagramProtocol>>) {
    this.#context = context;
    this.#protocols = protocols;
  }

  /** A new socket, not bound. The program that asked for it closes it. Throws EMFILE when there are too many. */
  socket(type: SocketType): Socket {
    if (this.#open.size === MAX_SOCKETS) throw new SocketError('EMFILE', `no more than ${MAX_SOCKETS} sockets`);
    this.#opened += 1;
    const name = `${type}/${this.#opened}`;
    const socket = new Socket(this.#context, type, name, this.#protocols[type], closed => this.#open.delete(closed));
    this.#open.add(socket);
    return socket;
  }

  /** The open sockets, oldest first. */
  list(): readonly Socket[] {
    return [...this.#open];
  }
}
