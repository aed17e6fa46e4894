/**
 * Who is at which port: one table each for UDP and for echo identifiers, which play the port of ICMP sockets. Demux is
 * by the four addresses and ports of a datagram: of the sockets at its destination port the one that says most about it
 * gets it (a connected one before one bound to an address, that before one bound to all addresses).
 */
import type { Link } from './ipv4/link.ts';
import { SocketError } from './socket-error.ts';

/** Ephemeral ports are from here to 65535 (RFC 6335 section 6, "Dynamic Ports"). */
const FIRST_EPHEMERAL_PORT = 49_152;
const EPHEMERAL_PORT_COUNT = 65_536 - FIRST_EPHEMERAL_PORT;

/** What the table must know of a socket. Addresses are unsigned 32-bit numbers, 0 for any; port 0 is none. */
export interface PortUser {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly connected: boolean;
  /** The only link that it has to do with, if there is one. */
  readonly device?: Link | null;
  /** Whether it shares the port with others that do so too. */
  readonly reuseAddress?: boolean;
}

export class PortTable<S extends PortUser> {
  readonly #random: () => number;
  readonly #byPort = new Map<number, S[]>();

  /** `random` gives the words from which ephemeral ports are drawn. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * A free port for `address`: `port` itself, or an ephemeral one for 0 (RFC 6056 section 3.3.1: a random start, then
   * upwards). What is `busy` is taken as well. `user` says with whom it can share. Throws EADDRINUSE.
   */
  choose(
    address: number,
    port: number,
    busy: (port: number) => boolean = nobody,
    user: Pick<PortUser, 'device' | 'reuseAddress'> = ALONE,
  ): number {
    if (port !== 0) {
      if (busy(port) || this.isTaken(address, port, user))
        throw new SocketError('EADDRINUSE', `port ${port} is in use`);
      return port;
    }
    const first = (this.#random() >>> 0) % EPHEMERAL_PORT_COUNT;
    for (let i = 0; i < EPHEMERAL_PORT_COUNT; i++) {
      const candidate = FIRST_EPHEMERAL_PORT + ((first + i) % EPHEMERAL_PORT_COUNT);
      if (!busy(candidate) && !this.isTaken(address, candidate)) return candidate;
    }
    throw new SocketError('EADDRINUSE', 'no ephemeral port is left');
  }

  /**
   * Whether a socket has `port`, at `address` or, where one of the two is 0, at any. `user` could have it all the same if
   * both share, or are bound to different interfaces.
   */
  isTaken(address: number, port: number, { device = null, reuseAddress = false }: typeof ALONE = ALONE): boolean {
    return this.at(port).some(user => {
      if (user.localAddress !== address && user.localAddress !== 0 && address !== 0) return false;
      const apart = device !== null && (user.device ?? device) !== device;
      return !apart && !(reuseAddress && user.reuseAddress === true);
    });
  }

  /** Enters `socket` at its local port, which {@link choose} has found free. */
  add(socket: S): void {
    const users = this.#byPort.get(socket.localPort);
    if (users === undefined) this.#byPort.set(socket.localPort, [socket]);
    else users.push(socket);
  }

  remove(socket: S): void {
    const users = this.#byPort.get(socket.localPort);
    const index = users?.indexOf(socket) ?? -1;
    if (users === undefined || index < 0) return;
    users.splice(index, 1);
    if (users.length === 0) this.#byPort.delete(socket.localPort);
  }

  /** The sockets at `port`. */
  at(port: number): readonly S[] {
    return this.#byPort.get(port) ?? NONE;
  }

  /** The socket for a datagram from `remote` to `local` that came in by `link`, if that is known; or null. */
  find(
    localAddress: number,
    localPort: number,
    remoteAddress: number,
    remotePort: number,
    link: Link | null = null,
  ): S | null {
    const users = this.#byPort.get(localPort);
    if (users === undefined) return null;
    let best: S | null = null;
    let bestScore = -1;
    for (let i = 0; i < users.length; i++) {
      const user = users[i]!;
      if (user.localAddress !== 0 && user.localAddress !== localAddress) continue;
      if (user.connected && (user.remoteAddress !== remoteAddress || user.remotePort !== remotePort)) continue;
      if (link !== null && (user.device ?? link) !== link) continue;
      const score = (user.connected ? 2 : 0) + (user.localAddress !== 0 ? 1 : 0);
      if (score <= bestScore) continue;
      best = user;
      bestScore = score;
    }
    return best;
  }
}

const NONE: readonly never[] = [];
const ALONE: Pick<PortUser, 'device' | 'reuseAddress'> = {};
const nobody = (): boolean => false;
