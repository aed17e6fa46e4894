import { beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../kernel/net/datagram-socket.ts';
import type { DatagramType, Socket } from '../../../../kernel/net/socket.ts';
import type { Syscalls } from '../../../../kernel/syscall.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { icmp, ipv4, udp } from '../../../support/packets.ts';

let rig: NetRig;
let log: string[];
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
  log = [];
});

const open = (type: DatagramType = 'udp') => rig.net.sockets.socket(type);
const codeOf = (call: () => void) => {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
};

/** A datagram from the peer to port 5000 of the host. */
function inject(data: ArrayLike<number> = [1], sourcePort = 4000): void {
  const payload = udp({ source: PEER, destination: HOST, sourcePort, destinationPort: 5000, data });
  rig.injectIpv4({ protocol: 17, payload });
}

/** A router says that what port 5000 sent to port 4000 of the peer did not arrive. */
function injectError(): void {
  const sent = udp({ source: HOST, destination: PEER, sourcePort: 5000, destinationPort: 4000, data: [] });
  const data = ipv4({ source: HOST, destination: PEER, protocol: 17, payload: sent });
  rig.injectIpv4({ protocol: 1, payload: icmp({ type: 3, code: 3, data }) });
}

/** A task that waits once, and writes down what it got. */
function reader(socket: Socket, timeoutNs?: number): void {
  rig.spawn('reader', function* (sys: Syscalls) {
    try {
      const datagram = yield* sys.recvfrom(socket, timeoutNs);
      log.push(datagram === null ? 'timeout' : `got ${[...datagram.bytes]}`);
    } catch (error) {
      log.push((error as { code: string }).code);
    }
  });
}

describe('bind', () => {
  test.each<[string, [string, number], string]>([
    ['to a port of all addresses', ['0.0.0.0', 5000], 'no error'],
    ['to an address of this host', [HOST, 5000], 'no error'],
    ['to any address of the loopback network', ['127.1.2.3', 5000], 'no error'],
    ['to the address of another host', [PEER, 5000], 'EADDRNOTAVAIL'],
    ['to a broadcast address', ['255.255.255.255', 5000], 'EADDRNOTAVAIL'],
    ['to a port that there cannot be', [HOST, 65_536], 'EINVAL'],
    ['to half a port', [HOST, 0.5], 'EINVAL'],
  ])('%s', (_, [address, port], code) => {
    expect(codeOf(() => open().bind(parseIpv4(address), port))).toBe(code);
  });

  test('twice is EINVAL', () => {
    const socket = open();
    socket.bind(0, 5000);
    expect(codeOf(() => socket.bind(0, 5001))).toBe('EINVAL');
  });

  test.each([
    ['0.0.0.0', '0.0.0.0', 'EADDRINUSE'],
    ['0.0.0.0', HOST, 'EADDRINUSE'],
    [HOST, '0.0.0.0', 'EADDRINUSE'],
    [HOST, HOST, 'EADDRINUSE'],
    [HOST, '127.0.0.1', 'no error'],
  ])('at one port, %s and then %s: %s', (first, second, code) => {
    open().bind(parseIpv4(first), 5000);
    expect(codeOf(() => open().bind(parseIpv4(second), 5000))).toBe(code);
    expect(codeOf(() => open().bind(parseIpv4(second), 5001))).toBe('no error');
  });

  test('to port 0 gives an ephemeral one, another for each socket (RFC 6335: 49152 to 65535)', () => {
    const ports = Array.from({ length: 200 }, () => {
      const socket = open();
      socket.bind(0, 0);
      return socket.getsockname().port;
    });
    expect(new Set(ports).size).toBe(200);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152);
    expect(Math.max(...ports)).toBeLessThanOrEqual(65_535);
  });

  test('the ports of udp and the identifiers of icmp are apart', () => {
    open('udp').bind(0, 5000);
    expect(codeOf(() => open('icmp').bind(0, 5000))).toBe('no error');
  });
});

test('all ephemeral ports can be in use, and then there is none', () => {
  const few = rig.net.udp.ports;
  for (let i = 0; i < 16_384; i++) few.add(asUser(few.choose(0, 0)));
  expect(codeOf(() => few.choose(0, 0))).toBe('EADDRINUSE');
});

/** A bare user of a port: all that the table looks at. */
function asUser(localPort: number): DatagramSocket {
  return { localAddress: 0, localPort, remoteAddress: 0, remotePort: 0, connected: false } as DatagramSocket;
}

