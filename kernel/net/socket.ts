/**
 * The surface of a socket: the calls of POSIX (IEEE 1003.1), one method each, whatever protocol is behind. Two kinds
 * implement it, `DatagramSocket` and `StreamSocket`; a call that has no meaning for one of them throws EOPNOTSUPP.
 * Programs hold a {@link Descriptor}, which can only be handed back to the kernel: what they do with a socket goes
 * through `kernel/syscall.ts`, where it is traced.
 *
 * A method that may wait is `Blocking`: call it with `yield*`. Protocols change a socket from deferred work, programs
 * from tasks; these never run at the same time, so nothing is locked.
 */
import type { Blocking, WaitChannel } from '../task.ts';
import type { Endpoint } from './endpoint.ts';
import { DEFAULT_TTL } from './ipv4/output.ts';
import { duration, flag, wholeNumber } from './option-value.ts';
import { SocketError } from './socket-error.ts';
import type { SettableOptions, SocketOptions } from './socket-options.ts';
import type { SocketRow } from './socket-row.ts';

/** `udp`: datagrams between ports. `icmp`: echo requests and their replies; the identifier plays the port. */
export type DatagramType = 'udp' | 'icmp';
/** `tcp`: streams of bytes between ports. */
export type SocketType = DatagramType | 'tcp';

/** What `shutdown` ends: receiving, sending, or both. */
export type ShutdownHow = 'SHUT_RD' | 'SHUT_WR' | 'SHUT_RDWR';

/** For `send`: the bytes are urgent. */
export const MSG_OOB = 0x1;
/** For `recv`: the bytes stay where they are. */
export const MSG_PEEK = 0x2;
/** For `send` and `recv`: this once, EAGAIN rather than waiting. */
export const MSG_DONTWAIT = 0x40;
/** For `recv` of a stream: waits for all the bytes, as long as there can be more. */
export const MSG_WAITALL = 0x100;

/** A received datagram, and who sent it. */
export interface Datagram extends Endpoint {
  /** The program's own, to read and write. They are part of a larger buffer: mind `byteOffset` in a view of them. */
  readonly bytes: Uint8Array;
  /** Time to live as it arrived: how far the datagram came. */
  readonly ttl: number;
}

/** What a program holds of a socket. */
export abstract class Descriptor {
  /** For tables and traces: the type, and a number that no other socket of the host has had. */
  readonly name: string;
  /** A protected member makes the type nominal: nothing else passes for a descriptor. */
  protected readonly descriptor = true;

  constructor(name: string) {
    this.name = name;
  }
}

export abstract class Socket extends Descriptor {
  readonly type: SocketType;
  /** Time to live of what is sent: 1 to 255. */
  ttl = DEFAULT_TTL;
  typeOfService = 0;
  /** Where tasks wait that poll this socket: for `poll.ts` alone. */
  readonly watchers: WaitChannel[] = [];
  protected nonBlocking = false;
  protected receiveTimeoutNs = Number.POSITIVE_INFINITY;
  protected sendTimeoutNs = Number.POSITIVE_INFINITY;

  constructor(type: SocketType, name: string) {
    super(name);
    this.type = type;
  }

  /**
   * Takes a local endpoint: address 0 for all, port 0 for an ephemeral one. Throws EINVAL when bound already,
   * EADDRNOTAVAIL when the address is not this host's, EADDRINUSE when the port is taken there.
   */
  abstract bind(address: number, port: number): void;

  /** Sets the one peer; a stream socket waits until the connection is there. */
  abstract connect(address: number, port?: number): Blocking<void>;

  /** Sends to the peer; `flags` of MSG_OOB, MSG_DONTWAIT. Returns how many bytes were taken. */
  abstract send(bytes: Uint8Array, flags?: number): Blocking<number>;

  /**
   * Waits for bytes from the peer, at most `maxBytes`. None at all: the peer of a stream has finished sending. `flags` of
   * MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL.
   */
  abstract recv(maxBytes: number, flags?: number): Blocking<Uint8Array>;

