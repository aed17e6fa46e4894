/**
 * The file descriptors of a script, by the numbers that the script gives them: sockets of the host, and sets of sockets
 * that `epoll` waits for. Also what went through each stream, so that the octets on the wire can be checked.
 */
import type { Descriptor } from '../../kernel/net/socket.ts';
import { SocketError } from '../../kernel/net/socket-error.ts';

/** The octet that stands at `offset` of everything that the host sends, where a script does not say what it is. */
const hostOctet = (offset: number): number => (offset * 5 + (offset >>> 8)) & 0xff;

/** A socket, and the octets that a script has put into it. */
export class DrillSocket {
  readonly kind = 'socket';
  readonly number: number;
  readonly socket: Descriptor;
  readonly type: 'tcp' | 'udp';
  /** The number of the octet that the peer sends first; null while there is no connection. */
  firstOctet: number | null = null;
  /** O_NONBLOCK, as the script has set it. */
  nonBlocking = false;
  /** Octets that were read. */
  readBytes = 0;
  /** Octets that were taken to be sent. */
  #writtenBytes = 0;
  /** Those that are not {@link hostOctet}, by their offsets. */
  readonly #given = new Map<number, number>();

  constructor(number: number, socket: Descriptor, type: 'tcp' | 'udp') {
    this.number = number;
    this.socket = socket;
    this.type = type;
  }

  /** The next `lengthBytes` octets to be sent: those of the script, `given`, or if it is null the usual ones. */
  next(lengthBytes: number, given: Uint8Array | null): Uint8Array {
    return Uint8Array.from({ length: lengthBytes }, (_, i) =>
      given === null ? hostOctet(this.#writtenBytes + i) : (given[i] ?? 0),
    );
  }

  /** The first `count` of `bytes` were taken. */
  wrote(bytes: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const offset = this.#writtenBytes + i;
      if (bytes[i] !== hostOctet(offset)) this.#given.set(offset, bytes[i]!);
    }
    this.#writtenBytes += count;
  }

  /** The octet at `offset` of what was sent. */
  octet(offset: number): number {
    return this.#given.get(offset) ?? hostOctet(offset);
  }
}

/** What one `epoll_ctl` asked for. */
export interface Interest {
  readonly target: DrillSocket;
  readonly events: number;
  /** `data` of the event: whatever the script put there. */
  readonly data: number;
  spent: boolean;
}

export class Epoll {
  readonly kind = 'epoll';
  readonly number: number;
  readonly interests = new Map<number, Interest>();

  constructor(number: number) {
    this.number = number;
  }
}

/** Numbers below are those of standard input, output and error. */
const FIRST_NUMBER = 3;

export class Descriptors {
  readonly #open = new Map<number, DrillSocket | Epoll>();
  /** The one whose connection blocks of code look at: accepted, connected or made last. */
  underTest: DrillSocket | null = null;

  /** The number that a new descriptor has: what the script wants it to be, or the least that is free. */
  choose(wanted: number | null): number {
    if (wanted !== null && wanted >= 0 && !this.#open.has(wanted)) return wanted;
    let number = FIRST_NUMBER;
    while (this.#open.has(number)) number += 1;
    return number;
  }

  add<T extends DrillSocket | Epoll>(descriptor: T): T {
    this.#open.set(descriptor.number, descriptor);
    return descriptor;
  }

  remove(number: number): void {
    this.#open.delete(number);
    for (const each of this.#open.values()) if (each.kind === 'epoll') each.interests.delete(number);
  }

  /** Throws EBADF. */
  any(number: number): DrillSocket | Epoll {
    const found = this.#open.get(number);
    if (found === undefined) throw new SocketError('EBADF', `there is no descriptor ${number}`);
    return found;
  }

  /** Throws EBADF, ENOTSOCK. */
  socket(number: number): DrillSocket {
    const found = this.any(number);
    if (found.kind === 'socket') return found;
    throw new SocketError('ENOTSOCK', `descriptor ${number} is no socket`);
  }

  /** Throws EBADF, EINVAL. */
  epoll(number: number): Epoll {
    const found = this.any(number);
    if (found.kind === 'epoll') return found;
    throw new SocketError('EINVAL', `descriptor ${number} is no epoll`);
  }
}
