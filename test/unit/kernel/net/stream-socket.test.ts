import { beforeEach, describe, expect, test } from 'vitest';
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLRDHUP } from '../../../../kernel/net/poll.ts';
import { type Descriptor, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL } from '../../../../kernel/net/socket.ts';
import type { SettableOptions } from '../../../../kernel/net/socket-options.ts';
import type { StreamSocket } from '../../../../kernel/net/stream-socket.ts';
import type { Syscalls } from '../../../../kernel/syscall.ts';
import type { Blocking } from '../../../../kernel/task.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { HOST, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { LOCALHOST, StreamRig } from '../../../support/stream-rig.ts';

let rig: StreamRig;
beforeEach(() => {
  rig = new StreamRig();
});

const open = () => rig.net.sockets.socket('tcp');
const codeOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
};
/** What a call does that must not have to wait. */
const codeOfCall = (call: Blocking<unknown>) => codeOf(() => expect(call.next(true).done).toBe(true));

function listener(port = 80, backlog = 4): StreamSocket {
  const socket = open();
  socket.bind(0, port);
  socket.listen(backlog);
  return socket;
}

/** Both ends of a connection to port 80. */
function pair(): { client: StreamSocket; server: StreamSocket } {
  const listening = listener();
  const client = open();
  rig.start('connect', () => client.connect(LOCALHOST, 80));
  let server: StreamSocket | undefined;
  rig.start('accept', function* () {
    server = yield* listening.accept();
  });
  rig.notes.length = 0;
  listening.close();
  return { client, server: server! };
}

describe('bind', () => {
  test.each<[string, string, number, string]>([
    ['to a port of all addresses', '0.0.0.0', 80, 'no error'],
    ['to an address of this host', HOST, 80, 'no error'],
    ['to the address of another host', PEER, 80, 'EADDRNOTAVAIL'],
    ['to a port that there cannot be', HOST, 65_536, 'EINVAL'],
  ])('%s: %s:%s is %s', (_, address, port, code) => {
    expect(codeOf(() => open().bind(parseIpv4(address), port))).toBe(code);
  });

  test('twice is EINVAL', () => {
    const socket = open();
    socket.bind(0, 80);
    expect(codeOf(() => socket.bind(0, 81))).toBe('EINVAL');
  });

  test('to a port that another socket has is EADDRINUSE, also with SO_REUSEADDR', () => {
    listener();
    const socket = open();
    socket.setsockopt('SO_REUSEADDR', true);
    expect(codeOf(() => socket.bind(0, 80))).toBe('EADDRINUSE');
  });

  test('to a port at which a connection is left is EADDRINUSE, unless SO_REUSEADDR', () => {
    pair();
    expect(codeOf(() => open().bind(0, 80))).toBe('EADDRINUSE');
    const socket = open();
    socket.setsockopt('SO_REUSEADDR', true);
    expect(codeOf(() => socket.bind(0, 80))).toBe('no error');
  });

  test('to port 0 gives an ephemeral one, which closing gives back', () => {
    const socket = open();
    socket.bind(0, 0);
    const { port } = socket.getsockname();
    expect(port).toBeGreaterThanOrEqual(49_152);
    expect(codeOf(() => open().bind(0, port))).toBe('EADDRINUSE');
    socket.close();
    expect(codeOf(() => open().bind(0, port))).toBe('no error');
  });
});

describe('listen', () => {
  test('takes an ephemeral port when there is none', () => {
    const socket = open();
    socket.listen(1);
    expect(socket.getsockname().port).toBeGreaterThanOrEqual(49_152);
    expect(socket.getsockopt('SO_ACCEPTCONN')).toBe(true);
  });

  test('twice, or on a connection, is EINVAL; of a datagram socket EOPNOTSUPP', () => {
    const socket = listener();
    expect(codeOf(() => socket.listen(1))).toBe('EINVAL');
    socket.close();
    expect(codeOf(() => pair().client.listen(1))).toBe('EINVAL');
    expect(codeOf(() => rig.net.sockets.socket('udp').listen(1))).toBe('EOPNOTSUPP');
  });
});