describe('connect', () => {
  test('binds, and fixes the source address', () => {
    const socket = open();
    socket.connect(parseIpv4(PEER), 4000);
    expect(socket.getsockname()).toEqual({ address: parseIpv4(HOST), port: socket.localPort });
    expect(socket.localPort).toBeGreaterThanOrEqual(49_152);
  });

  test('to oneself takes that address as source', () => {
    const socket = open();
    socket.connect(parseIpv4('127.0.0.1'), 4000);
    expect(socket.getsockname().address).toBe(parseIpv4('127.0.0.1'));
  });

  test('without a route is ENETUNREACH', () => {
    const lone = new NetRig({ interfaces: [{ address: parseIpv4(HOST), prefixLength: 24 }] });
    const socket = lone.net.sockets.socket('udp');
    expect(codeOf(() => socket.connect(parseIpv4('203.0.113.1'), 4000))).toBe('ENETUNREACH');
  });

  test('to port 0 is EINVAL for udp; icmp has no ports', () => {
    expect(codeOf(() => open('udp').connect(parseIpv4(PEER)))).toBe('EINVAL');
    expect(codeOf(() => open('icmp').connect(parseIpv4(PEER)))).toBe('no error');
  });
});

describe('send', () => {
  test('of an unconnected socket is EDESTADDRREQ', () => {
    expect(codeOf(() => open().send(Uint8Array.of(1)))).toBe('EDESTADDRREQ');
  });

  test('of a connected one goes to its peer', () => {
    const socket = open();
    socket.connect(parseIpv4(PEER), 4000);
    socket.send(Uint8Array.of(9));
    const ports = { sourcePort: socket.localPort, destinationPort: 4000 };
    rig.expectSentIpv4({ protocol: 17, payload: udp({ source: HOST, destination: PEER, ...ports, data: [9] }) });
  });

  test('does not keep the bytes: the program may change them at once', () => {
    const socket = open();
    const bytes = Uint8Array.of(1, 2, 3);
    socket.sendto(bytes, parseIpv4('192.0.2.3'), 4000);
    bytes.fill(0);
    rig.injectArp({ opcode: 2, sender: '192.0.2.3' }, '52:54:00:00:00:01');
    rig.sent();
    expect([...rig.sent().subarray(42)]).toEqual([1, 2, 3]);
  });

  test('without a free buffer is ENOBUFS', () => {
    const socket = open();
    while (rig.packets.allocate() !== null);
    expect(codeOf(() => socket.sendto(Uint8Array.of(1), parseIpv4(PEER), 4000))).toBe('ENOBUFS');
    expect(codeOf(() => open('icmp').sendto(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0), parseIpv4(PEER)))).toBe('ENOBUFS');
  });

  test.each([[[8, 0, 0, 0, 0, 0, 0]], [[0, 0, 0, 0, 0, 0, 0, 0]], [[8, 1, 0, 0, 0, 0, 0, 0]]])(
    'of an icmp socket takes echo requests alone: %s is EINVAL',
    message => {
      expect(codeOf(() => open('icmp').sendto(Uint8Array.from(message), parseIpv4(PEER)))).toBe('EINVAL');
      rig.expectNoLeak();
    },
  );

  test('of an icmp socket writes identifier and checksum into the request', () => {
    const socket = open('icmp');
    socket.bind(0, 0x1234);
    socket.sendto(Uint8Array.of(8, 0, 0xff, 0xff, 0xff, 0xff, 0, 7, 5), parseIpv4(PEER));
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 8, word: 0x1234_0007, data: [5] }) });
  });

  test('of an icmp socket is EMSGSIZE beyond what a packet can hold', () => {
    const message = new Uint8Array(65_516);
    message[0] = 8;
    expect(codeOf(() => open('icmp').sendto(message, parseIpv4(PEER)))).toBe('EMSGSIZE');
  });
});

describe('recvfrom', () => {
  let socket: DatagramSocket;
  beforeEach(() => {
    socket = open();
    socket.bind(0, 5000);
  });

  test('returns what has come in already, oldest first', () => {
    inject([1]);
    inject([2]);
    reader(socket);
    reader(socket);
    expect(log).toEqual(['got 1', 'got 2']);
  });

  test('waits for a datagram', () => {
    reader(socket);
    rig.advance(3600 * SECOND_NS);
    expect(log).toEqual([]);
    inject([3]);
    expect(log).toEqual(['got 3']);
  });

  test('gives up after its time-out', () => {
    reader(socket, SECOND_NS);
    rig.advance(SECOND_NS - 100);
    expect(log).toEqual([]);
    rig.advance(100);
    expect(log).toEqual(['timeout']);
  });

  test('with a time-out of 0 does not wait', () => {
    reader(socket, 0);
    expect(log).toEqual(['timeout']);
  });

  test('keeps to its time-out also when another task takes the datagram that woke it', () => {
    reader(socket, SECOND_NS);
    rig.advance(SECOND_NS / 2);
    socket.connect(parseIpv4(PEER), 4000);
    injectErrorAndTake();
    rig.advance(SECOND_NS / 2 - 100);
    expect(log).toEqual([]);
    rig.advance(100);
    expect(log).toEqual(['timeout']);
  });

  /** The error wakes the reader, but is gone before it runs. */
  function injectErrorAndTake(): void {
    const settle = rig.settle;
    rig.settle = () => {};
    injectError();
    expect(socket.takeError()?.code).toBe('ECONNREFUSED');
    rig.settle = settle;
    rig.settle();
  }

  test('one datagram wakes one of the tasks that wait, the one that waits longest', () => {
    for (let i = 0; i < 3; i++) reader(socket);
    inject([1]);
    expect(log).toEqual(['got 1']);
    inject([2]);
    expect(log).toEqual(['got 1', 'got 2']);
  });

  test('throws EBADF in every task that waits when the socket is closed', () => {
    reader(socket);
    reader(socket);
    socket.close();
    rig.settle();
    expect(log).toEqual(['EBADF', 'EBADF']);
  });

  test('throws, once, the error that the network reported to a connected socket', () => {
    socket.connect(parseIpv4(PEER), 4000);
    reader(socket);
    injectError();
    expect(log).toEqual(['ECONNREFUSED']);
    reader(socket, 0);
    expect(log).toEqual(['ECONNREFUSED', 'timeout']);
  });

  test('is not disturbed by an error on an unconnected socket, which takeError shows', () => {
    reader(socket);
    injectError();
    expect(log).toEqual([]);
    expect(socket.takeError()?.message).toBe('ECONNREFUSED: port unreachable');
    inject([1]);
    expect(log).toEqual(['got 1']);
  });

  test('the next send throws the error too', () => {
    socket.connect(parseIpv4(PEER), 4000);
    injectError();
    expect(codeOf(() => socket.send(Uint8Array.of(1)))).toBe('ECONNREFUSED');
    expect(codeOf(() => socket.send(Uint8Array.of(1)))).toBe('no error');
  });

  test('keeps the order of many datagrams that are never all read', () => {
    const expected: number[] = [];
    for (let i = 0; i < 1000; i++) {
      inject([i % 251]);
      if (i < 5) continue;
      reader(socket);
      expected.push((i - 5) % 251);
    }
    expect(log).toEqual(expected.map(mark => `got ${mark}`));
  });
});

