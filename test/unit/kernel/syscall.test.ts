import { expect, test } from 'vitest';
import { sleepOn, WaitChannel } from '../../../kernel/task.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { FakeMachine } from '../../support/fake-machine.ts';
import { traceOf } from '../../support/kernel-trace.ts';

const LOOPBACK = parseIpv4('127.0.0.1');

test('programs spawn others, draw random words, and exit from any depth', () => {
  const notes: unknown[] = [];
  const machine = new FakeMachine().boot();
  const task = machine.kernel.spawn('parent', function* (sys) {
    yield* [];
    const first = sys.random();
    notes.push(sys.random() - first);
    sys.spawn('child', function* () {
      yield* [];
      notes.push('child');
    });
    const leave = () => sys.exit();
    leave();
    notes.push('not reached');
  });
  machine.run();
  expect(notes).toEqual([1, 'child']);
  expect([task.ended, task.error]).toEqual([true, null]);
  expect(machine.kernel.tasks().map(({ name }) => name)).toEqual(['parent', 'child']);
});

test('datagrams between two programs of a host, through all calls on sockets', () => {
  const machine = new FakeMachine().boot();
  const notes: unknown[] = [];
  machine.kernel.spawn('server', function* (sys) {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, 7);
    for (;;) {
      const datagram = (yield* sys.recvfrom(socket))!;
      sys.sendto(socket, datagram.bytes, datagram.address, datagram.port);
    }
  });
  machine.kernel.spawn('client', function* (sys) {
    const socket = sys.socket('udp');
    yield* sys.connect(socket, LOOPBACK, 7);
    sys.setsockopt(socket, 'IP_TTL', 3);
    notes.push(sys.getsockopt(socket, 'IP_TTL'));
    yield* sys.send(socket, Uint8Array.of(1, 2, 3));
    const answer = (yield* sys.recvfrom(socket, 1e9))!;
    notes.push([...answer.bytes], answer.address, answer.port, sys.getsockname(socket).address);
    notes.push(sys.getsockopt(socket, 'SO_ERROR'));
    notes.push(yield* sys.recvfrom(socket, 500));
    sys.close(socket);
  });
  machine.run();
  machine.pass(5);
  expect(notes).toEqual([3, [1, 2, 3], LOOPBACK, 7, LOOPBACK, null, null]);
  expect(machine.kernel.tasks().map(({ name, waitsFor }) => [name, waitsFor])).toEqual([
    ['server', 'udp/1'],
    ['client', null],
  ]);
  expect(machine.kernel.net.sockets.list().map(({ name }) => name)).toEqual(['udp/1']);
});

test('a socket is closed with the task that opened it, even if that ended by an error', () => {
  const machine = new FakeMachine().boot();
  machine.kernel.spawn('careless', function* (sys) {
    yield* [];
    sys.bind(sys.socket('udp'), 0, 7);
    sys.setsockopt(sys.socket('udp'), 'IP_TTL', 256);
  });
  machine.run();
  expect(machine.kernel.tasks()[0]!.error).toMatchObject({ code: 'EINVAL' });
  expect(machine.kernel.net.sockets.list()).toEqual([]);
});

test('calls on sockets are traced with their arguments', () => {
  const machine = new FakeMachine().boot();
  const seen: string[] = [];
  machine.kernel.spawn('client', function* (sys) {
    yield* sleepOn(new WaitChannel('start'), 100);
    const socket = sys.socket('udp');
    sys.bind(socket, 0, 9);
    yield* sys.connect(socket, LOOPBACK, 7);
    yield* sys.send(socket, new Uint8Array(3));
    sys.sendto(socket, new Uint8Array(4), LOOPBACK, 8);
    sys.getsockname(socket);
    sys.getpeername(socket);
    sys.setsockopt(socket, 'IP_TTL', 9);
    sys.getsockopt(socket, 'SO_ERROR');
    yield* sys.poll([{ socket, events: 1 }], 0);
    yield* sys.recvfrom(socket, 0);
    sys.close(socket);
    sys.spawn('other', function* () {});
    sys.random();
    sys.exit();
  });
  machine.run();
  machine.kernel.trace = traceOf({ syscall: (_task, text) => void seen.push(text) });
  machine.cpu.advanceTicks(1);
  machine.clock.update();
  machine.cpu.access();
  machine.kernel.step();
  machine.kernel.step();
  expect(seen).toEqual([
    'socket udp',
    'bind udp/1 0.0.0.0:9',
    'connect udp/1 127.0.0.1:7',
    'send udp/1 3 bytes',
    'sendto udp/1 4 bytes 127.0.0.1:8',
    'getsockname udp/1',
    'getpeername udp/1',
    'setsockopt udp/1 IP_TTL 9',
    'getsockopt udp/1 SO_ERROR',
    'poll udp/1',
    'recvfrom udp/1',
    'close udp/1',
    'spawn other',
    'random',
    'exit',
  ]);
});

test('a stream between two programs of a host, through all calls on sockets, which are traced', () => {
  const machine = new FakeMachine().boot();
  machine.kernel.trace = traceOf({ syscall: (task, text) => void seen.push(`${task}: ${text}`) });
  const seen: string[] = [];
  const notes: unknown[] = [];
  machine.kernel.spawn('server', function* (sys) {
    const listener = sys.socket('tcp');
    sys.bind(listener, 0, 80);
    sys.listen(listener, 3);
    const socket = yield* sys.accept(listener);
    notes.push((yield* sys.recv(socket, 10)).length);
    yield* sys.send(socket, Uint8Array.of(4));
    sys.close(socket);
  });
  machine.kernel.spawn('client', function* (sys) {
    const socket = sys.socket('tcp');
    yield* sys.connect(socket, LOOPBACK, 80);
    notes.push(sys.getpeername(socket));
    notes.push(yield* sys.send(socket, Uint8Array.of(1, 2, 3)));
    sys.shutdown(socket, 'SHUT_WR');
    notes.push([...(yield* sys.recv(socket))]);
  });
  machine.run();
  expect(notes).toEqual([{ address: LOOPBACK, port: 80 }, 3, 3, [4]]);
  expect(seen).toEqual([
    'server: socket tcp',
    'server: bind tcp/1 0.0.0.0:80',
    'server: listen tcp/1 3',
    'server: accept tcp/1',
    'client: socket tcp',
    'client: connect tcp/2 127.0.0.1:80',
    'client: getpeername tcp/2',
    'client: send tcp/2 3 bytes',
    'client: shutdown tcp/2 SHUT_WR',
    'client: recv tcp/2 65536',
    'server: recv tcp/3 10',
    'server: send tcp/3 1 bytes',
    'server: close tcp/3',
  ]);
});

test('sockets that are handed to a new task are closed with it, not with the one that made them', () => {
  const machine = new FakeMachine().boot();
  const names = () => machine.kernel.net.sockets.list().map(({ name }) => name);
  const seen: string[][] = [];
  machine.kernel.spawn('parent', function* (sys) {
    yield* [];
    const handed = sys.socket('udp');
    sys.socket('udp');
    sys.spawn(
      'child',
      function* (own) {
        yield* own.sleep(100);
        seen.push(names());
        own.sendto(handed, Uint8Array.of(1), LOOPBACK, 9);
      },
      [handed],
    );
  });
  machine.run();
  machine.pass(1);
  expect(seen).toEqual([['udp/1']]);
  expect(names()).toEqual([]);
  expect(machine.kernel.firstFailed).toBeNull();
});
