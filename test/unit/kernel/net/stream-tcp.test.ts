import { beforeEach, describe, expect, test } from 'vitest';
import { type BulkReport, bulkSender, bulkSink } from '../../../../kernel/apps/bulk.ts';
import { chargen, discard, tcpEcho } from '../../../../kernel/apps/stream-services.ts';
import { POLLIN, POLLOUT, POLLPRI } from '../../../../kernel/net/poll.ts';
import { type Descriptor, MSG_OOB } from '../../../../kernel/net/socket.ts';
import type { Syscalls } from '../../../../kernel/syscall.ts';
import type { Blocking } from '../../../../kernel/task.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { TcpRig } from '../../../support/tcp-rig.ts';

const LOCALHOST = parseIpv4('127.0.0.1');
const MINUTE_NS = 60 * SECOND_NS;

let rig: NetRig;
let notes: string[];
beforeEach(() => {
  rig = new NetRig();
  notes = [];
});

/** Starts a program; what it returns, or the code of what it throws, is noted. */
function start(program: (sys: Syscalls) => Blocking<unknown>): void {
  rig.spawn('test', function* (sys) {
    try {
      notes.push(String(yield* program(sys)));
    } catch (error) {
      notes.push((error as { code?: string }).code ?? String(error));
    }
  });
}

const states = () => rig.net.sockets.table().map(({ state }) => state);

function* connected(sys: Syscalls, port: number, address = LOCALHOST) {
  const socket = sys.socket('tcp');
  yield* sys.connect(socket, address, port);
  return socket;
}

describe('errors, by their POSIX names', () => {
  test('ECONNREFUSED: nobody listens', () => {
    start(sys => connected(sys, 80));
    expect(notes).toEqual(['ECONNREFUSED']);
    expect(rig.net.sockets.table()).toEqual([]);
  });

  test('ETIMEDOUT: a peer that is there and says nothing', () => {
    rig.introducePeer();
    start(sys => connected(sys, 80, parseIpv4(PEER)));
    for (let minute = 0; minute < 10; minute += 0.5) {
      rig.injectArp({ opcode: 1 });
      rig.advance(MINUTE_NS / 2);
    }
    expect(notes).toEqual(['ETIMEDOUT']);
  });

  test('EHOSTUNREACH: nobody answers ARP; told when the connection is given up', () => {
    start(sys => connected(sys, 80, parseIpv4('192.0.2.99')));
    rig.advance(10 * MINUTE_NS);
    expect(notes).toEqual(['EHOSTUNREACH']);
  });

  test('ENETUNREACH: no route', () => {
    start(sys => connected(sys, 80, parseIpv4('224.0.0.1')));
    expect(notes).toEqual(['ENETUNREACH']);
  });

  test('ECONNRESET: the peer closed with bytes unread; then EPIPE', () => {
    rig.spawn('rude', function* (sys) {
      const listener = sys.socket('tcp');
      sys.bind(listener, 0, 80);
      sys.listen(listener);
      sys.close(yield* sys.accept(listener));
      const second = yield* sys.accept(listener);
      yield* sys.sleep(SECOND_NS);
      sys.close(second);
      yield* sys.sleep(SECOND_NS);
    });
    start(function* (sys) {
      sys.close(yield* connected(sys, 80));
      const socket = yield* connected(sys, 80);
      yield* sys.send(socket, Uint8Array.of(1));
      try {
        return yield* sys.recv(socket);
      } catch (error) {
        start(() => sys.send(socket, Uint8Array.of(1)));
        yield* sys.sleep(1);
        throw error;
      }
    });
    rig.advance(3 * SECOND_NS);
    expect(notes).toEqual(['EPIPE', 'ECONNRESET']);
  });

  test('EADDRINUSE: a connection is in TIME-WAIT at the port; SO_REUSEADDR takes it all the same', () => {
    rig.spawn('server', function* (sys) {
      const listener = sys.socket('tcp');
      sys.bind(listener, 0, 80);
      sys.listen(listener);
      sys.close(yield* sys.accept(listener));
    });
    start(function* (sys) {
      return (yield* sys.recv(yield* connected(sys, 80))).length;
    });
    rig.advance(SECOND_NS);
    expect([notes, states()]).toEqual([['0'], ['TIME-WAIT']]);
    const bind = (reuse: boolean) =>
      start(function* (sys) {
        yield* [];
        const socket = sys.socket('tcp');
        sys.setsockopt(socket, 'SO_REUSEADDR', reuse);
        sys.bind(socket, 0, 80);
        sys.listen(socket);
        return 'bound';
      });
    bind(false);
    bind(true);
    rig.advance(5 * MINUTE_NS);
    bind(false);
    expect(notes.slice(1)).toEqual(['EADDRINUSE', 'bound', 'bound']);
  });
});

