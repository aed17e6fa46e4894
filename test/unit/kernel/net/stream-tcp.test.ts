import { beforeEach, describe, expect, test } from 'vitest';
import { type BulkReport, bulkSender, bulkSink } from '../../../../kernel/apps/bulk.ts';
import { chargen, discard, tcpEcho } from '../../../../kernel/apps/stream-services.ts';
import type { Syscalls } from '../../../../kernel/syscall.ts';
import type { Blocking } from '../../../../kernel/task.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';

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
