/**
 * System calls: all that a program can ask of the kernel, in one table. A call that may sleep is a generator, to be
 * called with `yield*`; the others return at once. Each task has its own object, which knows for whom it calls.
 *
 * A call is a plain function call: no trap, no cost. It is traced when it begins, before its arguments are checked.
 */
import { formatIpv4 } from '../src/lib/bytes.ts';
import type { KernelContext } from './context.ts';
import type { Datagram, Endpoint, Socket, SocketType } from './net/socket.ts';
import type { SocketError } from './net/socket-error.ts';
import type { Sockets } from './net/sockets.ts';
import { type Blocking, type Program, sleepOn, type Task, TaskExit, WaitChannel } from './task.ts';

/** What the calls need of the kernel beyond its context. */
export interface SyscallHost extends KernelContext {
  readonly net: { readonly sockets: Sockets };
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

  /** Starts another task, which runs when its turn comes. Throws when there are too many. */
  spawn(name: string, program: Program): Task {
    if (this.#kernel.trace !== null) this.#trace(`spawn ${name}`);
    return this.#kernel.spawn(name, program);
  }

  /** Ends the task from any depth of calls; `finally` blocks on the way run. */
  exit(): never {
    if (this.#kernel.trace !== null) this.#trace('exit');
    throw new TaskExit();
  }

  // Sockets. What each call does, and which errors it throws, is written in kernel/net/socket.ts.

  /** A new socket. It is closed when the task ends, if not before. */
  socket(type: SocketType): Socket {
    if (this.#kernel.trace !== null) this.#trace(`socket ${type}`);
    const socket = this.#kernel.net.sockets.socket(type);
    this.#sockets.add(socket);
    return socket;
  }

  /** Takes a local endpoint: address 0 for all, port 0 for an ephemeral one. */
  bind(socket: Socket, address: number, port: number): void {
    if (this.#kernel.trace !== null) this.#trace(`bind ${socket.name} ${endpoint(address, port)}`);
    socket.bind(address, port);
  }

  /** Sets the one peer. */
  connect(socket: Socket, address: number, port = 0): void {
    if (this.#kernel.trace !== null) this.#trace(`connect ${socket.name} ${endpoint(address, port)}`);
    socket.connect(address, port);
  }

  /** Sends one datagram to the peer. Does not block. */
  send(socket: Socket, bytes: Uint8Array): void {
    if (this.#kernel.trace !== null) this.#trace(`send ${socket.name} ${bytes.length} bytes`);
    socket.send(bytes);
  }

  /** Sends one datagram. Does not block. */
  sendto(socket: Socket, bytes: Uint8Array, address: number, port = 0): void {
    if (this.#kernel.trace !== null) {
      this.#trace(`sendto ${socket.name} ${bytes.length} bytes ${endpoint(address, port)}`);
    }
    socket.sendto(bytes, address, port);
  }

  /** Waits for a datagram; null when none came within `timeoutNs`. */
  recvfrom(socket: Socket, timeoutNs = Number.POSITIVE_INFINITY): Blocking<Datagram | null> {
    if (this.#kernel.trace !== null) this.#trace(`recvfrom ${socket.name}`);
    return socket.recvfrom(timeoutNs);
  }

  /** The local endpoint. */
  getsockname(socket: Socket): Endpoint {
    if (this.#kernel.trace !== null) this.#trace(`getsockname ${socket.name}`);
    return socket.getsockname();
  }

  /** Takes away the latest error that the network reported; null for none. */
  takeError(socket: Socket): SocketError | null {
    if (this.#kernel.trace !== null) this.#trace(`takeError ${socket.name}`);
    return socket.takeError();
  }

  /** Time to live of what the socket sends, 1 to 255. */
  setTtl(socket: Socket, ttl: number): void {
    if (this.#kernel.trace !== null) this.#trace(`setTtl ${socket.name} ${ttl}`);
    if (!(Number.isInteger(ttl) && ttl >= 1 && ttl <= 255)) throw new RangeError(`no such time to live: ${ttl}`);
    socket.ttl = ttl;
  }

  close(socket: Socket): void {
    if (this.#kernel.trace !== null) this.#trace(`close ${socket.name}`);
    this.#sockets.delete(socket);
    socket.close();
  }

  /** For `Tasks` alone: the task has ended, and what it left open is closed. */
  release(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  #trace(text: string): void {
    this.#kernel.trace?.syscall(this.#task.name, text);
  }
}

const endpoint = (address: number, port: number): string => `${formatIpv4(address)}:${port}`;
