import { describe, expect, test } from 'vitest';
import type { InterfaceConfig } from '../../../kernel/net/interface-address.ts';
import type { Syscalls } from '../../../kernel/syscall.ts';
import { type Blocking, sleepOn, type Task, WaitChannel } from '../../../kernel/task.ts';
import { parseIpv4, parseMac } from '../../../src/lib/bytes.ts';
import { FakeMachine } from '../../support/fake-machine.ts';
import { traceOf } from '../../support/kernel-trace.ts';
import { HOST_MAC, NetRig, SECOND_NS } from '../../support/net-rig.ts';

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

describe('the interfaces of a host', () => {
  const ADDRESS = parseIpv4('192.0.2.9');
  const NONE = { address: 0, prefixLength: 0 };

  /** What a program without a route to anywhere sees, and does. */
  function run(body: (sys: Syscalls) => Blocking<void>): { rig: NetRig; task: Task } {
    const rig = new NetRig({ interfaces: [] });
    return { rig, task: rig.spawn('program', body) };
  }

  test('are what a program can look at', () => {
    const seen: unknown[] = [];
    run(function* (sys) {
      yield* [];
      seen.push(sys.interfaceStatus('eth0'));
    });
    const status = { name: 'eth0', mac: parseMac(HOST_MAC), linkUp: true, claim: 'none' };
    expect(seen).toEqual([{ ...status, address: 0, prefixLength: 0 }]);
  });

  test('get addresses from a program, with the routes that follow from them', () => {
    const { rig } = run(function* (sys) {
      yield* [];
      sys.configure('eth0', { address: ADDRESS, prefixLength: 24, gateway: parseIpv4('192.0.2.254') });
    });
    expect([rig.iface.address, rig.net.routes.find(parseIpv4('203.0.113.1'))?.gateway]).toEqual([
      ADDRESS,
      parseIpv4('192.0.2.254'),
    ]);
  });

  test.each<[string, string, InterfaceConfig]>([
    ['ENODEV', 'eth1', NONE],
    ['ENODEV', 'lo', NONE],
    ['EINVAL', 'eth0', { address: ADDRESS, prefixLength: 33 }],
    ['EINVAL', 'eth0', { address: parseIpv4('127.0.0.1'), prefixLength: 8 }],
    ['EINVAL', 'eth0', { address: ADDRESS, prefixLength: 24, gateway: parseIpv4('10.0.0.1') }],
  ])('fail with %s for %s and %j', (code, name, config) => {
    const { rig, task } = run(function* (sys) {
      yield* [];
      sys.configure(name, config);
    });
    expect(task.error).toMatchObject({ code });
    expect(rig.iface.address).toBe(0);
  });

  test('wake who waits for them, when the link or the address is another one', () => {
    const seen: string[] = [];
    const { rig } = run(function* (sys) {
      sys.configure('eth0', { address: ADDRESS, prefixLength: 24, detectConflicts: true });
      for (;;) {
        const { linkUp, claim } = sys.interfaceStatus('eth0');
        seen.push(`${linkUp ? 'up' : 'down'} ${claim}`);
        if (!(yield* sys.awaitInterface('eth0', 60 * SECOND_NS))) return;
      }
    });
    rig.advance(10 * SECOND_NS);
    rig.setLink(false);
    rig.setLink(true);
    rig.advance(1 * SECOND_NS);
    rig.injectArp({ opcode: 2, sender: '192.0.2.9', target: '0.0.0.0' });
    expect(seen).toEqual(['up probing', 'up assigned', 'down waiting', 'up probing', 'up conflict']);
    rig.advance(60 * SECOND_NS);
    expect(seen).toHaveLength(5);
  });
});