test("the port of a listener stays its connections': each has a socket of its own, found by all four addresses", () => {
  rig.spawn('echo', tcpEcho());
  const answers: string[] = [];
  for (const letter of ['a', 'b', 'c']) {
    rig.spawn(letter, function* (sys) {
      const socket = yield* connected(sys, 7);
      yield* sys.send(socket, Uint8Array.of(letter.charCodeAt(0)));
      yield* sys.sleep(SECOND_NS);
      answers.push(letter + String.fromCharCode(...(yield* sys.recv(socket))));
    });
  }
  rig.advance(SECOND_NS / 2);
  const servers = rig.net.sockets.table().filter(({ state, local }) => state === 'ESTABLISHED' && local.port === 7);
  expect(new Set(servers.map(({ peer }) => peer.port)).size).toBe(3);
  rig.advance(SECOND_NS);
  expect(answers).toEqual(['aa', 'bb', 'cc']);
  rig.expectNoLeak();
});

describe('the small services', () => {
  test('echo sends everything back, and closes when the client has finished', () => {
    rig.spawn('echo', tcpEcho());
    start(function* (sys) {
      const socket = yield* connected(sys, 7);
      yield* sys.send(socket, new Uint8Array(100_000).fill(1));
      sys.shutdown(socket, 'SHUT_WR');
      let bytes = 0;
      for (;;) {
        const piece = yield* sys.recv(socket);
        if (piece.length === 0) return bytes;
        bytes += piece.length;
      }
    });
    rig.advance(3 * SECOND_NS);
    expect(notes).toEqual(['100000']);
  });

  test('discard says nothing', () => {
    rig.spawn('discard', discard());
    start(function* (sys) {
      const socket = yield* connected(sys, 9);
      yield* sys.send(socket, new Uint8Array(100_000));
      sys.shutdown(socket, 'SHUT_WR');
      return (yield* sys.recv(socket)).length;
    });
    rig.advance(3 * SECOND_NS);
    expect(notes).toEqual(['0']);
  });

  test('chargen sends lines of 72 characters, each begun one further on (RFC 864), until the client closes', () => {
    const task = rig.spawn('chargen', chargen());
    start(function* (sys) {
      const socket = yield* connected(sys, 19);
      let text = '';
      while (text.length < 8000) text += String.fromCharCode(...(yield* sys.recv(socket, 1000)));
      return text;
    });
    const lines = notes[0]!.split('\r\n');
    expect(lines[0]).toBe(String.fromCharCode(...Array.from({ length: 72 }, (_, i) => 0x20 + i)));
    for (let i = 1; i < lines.length - 1; i++) {
      expect(lines[i]!.slice(0, 71)).toBe(lines[i - 1]!.slice(1));
      expect(lines[i]!.length).toBe(72);
    }
    expect(lines[95]!.slice(0, 71)).toBe(lines[0]!.slice(0, 71));
    rig.advance(SECOND_NS);
    expect(task.error).toBeNull();
    expect(states()).toEqual(['LISTEN']);
  });
});

test('bulk: every byte arrives, and both sides count the same', () => {
  const sent: BulkReport[] = [];
  const received: BulkReport[] = [];
  rig.spawn(
    'sink',
    bulkSink(report => received.push(report)),
  );
  rig.spawn(
    'sender',
    bulkSender(LOCALHOST, { totalBytes: 1_000_000 }, report => sent.push(report)),
  );
  rig.spawn(
    'refused',
    bulkSender(LOCALHOST, { totalBytes: 1, port: 1, congestion: 'cubic' }, report => sent.push(report)),
  );
  rig.advance(5 * SECOND_NS);
  expect(received).toMatchObject([{ bytes: 1_000_000, intact: true, error: null }]);
  expect(sent).toMatchObject([
    { bytes: 1_000_000, error: null },
    { bytes: 0, error: { code: 'ECONNREFUSED' } },
  ]);
  rig.expectNoLeak();
});

