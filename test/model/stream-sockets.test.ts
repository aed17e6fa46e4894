/**
 * Stream sockets over TCP against a model that knows nothing of segments: two queues of bytes between two ends, each of
 * which may be finished, closed, or broken. All is quiet between two calls, and no socket waits.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { POLLERR, POLLIN, POLLRDHUP } from '../../kernel/net/poll.ts';
import type { StreamSocket } from '../../kernel/net/stream-socket.ts';
import type { Blocking } from '../../kernel/task.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { NetRig, SECOND_NS } from '../support/net-rig.ts';

const LOCALHOST = parseIpv4('127.0.0.1');
const PORTS = [80, 81];
const BACKLOG = 3;

/** One end of a connection, as a program sees it. */
class End {
  peer: End | null = null;
  readonly inbox: number[] = [];
  /** This end has said that it sends no more, or closed. */
  writeEnded = false;
  closed = false;
  /** The connection was reset. */
  broken = false;
  error = false;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get over(): boolean {
    return this.broken || (this.writeEnded && this.peer!.writeEnded);
  }

  get atEof(): boolean {
    return this.inbox.length === 0 && (this.peer!.writeEnded || this.broken);
  }

  /** The other end resets the connection. */
  reset(): void {
    if (this.over) return;
    this.broken = this.peer!.broken = true;
    this.error = !this.closed;
  }
}

class Model {
  readonly listeners = new Map<number, End[]>();
  readonly ends: End[] = [];
  sent = 0;
}

class Real {
  readonly rig = new NetRig();
  readonly listeners = new Map<number, StreamSocket>();
  readonly sockets = new Map<End, StreamSocket>();

  open(): StreamSocket {
    const socket = this.rig.net.sockets.socket('tcp');
    socket.setsockopt('O_NONBLOCK', true);
    socket.setsockopt('SO_REUSEADDR', true);
    return socket;
  }

  /** What the call gives, or the code of what it throws; then everything has time to settle. */
  call<T>(blocking: Blocking<T>): T | string {
    let result: T | string;
    try {
      const step = blocking.next(true);
      result = step.done === true ? step.value : 'it waits';
    } catch (error) {
      result = (error as { code: string }).code;
    }
    this.settle();
    return result;
  }

  settle(): void {
    this.rig.advance(SECOND_NS);
  }
}

/** Polling tells of every end what the model knows. */
function checkEvents(model: Model, real: Real): void {
  const told = POLLIN | POLLERR | POLLRDHUP;
  const got = model.ends.map(end => real.sockets.get(end)!.pollEvents() & told);
  const expected = model.ends.map(end => {
    const readable = end.inbox.length > 0 || end.atEof;
    return (readable ? POLLIN : 0) | (end.error ? POLLERR : 0) | (end.atEof ? POLLRDHUP : 0);
  });
  expect(got).toEqual(expected);
}

abstract class Command implements fc.Command<Model, Real> {
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }

  check(_model: Readonly<Model>): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    this.act(model, real);
    checkEvents(model, real);
  }

  toString(): string {
    return `${this.constructor.name}(${this.n})`;
  }

  protected abstract act(model: Model, real: Real): void;
}

class Listen extends Command {
  override check(model: Readonly<Model>): boolean {
    return !model.listeners.has(PORTS[this.n % PORTS.length]!);
  }

  act(model: Model, real: Real): void {
    const port = PORTS[this.n % PORTS.length]!;
    const socket = real.open();
    socket.bind(0, port);
    socket.listen(BACKLOG);
    real.listeners.set(port, socket);
    model.listeners.set(port, []);
  }
}

class CloseListener extends Command {
  override check(model: Readonly<Model>): boolean {
    return model.listeners.has(PORTS[this.n % PORTS.length]!);
  }

  act(model: Model, real: Real): void {
    const port = PORTS[this.n % PORTS.length]!;
    real.listeners.get(port)!.close();
    real.settle();
    for (const end of model.listeners.get(port)!) end.peer!.reset();
    model.listeners.delete(port);
  }
}

class Connect extends Command {
  override check(model: Readonly<Model>): boolean {
    return (model.listeners.get(PORTS[this.n % PORTS.length]!)?.length ?? 0) < BACKLOG;
  }