describe('the receive buffer', () => {
  test('is bounded by bytes; what finds it full is dropped and counted', () => {
    const socket = open();
    socket.bind(0, 5000);
    const data = new Uint8Array(1000);
    for (let i = 0; i < 300; i++) inject(data);
    const fits = Math.floor(262_144 / 1064);
    expect(socket.counters).toMatchObject({ received: fits, dropped: 300 - fits });
    expect(rig.net.drops.counts['receive buffer is full']).toBe(300 - fits);
    reader(socket);
    inject(data);
    expect(socket.counters.received).toBe(fits + 1);
    rig.expectNoLeak();
  });

  test('is bounded for empty datagrams too', () => {
    const socket = open();
    socket.bind(0, 5000);
    for (let i = 0; i < 5000; i++) inject([]);
    expect(socket.counters.received).toBe(4096);
  });

  test('bounds echo replies in the same way', () => {
    const socket = open('icmp');
    socket.bind(0, 1);
    for (let i = 0; i < 300; i++) {
      rig.injectIpv4({ protocol: 1, payload: icmp({ type: 0, word: 0x1_0000, data: new Uint8Array(1000) }) });
    }
    expect(socket.counters.dropped).toBe(300 - Math.floor(262_144 / 1072));
    rig.expectNoLeak();
  });
});

describe('close', () => {
  test('frees the port, and what comes then is refused', () => {
    const socket = open();
    socket.bind(0, 5000);
    socket.close();
    socket.close();
    inject();
    expect(rig.net.drops.counts['no such port']).toBe(1);
    expect(codeOf(() => open().bind(0, 5000))).toBe('no error');
    expect(codeOf(() => socket.sendto(Uint8Array.of(1), parseIpv4(PEER), 4000))).toBe('EBADF');
    expect(codeOf(() => socket.bind(0, 5001))).toBe('EBADF');
  });

  test('of a socket that was never bound does not free the port 0 of others', () => {
    open().close();
    expect(rig.net.sockets.list()).toEqual([]);
  });
});

test('an echo reply reaches the socket with its identifier, and no other', () => {
  const sockets = [1, 2].map(identifier => {
    const socket = open('icmp');
    socket.bind(0, identifier);
    return socket;
  });
  rig.injectIpv4({ protocol: 1, payload: icmp({ type: 0, word: 0x2_0009, data: [7] }) });
  rig.injectIpv4({ protocol: 1, payload: icmp({ type: 0, word: 0x3_0009, data: [7] }) });
  expect(sockets.map(socket => socket.counters.received)).toEqual([0, 1]);
  expect(rig.net.drops.counts['nobody waits for the echo reply']).toBe(1);
  rig.expectNoLeak();
});

test('there are at most 16384 sockets', () => {
  for (let i = 0; i < 16_384; i++) open();
  expect(codeOf(open)).toBe('EMFILE');
});

test('what two datagrams brought is apart: a program may write into one', () => {
  const socket = open();
  socket.bind(0, 5000);
  inject([1, 2]);
  inject([3, 4]);
  const take = () => {
    const step = socket.recvfrom(0).next(true);
    return step.done === true && step.value !== null ? step.value.bytes : new Uint8Array();
  };
  const first = take();
  first.fill(9);
  expect([...take()]).toEqual([3, 4]);
});