  /** The local endpoint. */
  abstract getsockname(): Endpoint;

  /** The peer. Throws ENOTCONN. */
  abstract getpeername(): Endpoint;

  /** Gives the socket up. What waits in it gets EBADF. Closing twice does nothing. */
  abstract close(): void;

  /** The latest error that the network reported, which this takes away; null for none. */
  abstract takeError(): SocketError | null;

  /** What `poll` would say now: POLLIN, POLLOUT and their like. */
  abstract pollEvents(): number;

  /** The socket as `ringtail --sockets` shows it. */
  abstract row(): SocketRow;

  /** Makes it a listener. */
  listen(_backlog: number): void {
    throw this.unsupported('listen');
  }

  /** Waits for a connection. */
  accept(): Blocking<Socket> {
    throw this.unsupported('accept');
  }

  /** Sends one datagram. Does not wait. */
  sendto(_bytes: Uint8Array, _address: number, _port?: number): void {
    throw this.unsupported('sendto');
  }

  /** Waits for a datagram; null when none came within `timeoutNs`. */
  recvfrom(_timeoutNs?: number): Blocking<Datagram | null> {
    throw this.unsupported('recvfrom');
  }

  /** Ends one direction, or both. */
  shutdown(_how: ShutdownHow): void {
    throw this.unsupported('shutdown');
  }

  /** The value of an option. Throws ENOPROTOOPT when this kind of socket has no such option. */
  getsockopt<N extends keyof SocketOptions>(name: N): SocketOptions[N] {
    return this.option(name) as SocketOptions[N];
  }

  /** Sets an option. Throws ENOPROTOOPT as `getsockopt` does, EINVAL for a value that cannot be. */
  setsockopt<N extends keyof SettableOptions>(name: N, value: SettableOptions[N]): void {
    this.setOption(name, value);
  }

  /** The options that all sockets have; others are those of the kind. */
  protected option(name: keyof SocketOptions): unknown {
    switch (name) {
      case 'O_NONBLOCK':
        return this.nonBlocking;
      case 'SO_RCVTIMEO':
        return this.receiveTimeoutNs;
      case 'SO_SNDTIMEO':
        return this.sendTimeoutNs;
      case 'SO_ERROR':
        return this.takeError();
      case 'SO_TYPE':
        return this.type === 'tcp' ? 'SOCK_STREAM' : 'SOCK_DGRAM';
      case 'IP_TTL':
        return this.ttl;
      case 'IP_TOS':
        return this.typeOfService;
      default:
        throw new SocketError('ENOPROTOOPT', `a ${this.type} socket has no option ${name}`);
    }
  }

  protected setOption(name: keyof SettableOptions, value: unknown): void {
    switch (name) {
      case 'O_NONBLOCK':
        this.nonBlocking = flag(value);
        break;
      case 'SO_RCVTIMEO':
        this.receiveTimeoutNs = duration(value);
        break;
      case 'SO_SNDTIMEO':
        this.sendTimeoutNs = duration(value);
        break;
      case 'IP_TTL':
        this.ttl = wholeNumber(value, 1, 255);
        break;
      case 'IP_TOS':
        this.typeOfService = wholeNumber(value, 0, 255);
        break;
      default:
        throw new SocketError('ENOPROTOOPT', `a ${this.type} socket has no option ${name} to set`);
    }
  }

  /** How long a call with these flags may wait that would wait for `timeoutNs` otherwise. */
  protected patienceNs(timeoutNs: number, flags = 0): number {
    return this.nonBlocking || (flags & MSG_DONTWAIT) !== 0 ? 0 : timeoutNs;
  }

  /** Something changed that `poll` looks at. */
  protected wakeWatchers(): void {
    const { watchers } = this;
    for (let i = 0; i < watchers.length; i++) watchers[i]!.wakeAll();
  }

  private unsupported(call: string): SocketError {
    return new SocketError('EOPNOTSUPP', `a ${this.type} socket cannot ${call}`);
  }
}