describe('urgent data', () => {
  test('9293-34 POLLPRI says that there are some, TCP_INFO how far they go; they stay in line', () => {
    rig.spawn('server', function* (sys) {
      const listener = sys.socket('tcp');
      sys.bind(listener, 0, 80);
      sys.listen(listener);
      const socket = yield* sys.accept(listener);
      const seen: unknown[] = [];
      for (let read = 0; read < 9; ) {
        const [events] = yield* sys.poll([{ socket, events: POLLIN | POLLPRI }]);
        seen.push([(events! & POLLPRI) !== 0, sys.getsockopt(socket, 'TCP_INFO').urgent]);
        read += (yield* sys.recv(socket, 3)).length;
      }
      notes.push(JSON.stringify(seen));
    });
    start(function* (sys) {
      const socket = yield* connected(sys, 80);
      yield* sys.send(socket, Uint8Array.of(1, 2));
      yield* sys.send(socket, Uint8Array.of(3, 4, 5), MSG_OOB);
      yield* sys.send(socket, Uint8Array.of(6, 7, 8, 9));
      return 'sent';
    });
    rig.advance(SECOND_NS);
    expect(notes[0]).toBe('sent');
    const seen = JSON.parse(notes[1]!) as [boolean, number][];
    // What came first was read before the urgent bytes were there.
    expect(seen.some(([told, count]) => told && count > 0)).toBe(true);
    expect(seen.every(([told, count]) => told === count > 0)).toBe(true);
    expect(seen.at(-1)).toEqual([false, 0]);
  });

  test('9293-34 there are more than the send buffer holds: the peer knows from the first segment how far they go', () => {
    start(function* (sys) {
      const listener = sys.socket('tcp');
      sys.bind(listener, 0, 80);
      sys.listen(listener);
      const client = sys.socket('tcp');
      sys.setsockopt(client, 'SO_SNDBUF', 1000);
      yield* sys.connect(client, LOCALHOST, 80);
      sys.spawn(
        'urgent',
        function* (inner) {
          yield* inner.send(client, new Uint8Array(5000), MSG_OOB);
        },
        [client],
      );
      const socket = yield* sys.accept(listener);
      yield* sys.poll([{ socket, events: POLLPRI }]);
      const { urgent } = sys.getsockopt(socket, 'TCP_INFO');
      let read = 0;
      while (read < 5000) read += (yield* sys.recv(socket)).length;
      return `${urgent} ${sys.getsockopt(socket, 'TCP_INFO').urgent}`;
    });
    rig.advance(5 * SECOND_NS);
    expect(notes).toEqual(['5000 0']);
  });

  test('MSG_OOB is EOPNOTSUPP for datagrams', () => {
    start(function* (sys) {
      const socket = sys.socket('udp');
      yield* sys.connect(socket, LOCALHOST, 80);
      return yield* sys.send(socket, Uint8Array.of(1), MSG_OOB);
    });
    expect(notes).toEqual(['EOPNOTSUPP']);
  });
});

describe('a connection that is still being opened', () => {
  test.each<[string, (sys: Syscalls, socket: Descriptor) => unknown, string]>([
    ['shutdown is ENOTCONN', (sys, socket) => sys.shutdown(socket, 'SHUT_WR'), 'ENOTCONN'],
    ['getpeername is ENOTCONN', (sys, socket) => sys.getpeername(socket), 'ENOTCONN'],
    ['its local end is known', (sys, socket) => sys.getsockname(socket).address, String(parseIpv4(HOST))],
    [
      'poll says nothing',
      (sys, socket) => String(sys.poll([{ socket, events: POLLIN | POLLOUT }], 0).next(true).value),
      '0',
    ],
    ['recv is EAGAIN', (sys, socket) => sys.recv(socket).next(true), 'EAGAIN'],
    ['send is EAGAIN', (sys, socket) => sys.send(socket, Uint8Array.of(1)).next(true), 'EAGAIN'],
    ['another connect is EALREADY', (sys, socket) => sys.connect(socket, LOCALHOST, 80).next(true), 'EALREADY'],
    ['listen is EINVAL', (sys, socket) => sys.listen(socket), 'EINVAL'],
    ['bind is EINVAL', (sys, socket) => sys.bind(socket, 0, 81), 'EINVAL'],
  ])('%s', (_, call, expected) => {
    rig.introducePeer();
    start(function* (sys) {
      yield* [];
      const socket = sys.socket('tcp');
      sys.setsockopt(socket, 'O_NONBLOCK', true);
      expect(() => sys.connect(socket, parseIpv4(PEER), 80).next(true)).toThrow('EINPROGRESS');
      return call(sys, socket);
    });
    expect(notes).toEqual([expected]);
  });
});

test('9293-29 what ICMP reports and does not end the connection is in TCP_INFO, until data are acknowledged', () => {
  const tcp = new TcpRig();
  const connection = tcp.accepted();
  connection.write(Uint8Array.of(1));
  const data = tcp.recv({ flags: 'PA', length: 1 });
  tcp.sendIcmp(3, 1, 0, data);
  expect(connection.info()).toMatchObject({ state: 'ESTABLISHED', softError: 'EHOSTUNREACH' });
  tcp.send({ ack: 2 });
  expect(connection.info().softError).toBe(null);
});