describe('accept', () => {
  test('waits, and gives each connection a socket of its own, oldest first', () => {
    const socket = listener();
    const accepted: StreamSocket[] = [];
    rig.start('server', function* () {
      for (;;) accepted.push(yield* socket.accept());
    });
    expect(accepted).toEqual([]);
    const clients = [open(), open()];
    for (const client of clients) rig.start('client', () => client.connect(LOCALHOST, 80));
    expect(accepted.map(each => each.getpeername())).toEqual(clients.map(each => each.getsockname()));
    expect(new Set(rig.net.sockets.list().map(({ name }) => name)).size).toBe(5);
    expect(accepted[0]!.getsockname()).toEqual({ address: LOCALHOST, port: 80 });
  });

  test('of a socket that does not listen is EINVAL, when there is nothing for one that may not wait EAGAIN', () => {
    expect(codeOfCall(open().accept())).toBe('EINVAL');
    const socket = listener();
    socket.setsockopt('O_NONBLOCK', true);
    expect(codeOfCall(socket.accept())).toBe('EAGAIN');
  });

  test('throws EBADF when the listener is closed meanwhile', () => {
    const socket = listener();
    rig.start('accept', () => socket.accept());
    socket.close();
    rig.settle();
    expect(rig.notes).toEqual(['accept: EBADF']);
  });

  test('leaves the connection where it is when there are too many sockets', () => {
    const socket = listener();
    const client = open();
    rig.start('client', () => client.connect(LOCALHOST, 80));
    const others = Array.from({ length: 16_382 }, () => open());
    expect(codeOf(open)).toBe('EMFILE');
    expect(codeOfCall(socket.accept())).toBe('EMFILE');
    others[0]!.close();
    expect(codeOfCall(socket.accept())).toBe('no error');
  });

  test('hands the options of the listener on', () => {
    const socket = listener();
    socket.setsockopt('TCP_NODELAY', true);
    socket.setsockopt('IP_TTL', 9);
    const client = open();
    rig.start('client', () => client.connect(LOCALHOST, 80));
    let child: StreamSocket | undefined;
    rig.start('server', function* () {
      child = yield* socket.accept();
    });
    expect(child!.getsockopt('TCP_NODELAY')).toBe(true);
    expect(child!.getsockopt('IP_TTL')).toBe(9);
    expect(child!.connection!.options).toMatchObject({ noDelay: true, ttl: 9 });
  });
});

describe('connect', () => {
  test('to a port where nobody listens is ECONNREFUSED, and may be tried again', () => {
    const client = open();
    rig.start('first', () => client.connect(LOCALHOST, 80));
    expect(rig.notes).toEqual(['first: ECONNREFUSED']);
    expect(codeOf(() => client.getpeername())).toBe('ENOTCONN');
    listener();
    rig.start('second', () => client.connect(LOCALHOST, 80));
    expect(rig.notes[1]).toBe('second: undefined');
  });

  test('is refused when the backlog is full', () => {
    listener(80, 1);
    for (const name of ['one', 'two']) rig.start(name, () => open().connect(LOCALHOST, 80));
    expect(rig.notes).toEqual(['one: undefined', 'two: ECONNREFUSED']);
  });

  test('throws ETIMEDOUT, or what else TCP found, when nobody answers', () => {
    rig.tcp.silent = true;
    for (const code of ['ETIMEDOUT', 'EHOSTUNREACH'] as const) {
      rig.start('client', () => open().connect(LOCALHOST, 80));
      rig.tcp.all.at(-1)!.fail(code);
      rig.settle();
      expect(rig.notes.pop()).toBe(`client: ${code}`);
    }
  });

  test('of a socket that may not wait is EINPROGRESS, then EALREADY, then EISCONN', () => {
    rig.tcp.silent = true;
    listener();
    const client = open();
    client.setsockopt('O_NONBLOCK', true);
    expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('EINPROGRESS');
    expect(client.pollEvents()).toBe(0);
    expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('EALREADY');
    rig.tcp.all[0]!.become('ESTABLISHED');
    rig.settle();
    expect(client.getsockopt('SO_ERROR')).toBeNull();
    expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('EISCONN');
    expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('EISCONN');
  });

  test('that failed without anyone waiting tells it to SO_ERROR, or to the next connect, once', () => {
    for (const take of [true, false]) {
      const client = open();
      client.setsockopt('O_NONBLOCK', true);
      expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('EINPROGRESS');
      rig.settle();
      expect(client.pollEvents() & POLLERR).toBe(POLLERR);
      if (take) expect(client.getsockopt('SO_ERROR')?.code).toBe('ECONNREFUSED');
      else expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('ECONNREFUSED');
      expect(codeOfCall(client.connect(LOCALHOST, 80))).toBe('EINPROGRESS');
    }
  });

  test('waits for SO_SNDTIMEO at most', () => {
    rig.tcp.silent = true;
    const client = open();
    client.setsockopt('SO_SNDTIMEO', SECOND_NS);
    rig.start('client', () => client.connect(LOCALHOST, 80));
    rig.advance(SECOND_NS - 100);
    expect(rig.notes).toEqual([]);
    rig.advance(100);
    expect(rig.notes).toEqual(['client: EINPROGRESS']);
  });

  test('of a listener is EOPNOTSUPP, to port 0 EINVAL, of a closed socket EBADF', () => {
    expect(codeOfCall(listener().connect(LOCALHOST, 81))).toBe('EOPNOTSUPP');
    expect(codeOfCall(open().connect(LOCALHOST))).toBe('EINVAL');
    const client = open();
    rig.tcp.silent = true;
    rig.start('client', () => client.connect(LOCALHOST, 81));
    client.close();
    rig.settle();
    expect(rig.notes).toEqual(['client: EBADF']);
    expect(codeOfCall(client.connect(LOCALHOST, 81))).toBe('EBADF');
  });
});

