/**
 * System calls: all that a program can ask of the kernel, in one table. A call that may sleep is a generator, to be
 * called with `yield*`; the others return at once. Each task has its own object, which knows for whom it calls.
 *
 * A call is a plain function call: no trap, no cost. It is traced when it begins, before its arguments are checked.
 */
import { formatIpv4 } from '../src/lib/bytes.ts';
import type { KernelContext } from './context.ts';
import { type Endpoint, formatEndpoint } from './net/endpoint.ts';
import type { InterfaceAddress, InterfaceConfig, InterfaceStatus } from './net/interface-address.ts';
import { poll } from './net/poll.ts';
import { type Datagram, type Descriptor, type ShutdownHow, Socket, type SocketType } from './net/socket.ts';
import { SocketError } from './net/socket-error.ts';
import type { SettableOptions, SocketOptions } from './net/socket-options.ts';
import type { Sockets } from './net/sockets.ts';
import { type Blocking, type Program, sleepOn, type Task, TaskExit, WaitChannel } from './task.ts';

/** Connections that may wait in a listener, unless the program says otherwise. */
const DEFAULT_BACKLOG = 16;
/** Bytes that `recv` returns at most, unless the program says otherwise. */
const DEFAULT_RECV_BYTES = 65_536;

/** A socket, and which of its events a program waits for: bits of `kernel/net/poll.ts`. */
export interface PollRequest {
  readonly socket: Descriptor;
  readonly events: number;
}

/** What the calls need of the kernel beyond its context. */
export interface SyscallHost extends KernelContext {
  readonly net: {
    readonly sockets: Sockets;
    interfaceNamed(name: string): InterfaceAddress;
    configure(index: number, config: InterfaceConfig): void;
  };
  spawn(name: string, program: Program): Task;
}

export class Syscalls {
  readonly #kernel: SyscallHost;
  readonly #task: Task;
  readonly #sockets = new Set<Socket>();
  /** Nobody wakes it: where the task waits for time alone. */
  readonly #time = new WaitChannel('time');

  constructor(kernel: SyscallHost, task: Task) {
    this.#kernel = kernel;
    this.#task = task;
  }

  get hostname(): string {
    return this.#kernel.hostname;
  }

  /** Nanoseconds since power-on, in steps of 100. Like `rdtime` no call at all, so not traced. */
  nowNs(): number {
    return this.#kernel.nowNs();
  }