  act(model: Model, real: Real): void {
    const port = PORTS[this.n % PORTS.length]!;
    const socket = real.open();
    expect(real.call(socket.connect(LOCALHOST, port))).toBe('EINPROGRESS');
    const queue = model.listeners.get(port);
    expect(socket.getsockopt('SO_ERROR')?.code).toBe(queue === undefined ? 'ECONNREFUSED' : undefined);
    if (queue === undefined) {
      socket.close();
      return;
    }
    const [client, server] = [new End('client'), new End('server')];
    client.peer = server;
    server.peer = client;
    queue.push(server);
    model.ends.push(client);
    real.sockets.set(client, socket);
  }
}

class Accept extends Command {
  override check(model: Readonly<Model>): boolean {
    return model.listeners.has(PORTS[this.n % PORTS.length]!);
  }

  act(model: Model, real: Real): void {
    const port = PORTS[this.n % PORTS.length]!;
    const result = real.call(real.listeners.get(port)!.accept());
    const end = model.listeners.get(port)!.shift();
    if (end === undefined) {
      expect(result).toBe('EAGAIN');
      return;
    }
    const socket = result as StreamSocket;
    socket.setsockopt('O_NONBLOCK', true);
    expect(socket.getpeername()).toEqual(real.sockets.get(end.peer!)?.getsockname() ?? socket.getpeername());
    model.ends.push(end);
    real.sockets.set(end, socket);
  }
}

abstract class EndCommand extends Command {
  override check(model: Readonly<Model>): boolean {
    return model.ends.length > 0;
  }

  act(model: Model, real: Real): void {
    const end = model.ends[this.n % model.ends.length]!;
    this.actOn(end, real.sockets.get(end)!, model, real);
  }

  protected abstract actOn(end: End, socket: StreamSocket, model: Model, real: Real): void;
}

class Send extends EndCommand {
  actOn(end: End, socket: StreamSocket, model: Model, real: Real): void {
    const bytes = Uint8Array.from({ length: 1 + ((this.n * 7) % 3000) }, () => model.sent++);
    const result = real.call(socket.send(bytes));
    if (end.error) {
      expect(result).toBe('ECONNRESET');
      end.error = false;
    } else if (end.writeEnded || end.over) expect(result).toBe('EPIPE');
    else {
      expect(result).toBe(bytes.length);
      if (end.peer!.closed) end.reset();
      else end.peer!.inbox.push(...bytes);
    }
  }
}

class Recv extends EndCommand {
  actOn(end: End, socket: StreamSocket, _model: Model, real: Real): void {
    const most = 1 + (this.n % 2000);
    const result = real.call(socket.recv(most));
    const expected = end.inbox.splice(0, most);
    if (expected.length > 0) expect([...(result as Uint8Array)]).toEqual(expected);
    else if (end.error) {
      expect(result).toBe('ECONNRESET');
      end.error = false;
    } else if (end.atEof) expect(result).toEqual(new Uint8Array(0));
    else expect(result).toBe('EAGAIN');
  }
}

class Shutdown extends EndCommand {
  actOn(end: End, socket: StreamSocket, _model: Model, real: Real): void {
    socket.shutdown('SHUT_WR');
    real.settle();
    end.writeEnded = true;
  }
}

class Close extends EndCommand {
  actOn(end: End, socket: StreamSocket, model: Model, real: Real): void {
    socket.close();
    real.settle();
    end.closed = true;
    if (end.inbox.length > 0) end.peer!.reset();
    end.writeEnded = true;
    model.ends.splice(model.ends.indexOf(end), 1);
    expect(real.call(socket.recv(1))).toBe('EBADF');
  }
}

test('stream sockets do as the model says', () => {
  const number = fc.nat(10_000);
  const commands = [Listen, Connect, Accept, Send, Recv, Send, Recv, Shutdown, Close, CloseListener].map(Kind =>
    number.map(n => new Kind(n)),
  );
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 60 }), sequence => {
      const real = new Real();
      fc.modelRun(() => ({ model: new Model(), real }), [new Listen(0), new Connect(0), ...sequence]);
      for (const socket of real.rig.net.sockets.list()) socket.close();
      // FIN-WAIT-2 gives up after a minute, TIME-WAIT after four.
      real.rig.advance(400 * SECOND_NS);
      expect(real.rig.net.sockets.table()).toEqual([]);
      real.rig.expectNoLeak();
    }),
    { numRuns: 200 },
  );
});