describe('send and recv', () => {
  test('bring bytes over in order, in whatever pieces', () => {
    const { client, server } = pair();
    for (const bytes of [[1, 2], [], [3, 4, 5]]) rig.start('send', () => client.send(Uint8Array.from(bytes)));
    rig.start('recv', () => server.recv(3));
    rig.start('recv', () => server.recv(3));
    expect(rig.notes).toEqual(['send: 2', 'send: 0', 'send: 3', 'recv: [1,2,3]', 'recv: [4,5]']);
  });

  test('send waits for room until all is sent; when it may not wait it sends what fits, then EAGAIN', () => {
    const { client, server } = pair();
    server.setsockopt('SO_RCVBUF', 10);
    rig.start('send', () => client.send(new Uint8Array(25)));
    expect(rig.notes).toEqual([]);
    rig.start('recv', () => server.recv(10));
    rig.start('recv', () => server.recv(10));
    expect(rig.notes.pop()).toBe('send: 25');
    client.setsockopt('O_NONBLOCK', true);
    rig.start('partial', () => client.send(new Uint8Array(25)));
    rig.start('none', () => client.send(new Uint8Array(25)));
    expect(rig.notes.slice(-2)).toEqual(['partial: 5', 'none: EAGAIN']);
  });

  test('recv waits for SO_RCVTIMEO at most, for ever otherwise', () => {
    const { client, server } = pair();
    rig.start('for ever', () => client.recv(1));
    server.setsockopt('SO_RCVTIMEO', SECOND_NS);
    rig.start('recv', () => server.recv(1));
    rig.advance(SECOND_NS - 100);
    expect(rig.notes).toEqual([]);
    rig.advance(3600 * SECOND_NS);
    expect(rig.notes).toEqual(['recv: EAGAIN']);
  });

  test('recv gives what came before the end, then nothing, as often as it is asked', () => {
    const { client, server } = pair();
    rig.start('send', () => client.send(Uint8Array.of(1)));
    client.shutdown('SHUT_WR');
    for (let i = 0; i < 3; i++) rig.start('recv', () => server.recv(9));
    expect(rig.notes.slice(1)).toEqual(['recv: [1]', 'recv: []', 'recv: []']);
  });

  test('MSG_PEEK leaves the bytes where they are', () => {
    const { client, server } = pair();
    rig.start('send', () => client.send(Uint8Array.of(1, 2, 3)));
    rig.start('peek', () => server.recv(2, MSG_PEEK));
    rig.start('peek', () => server.recv(9, MSG_PEEK));
    rig.start('recv', () => server.recv(9));
    rig.start('peek', () => server.recv(9, MSG_PEEK | MSG_DONTWAIT));
    expect(rig.notes.slice(1)).toEqual(['peek: [1,2]', 'peek: [1,2,3]', 'recv: [1,2,3]', 'peek: EAGAIN']);
  });

  test('MSG_DONTWAIT makes one call not wait, and no other', () => {
    const { client, server } = pair();
    server.setsockopt('SO_RCVBUF', 10);
    rig.start('recv', () => server.recv(9, MSG_DONTWAIT));
    rig.start('send', () => client.send(new Uint8Array(12), MSG_DONTWAIT));
    rig.start('send', () => client.send(new Uint8Array(1), MSG_DONTWAIT));
    rig.start('waits', () => client.send(new Uint8Array(1)));
    expect(rig.notes).toEqual(['recv: EAGAIN', 'send: 10', 'send: EAGAIN']);
    rig.start('recv', () => server.recv(10));
    expect(rig.notes.at(-1)).toBe('waits: 1');
  });

  test('MSG_WAITALL waits for all, or the end, or the timeout, and tells an error only when there is nothing', () => {
    const { client, server } = pair();
    const send = (...bytes: number[]) => rig.start('send', () => client.send(Uint8Array.from(bytes)));
    rig.start('all', () => server.recv(4, MSG_WAITALL));
    send(1, 2);
    expect(rig.notes).toEqual(['send: 2']);
    send(3, 4, 5);
    expect(rig.notes.at(-1)).toBe('all: [1,2,3,4]');
    server.setsockopt('SO_RCVTIMEO', SECOND_NS);
    rig.start('in time', () => server.recv(4, MSG_WAITALL));
    rig.advance(2 * SECOND_NS);
    expect(rig.notes.at(-1)).toBe('in time: [5]');
    send(6);
    rig.start('broken', () => server.recv(4, MSG_WAITALL));
    rig.tcp.all[1]!.fail('ECONNRESET');
    rig.settle();
    for (let i = 0; i < 2; i++) rig.start('after', () => server.recv(4, MSG_WAITALL));
    expect(rig.notes.slice(-3)).toEqual(['broken: [6]', 'after: ECONNRESET', 'after: []']);
  });

  test('after SHUT_WR send is EPIPE, and the other direction goes on', () => {
    const { client, server } = pair();
    client.shutdown('SHUT_WR');
    client.shutdown('SHUT_WR');
    rig.start('send', () => client.send(Uint8Array.of(1)));
    rig.start('back', () => server.send(Uint8Array.of(2)));
    rig.start('recv', () => client.recv(9));
    expect(rig.notes).toEqual(['send: EPIPE', 'back: 1', 'recv: [2]']);
  });

  test('after SHUT_RD recv gives nothing, and wakes who waits', () => {
    const { client } = pair();
    rig.start('recv', () => client.recv(9));
    client.shutdown('SHUT_RD');
    rig.settle();
    expect(rig.notes).toEqual(['recv: []']);
  });

  test('a broken connection is its error once, after what came before; then recv has ended and send is EPIPE', () => {
    const { client, server } = pair();
    rig.start('send', () => server.send(Uint8Array.of(7)));
    rig.tcp.all[0]!.fail('ECONNRESET');
    rig.settle();
    rig.notes.length = 0;
    for (let i = 0; i < 3; i++) rig.start('recv', () => client.recv(9));
    rig.start('send', () => client.send(Uint8Array.of(1)));
    expect(rig.notes).toEqual(['recv: [7]', 'recv: ECONNRESET', 'recv: []', 'send: EPIPE']);
  });

  test('a send that is under way when the connection breaks tells how much went, the next one why', () => {
    const { client, server } = pair();
    server.setsockopt('SO_RCVBUF', 10);
    rig.start('send', () => client.send(new Uint8Array(25)));
    rig.tcp.all[0]!.fail('ETIMEDOUT');
    rig.settle();
    rig.start('next', () => client.send(new Uint8Array(25)));
    rig.start('last', () => client.send(new Uint8Array(25)));
    expect(rig.notes).toEqual(['send: 10', 'next: ETIMEDOUT', 'last: EPIPE']);
  });

  test('of a peer that has closed: the first send is answered with a reset', () => {
    const { client, server } = pair();
    server.close();
    rig.start('send', () => client.send(Uint8Array.of(1)));
    rig.start('recv', () => client.recv(1));
    rig.start('send', () => client.send(Uint8Array.of(1)));
    expect(rig.notes).toEqual(['send: 1', 'recv: ECONNRESET', 'send: EPIPE']);
  });

  test('without a connection are ENOTCONN, as are shutdown, getpeername and TCP_INFO', () => {
    const socket = open();
    expect(codeOfCall(socket.send(Uint8Array.of(1)))).toBe('ENOTCONN');
    expect(codeOfCall(socket.recv(1))).toBe('ENOTCONN');
    expect(codeOf(() => socket.shutdown('SHUT_WR'))).toBe('ENOTCONN');
    expect(codeOf(() => socket.getpeername())).toBe('ENOTCONN');
    expect(codeOf(() => socket.getsockopt('TCP_INFO'))).toBe('ENOTCONN');
    expect(codeOf(() => rig.net.sockets.socket('udp').getpeername())).toBe('ENOTCONN');
  });

  test('of datagrams have no meaning for a stream: EOPNOTSUPP', () => {
    const { client } = pair();
    expect(codeOf(() => client.sendto(Uint8Array.of(1), LOCALHOST, 80))).toBe('EOPNOTSUPP');
    expect(codeOf(() => client.recvfrom())).toBe('EOPNOTSUPP');
    expect(codeOf(() => rig.net.sockets.socket('udp').shutdown('SHUT_WR'))).toBe('EOPNOTSUPP');
    expect(codeOf(() => rig.net.sockets.socket('udp').accept())).toBe('EOPNOTSUPP');
  });
});