  /** Sleeps for at least `durationNs`. */
  *sleep(durationNs: number): Blocking<void> {
    if (this.#kernel.trace !== null) this.#trace(`sleep ${durationNs}`);
    yield* sleepOn(this.#time, durationNs);
  }

  /** A random word, int32. */
  random(): number {
    if (this.#kernel.trace !== null) this.#trace('random');
    return this.#kernel.random();
  }

  /** Writes a line to the console, under the task's name. */
  log(text: string): void {
    if (this.#kernel.trace !== null) this.#trace('log');
    this.#kernel.log(`${this.#task.name}: ${text}`);
  }

  /**
   * Starts another task, which runs when its turn comes. `sockets` become that task's: they are closed with it, not
   * with this one. Throws when there are too many tasks.
   */
  spawn(name: string, program: Program, sockets: readonly Descriptor[] = []): Task {
    if (this.#kernel.trace !== null) this.#trace(`spawn ${name}`);
    const handed = sockets.map(socketOf);
    const task = this.#kernel.spawn(name, sys => {
      for (const socket of handed) sys.#sockets.add(socket);
      return program(sys);
    });
    for (const socket of handed) this.#sockets.delete(socket);
    return task;
  }

  /** Ends the task from any depth of calls; `finally` blocks on the way run. */
  exit(): never {
    if (this.#kernel.trace !== null) this.#trace('exit');
    throw new TaskExit();
  }

  // Interfaces, by name: `eth0`. Each call throws ENODEV when there is none.

  /** The hardware address, the link, and the address of an interface, as they are now. */
  interfaceStatus(name: string): InterfaceStatus {
    if (this.#kernel.trace !== null) this.#trace(`interfaceStatus ${name}`);
    return this.#kernel.net.interfaceNamed(name).status();
  }

  /**
   * Gives an interface another address, with the routes that follow from it; address 0 takes it away. Does not wait:
   * with `detectConflicts` the address is there once `interfaceStatus` says that the claim is `assigned`. Throws EINVAL
   * for a configuration that makes no sense, and then has changed nothing.
   */
  configure(name: string, config: InterfaceConfig): void {
    if (this.#kernel.trace !== null) {
      this.#trace(`configure ${name} ${formatIpv4(config.address)}/${config.prefixLength}`);
    }
    const { net } = this.#kernel;
    const { index } = net.interfaceNamed(name);
    try {
      net.configure(index, config);
    } catch (error) {
      if (error instanceof RangeError) throw new SocketError('EINVAL', error.message);
      throw error;
    }
  }

  /** Waits until something of an interface's status is another: true; or for `timeoutNs`: false. */
  awaitInterface(name: string, timeoutNs = Number.POSITIVE_INFINITY): Blocking<boolean> {
    if (this.#kernel.trace !== null) this.#trace(`awaitInterface ${name}`);
    return sleepOn(this.#kernel.net.interfaceNamed(name).changes, timeoutNs);
  }

  // Sockets. What each call does, and which errors it throws, is written in kernel/net/socket.ts and the two kinds.

  /** A new socket. It is closed when the task ends, if not before. */
  socket(type: SocketType): Descriptor {
    if (this.#kernel.trace !== null) this.#trace(`socket ${type}`);
    return this.#own(this.#kernel.net.sockets.socket(type));
  }

  /** Takes a local endpoint: address 0 for all, port 0 for an ephemeral one. */
  bind(socket: Descriptor, address: number, port: number): void {
    if (this.#kernel.trace !== null) this.#trace(`bind ${socket.name} ${formatEndpoint(address, port)}`);
    socketOf(socket).bind(address, port);
  }

  /** Makes the socket a listener, in which `backlog` connections may wait to be accepted. */
  listen(socket: Descriptor, backlog = DEFAULT_BACKLOG): void {
    if (this.#kernel.trace !== null) this.#trace(`listen ${socket.name} ${backlog}`);
    socketOf(socket).listen(backlog);
  }

  /** Waits for a connection: a socket of its own, which is this task's. */
  *accept(socket: Descriptor): Blocking<Descriptor> {
    if (this.#kernel.trace !== null) this.#trace(`accept ${socket.name}`);
    return this.#own(yield* socketOf(socket).accept());
  }

  /** Sets the one peer; for a stream, opens the connection and waits until it is there. */
  connect(socket: Descriptor, address: number, port = 0): Blocking<void> {
    if (this.#kernel.trace !== null) this.#trace(`connect ${socket.name} ${formatEndpoint(address, port)}`);
    return socketOf(socket).connect(address, port);
  }

  /** Sends to the peer, `flags` of MSG_OOB, MSG_DONTWAIT. Returns how many bytes were taken: all, unless the socket may not wait. */
  send(socket: Descriptor, bytes: Uint8Array, flags = 0): Blocking<number> {
    if (this.#kernel.trace !== null) {
      this.#trace(`send ${socket.name} ${bytes.length} bytes${flags === 0 ? '' : ` flags 0x${flags.toString(16)}`}`);
    }
    return socketOf(socket).send(bytes, flags);
  }

  /** Sends one datagram. Does not wait. */
  sendto(socket: Descriptor, bytes: Uint8Array, address: number, port = 0): void {
    if (this.#kernel.trace !== null) {
      this.#trace(`sendto ${socket.name} ${bytes.length} bytes ${formatEndpoint(address, port)}`);
    }
    socketOf(socket).sendto(bytes, address, port);
  }

  /**
   * Waits for bytes from the peer, at most `maxBytes`; none at all when it has finished sending. `flags` of MSG_PEEK,
   * MSG_DONTWAIT, MSG_WAITALL.
   */
  recv(socket: Descriptor, maxBytes = DEFAULT_RECV_BYTES, flags = 0): Blocking<Uint8Array> {
    if (this.#kernel.trace !== null) {
      this.#trace(`recv ${socket.name} ${maxBytes}${flags === 0 ? '' : ` flags 0x${flags.toString(16)}`}`);
    }
    return socketOf(socket).recv(maxBytes, flags);
  }

  /** Waits for a datagram; null when none came within `timeoutNs`. */
  recvfrom(socket: Descriptor, timeoutNs?: number): Blocking<Datagram | null> {
    if (this.#kernel.trace !== null) this.#trace(`recvfrom ${socket.name}`);
    return socketOf(socket).recvfrom(timeoutNs);
  }

  /** Ends one direction of a stream, or both. */
  shutdown(socket: Descriptor, how: ShutdownHow): void {
    if (this.#kernel.trace !== null) this.#trace(`shutdown ${socket.name} ${how}`);
    socketOf(socket).shutdown(how);
  }

  /** The local endpoint. */
  getsockname(socket: Descriptor): Endpoint {
    if (this.#kernel.trace !== null) this.#trace(`getsockname ${socket.name}`);
    return socketOf(socket).getsockname();
  }

  /** The peer. */
  getpeername(socket: Descriptor): Endpoint {
    if (this.#kernel.trace !== null) this.#trace(`getpeername ${socket.name}`);
    return socketOf(socket).getpeername();
  }

  getsockopt<N extends keyof SocketOptions>(socket: Descriptor, name: N): SocketOptions[N] {
    if (this.#kernel.trace !== null) this.#trace(`getsockopt ${socket.name} ${name}`);
    return socketOf(socket).getsockopt(name);
  }

  setsockopt<N extends keyof SettableOptions>(socket: Descriptor, name: N, value: SettableOptions[N]): void {
    if (this.#kernel.trace !== null) this.#trace(`setsockopt ${socket.name} ${name} ${value}`);
    socketOf(socket).setsockopt(name, value);
  }

  /**
   * Waits until one of the sockets has an event that was asked for, at most `timeoutNs`. Returns for each the events
   * that hold; all are 0 after a time-out.
   */
  poll(requests: readonly PollRequest[], timeoutNs = Number.POSITIVE_INFINITY): Blocking<number[]> {
    if (this.#kernel.trace !== null) this.#trace(`poll ${requests.map(({ socket }) => socket.name).join(' ')}`);
    const sockets = requests.map(({ socket, events }) => ({ socket: socketOf(socket), events }));
    return poll(sockets, timeoutNs, () => this.#kernel.nowNs());
  }

  close(socket: Descriptor): void {
    if (this.#kernel.trace !== null) this.#trace(`close ${socket.name}`);
    const closed = socketOf(socket);
    this.#sockets.delete(closed);
    closed.close();
  }

  /** For `Tasks` alone: the task has ended, and what it left open is closed. */
  release(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  #own(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket;
  }

  #trace(text: string): void {
    this.#kernel.trace?.syscall(this.#task.name, text);
  }
}

function socketOf(descriptor: Descriptor): Socket {
  if (descriptor instanceof Socket) return descriptor;
  throw new SocketError('ENOTSOCK', 'not a socket');
}