describe('close', () => {
  test('wakes who waits with EBADF, whatever they wait for', () => {
    const { client, server } = pair();
    server.setsockopt('SO_RCVBUF', 10);
    rig.start('recv', () => client.recv(1));
    rig.start('send', () => client.send(new Uint8Array(99)));
    client.close();
    client.close();
    rig.settle();
    expect(rig.notes).toEqual(['recv: EBADF', 'send: EBADF']);
    expect(codeOf(() => client.shutdown('SHUT_WR'))).toBe('EBADF');
  });

  test('resets connections that nobody has accepted', () => {
    const socket = listener();
    const client = open();
    rig.start('client', () => client.connect(LOCALHOST, 80));
    socket.close();
    rig.start('recv', () => client.recv(1));
    expect(rig.notes).toEqual(['client: undefined', 'recv: ECONNRESET']);
  });

  test('resets with SO_LINGER 0', () => {
    const { client, server } = pair();
    client.setsockopt('SO_LINGER', 0);
    client.close();
    rig.start('recv', () => server.recv(1));
    expect(rig.notes).toEqual(['recv: ECONNRESET']);
  });
});

describe('options', () => {
  test.each<[keyof SettableOptions, unknown, unknown]>([
    ['SO_REUSEADDR', true, 1],
    ['SO_KEEPALIVE', true, 'yes'],
    ['TCP_KEEPIDLE', 5e9, Number.POSITIVE_INFINITY],
    ['TCP_KEEPINTVL', 1e9, -1],
    ['TCP_KEEPCNT', 3, 128],
    ['SO_LINGER', null, -1],
    ['SO_RCVBUF', 4096, 0],
    ['SO_SNDBUF', 4096, 0.5],
    ['SO_RCVTIMEO', 5, Number.NaN],
    ['SO_SNDTIMEO', 5, '5'],
    ['O_NONBLOCK', true, 0],
    ['TCP_NODELAY', true, 1],
    ['TCP_MAXSEG', 1000, 65_536],
    ['TCP_USER_TIMEOUT', 5e9, Number.POSITIVE_INFINITY],
    ['TCP_CONGESTION', 'cubic', 'vegas'],
    ['IP_TTL', 1, 256],
    ['IP_TOS', 0x10, 256],
  ])('%s can be set to %s, and not to %s', (name, value, wrong) => {
    const socket = open();
    socket.setsockopt(name, value as never);
    expect(socket.getsockopt(name)).toBe(value);
    expect(codeOf(() => socket.setsockopt(name, wrong as never))).toBe('EINVAL');
    expect(socket.getsockopt(name)).toBe(value);
  });

  test('that TCP knows reach a connection at once, as its user was told they would', () => {
    const { client } = pair();
    client.setsockopt('TCP_NODELAY', true);
    client.setsockopt('SO_KEEPALIVE', true);
    client.setsockopt('TCP_KEEPIDLE', 7e9);
    client.setsockopt('IP_TOS', 0x10);
    client.setsockopt('TCP_USER_TIMEOUT', 3e9);
    const keepAlive = { idleNs: 7e9, intervalNs: 75e9, count: 9 };
    expect(client.connection!.options).toMatchObject({
      noDelay: true,
      keepAlive,
      typeOfService: 0x10,
      userTimeoutNs: 3e9,
    });
  });

  test('that a kind of socket does not have are ENOPROTOOPT', () => {
    const udp = rig.net.sockets.socket('udp');
    expect(codeOf(() => udp.setsockopt('TCP_NODELAY', true))).toBe('ENOPROTOOPT');
    expect(codeOf(() => udp.getsockopt('TCP_INFO'))).toBe('ENOPROTOOPT');
    expect(codeOf(() => open().setsockopt('SO_TYPE' as never, 'SOCK_DGRAM' as never))).toBe('ENOPROTOOPT');
    expect([open().getsockopt('SO_TYPE'), udp.getsockopt('SO_TYPE')]).toEqual(['SOCK_STREAM', 'SOCK_DGRAM']);
  });
});

describe('poll', () => {
  /** Polls through the system call, and notes the events. */
  function poll(requests: readonly { socket: Descriptor; events: number }[], timeoutNs?: number): void {
    rig.start('poll', (sys: Syscalls) => sys.poll(requests, timeoutNs));
  }

  test('returns the events that hold, of those asked for', () => {
    const { client } = pair();
    poll([{ socket: client, events: POLLIN | POLLOUT }]);
    poll([{ socket: client, events: POLLIN }], 0);
    expect(rig.notes).toEqual([`poll: ${POLLOUT}`, 'poll: 0']);
  });

  test('waits for the first of several sockets, a stream, a listener and a datagram socket among them', () => {
    const { client, server } = pair();
    const socket = listener(81);
    const udp = rig.net.sockets.socket('udp');
    udp.bind(0, 5000);
    const requests = [server, socket, udp].map(each => ({ socket: each, events: POLLIN }));
    poll(requests);
    rig.start('send', () => client.send(Uint8Array.of(1)));
    expect(rig.notes.pop()).toBe('poll: 1,0,0');
    poll(requests.slice(1));
    rig.start('client', () => open().connect(LOCALHOST, 81));
    expect(rig.notes).toContain('poll: 1,0');
    poll(requests.slice(2));
    rig.net.sockets.socket('udp').sendto(Uint8Array.of(1), LOCALHOST, 5000);
    rig.settle();
    expect(rig.notes.at(-1)).toBe('poll: 1');
    expect([server, socket, udp].map(each => each.watchers.length)).toEqual([0, 0, 0]);
  });

  test('gives up after its time-out', () => {
    const { client } = pair();
    poll([{ socket: client, events: POLLIN }], SECOND_NS);
    rig.advance(SECOND_NS - 100);
    expect(rig.notes).toEqual([]);
    rig.advance(100);
    expect(rig.notes).toEqual(['poll: 0']);
  });

  test('tells the end of the peer, errors, and closed sockets, asked for or not', () => {
    const { client, server } = pair();
    server.shutdown('SHUT_WR');
    rig.settle();
    expect(client.pollEvents()).toBe(POLLIN | POLLOUT | POLLRDHUP);
    rig.tcp.all[0]!.fail('ECONNRESET');
    expect(client.pollEvents()).toBe(POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
    poll([{ socket: client, events: 0 }]);
    client.close();
    poll([{ socket: client, events: 0 }]);
    expect(rig.notes).toEqual([`poll: ${POLLERR | POLLHUP}`, `poll: ${POLLNVAL}`]);
  });

  test('calls a socket writable when a third of its buffer is free', () => {
    const { client, server } = pair();
    client.setsockopt('SO_SNDBUF', 30);
    server.setsockopt('SO_RCVBUF', 30);
    rig.start('send', () => client.send(new Uint8Array(21)));
    expect(client.pollEvents() & POLLOUT).toBe(0);
    rig.start('recv', () => server.recv(1));
    expect(client.pollEvents() & POLLOUT).toBe(POLLOUT);
  });

  test('of something that is no socket is ENOTSOCK', () => {
    rig.start('poll', sys => sys.poll([{ socket: { name: 'file' } as Descriptor, events: POLLIN }]));
    expect(rig.notes).toEqual(['poll: ENOTSOCK']);
  });
});

test('the table lists sockets, and connections that have none', () => {
  const { client, server } = pair();
  listener(81, 7);
  const udp = rig.net.sockets.socket('udp');
  udp.bind(0, 5000);
  rig.start('send', () => client.send(Uint8Array.of(1, 2)));
  client.close();
  rig.settle();
  const rows = rig.net.sockets
    .table()
    .map(row => [row.netid, row.state, row.recvQ, row.sendQ, row.local.port, row.peer.port]);
  const { port } = server.getpeername();
  expect(rows).toEqual([
    ['tcp', 'ESTABLISHED', 2, 0, 80, port],
    ['tcp', 'LISTEN', 0, 7, 81, 0],
    ['udp', 'UNCONN', 0, 0, 5000, 0],
    ['tcp', 'ESTABLISHED', 0, 0, port, 80],
  ]);
});
