/** SEGMENT ARRIVES: which segments count, and what of them. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../kernel/net/tcp/connection.ts';
import { parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { HOST, PEER, SECOND_NS } from '../../../../support/net-rig.ts';
import { TcpPair } from '../../../../support/tcp-pair.ts';
import { MSS, octets, TcpRig } from '../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

test('9293-1 one wrong bit in the checksum of a segment, and nothing of it is taken', () => {
  const connection = rig.accepted();
  connection.write(octets(10));
  rig.recv({ flags: 'PA', length: 10 });
  for (let bit = 0; bit < 16; bit++) {
    rig.send({ ack: 11, data: [1, 2, 3], checksumError: 1 << bit });
    rig.send({ flags: 'R', checksumError: 1 << bit });
  }
  rig.recvNothing();
  expect(rig.net.drops.counts['bad TCP checksum']).toBe(32);
  expect(connection.info()).toMatchObject({ state: 'ESTABLISHED', unacked: 10 });
  expect(connection.readableBytes).toBe(0);
  rig.expectNoLeak();
});

describe('9293-6 the four cases of acceptability: an unacceptable segment gets a bare ACK, and its ACK does not count', () => {
  const WINDOW = 1000;

  /** A connection with ten octets in flight, which a segment that counts acknowledges. */
  function open(window: number): TcpConnection {
    const connection = rig.accepted({ receiveBufferBytes: WINDOW });
    if (window === 0) {
      rig.send({ seq: 1, data: octets(WINDOW) });
      rig.advance(SECOND_NS);
      rig.recv({ flags: 'A', ack: 1 + WINDOW, window: 0 });
      rig.peerIss += WINDOW;
    }
    connection.write(octets(10));
    rig.recv({ flags: 'PA', seq: 1, length: 10 });
    return connection;
  }

  // RCV.NXT is 1: `seq` is that of the first octet of the segment, which has `length` octets.
  test.each([
    [0, 0, 0, false],
    [0, 1, 0, true],
    [0, 2, 0, false],
    [WINDOW, 0, 0, false],
    [WINDOW, 1, 0, true],
    [WINDOW, WINDOW, 0, true],
    [WINDOW, WINDOW + 1, 0, false],
    [0, 0, 5, false],
    [0, 2, 5, false],
    [WINDOW, -4, 5, false],
    [WINDOW, -3, 5, true],
    [WINDOW, 1, 5, true],
    [WINDOW, WINDOW, 5, true],
    [WINDOW, WINDOW + 1, 5, false],
    // By the letter of table 6: it begins before the window and ends behind it.
    [WINDOW, -100, WINDOW + 200, false],
  ])('window %s, SEG.SEQ = RCV.NXT - 1 + %s, SEG.LEN = %s: %s', (window, seq, length, acceptable) => {
    const connection = open(window);
    const before = connection.readableBytes;
    rig.send({ seq, ack: 11, data: octets(length) });
    expect(connection.info().unacked).toBe(acceptable ? 0 : 10);
    if (!acceptable) {
      rig.recv({ flags: 'A', seq: 11, ack: 1, window });
      rig.recvNothing();
      expect(connection.readableBytes).toBe(before);
    }
    expect(connection.state).toBe('ESTABLISHED');
  });
});

describe('9293-7 the edges of the window', () => {
  test('a FIN alone at the last number of the window is taken when it is in order, and not one further', () => {
    const connection = rig.accepted({ receiveBufferBytes: 1000 });
    rig.send({ seq: 1001, flags: 'FA' });
    rig.recv({ flags: 'A', ack: 1 });
    rig.send({ seq: 1, data: octets(999) });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'A', ack: 1000, window: 1 });
    rig.send({ seq: 1000, flags: 'FA' });
    rig.recv({ flags: 'A', ack: 1001 });
    expect(connection.state).toBe('CLOSE-WAIT');
    expect(rig.read(connection).length).toBe(999);
  });
});

test('9293-14 a simultaneous close goes through CLOSING to TIME-WAIT on both sides', () => {
  const pair = new TcpPair('both', { delayNs: 10_000_000 });
  const listener = pair.listen();
  const client = pair.connect();
  pair.run(SECOND_NS, () => listener.pendingCount > 0);
  const server = listener.accept({ changed: () => {} })!;
  pair.run(SECOND_NS);
  const seen: string[][] = [[], []];
  for (const connection of [client, server]) connection.write(octets(100));
  for (const connection of [client, server]) connection.shutdownWrite();
  pair.run(SECOND_NS, () => {
    [client, server].forEach((connection, i) => {
      if (seen[i]!.at(-1) !== connection.state) seen[i]!.push(connection.state);
    });
    return false;
  });
  expect(seen).toEqual([
    ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'],
    ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'],
  ]);
  for (const connection of [client, server]) expect([...connection.read(1000)!]).toEqual([...octets(100)]);
});

test('9293-31 a SYN to or from a group, or any broadcast, is dropped in silence', () => {
  rig.listen();
  for (const destination of ['255.255.255.255', '192.0.2.255', '192.0.2.0', '224.0.0.1', '0.0.0.0'])
    rig.send({ flags: 'S', destination });
  for (const source of ['255.255.255.255', '192.0.2.255', '239.1.2.3', '0.0.0.0']) rig.send({ flags: 'S', source });
  // Where nobody listens it is the same: no reset goes to a group.
  for (const source of ['255.255.255.255', '192.0.2.255', '239.1.2.3', '0.0.0.0'])
    rig.send({ flags: 'S', source, destinationPort: 81 });
  rig.recvNothing();
  expect(rig.tcp.connections().length).toBe(1);
  rig.expectNoLeak();
});

describe('9293-33 PSH', () => {
  test('data without PSH are given to the reader at once', () => {
    const connection = rig.accepted();
    const before = rig.changes;
    rig.send({ flags: 'A', data: [1, 2, 3] });
    expect(rig.changes).toBeGreaterThan(before);
    expect(rig.read(connection)).toEqual([1, 2, 3]);
  });

  test('what is written is sent without further writes, however small, once all before it is acknowledged', () => {
    const connection = rig.accepted();
    for (let i = 0; i < 5; i++) connection.write(octets(1));
    rig.recv({ flags: 'PA', seq: 1, length: 1 });
    rig.send({ ack: 2 });
    rig.recv({ flags: 'PA', seq: 2, length: 4 });
  });
});

describe('9293-34 urgent data', () => {
  test('of many segments: each that lies before their end points at it', () => {
    const connection = rig.accepted({ sendBufferBytes: 100_000 }, { window: 0 });
    connection.write(octets(4000));
    connection.markUrgent();
    connection.write(octets(1460));
    rig.send({ window: 60_000 });
    const sent = [...rig.drain()];
    rig.send({ ack: 4381, window: 60_000 });
    sent.push(...rig.drain());
    const pointers = sent.map(({ flags, seq, urgent }) => [seq, flags.includes('U') ? seq + urgent : null]);
    expect(pointers.filter(([seq]) => seq! < 4001).every(([, end]) => end === 4001)).toBe(true);
    expect(pointers.filter(([seq]) => seq! >= 4001).every(([, end]) => end === null)).toBe(true);
    expect(sent.reduce((sum, { data }) => sum + data.length, 0)).toBe(5460);
  });

  test('further away than a pointer reaches: it points as far as it can', () => {
    const connection = rig.accepted({ sendBufferBytes: 200_000 }, { window: 0 });
    connection.write(octets(100_000));
    connection.markUrgent();
    rig.send({ window: 60_000 });
    expect(rig.drain()[0]).toMatchObject({ flags: 'AU', urgent: 65_535 });
  });

  test('that are announced before they come are told to the user when they are', () => {
    const connection = rig.accepted();
    const before = rig.changes;
    rig.send({ flags: 'UA', urgent: 100 });
    expect(rig.changes).toBeGreaterThan(before);
    expect(connection.urgentBytes).toBe(100);
    rig.send({ flags: 'UA', data: octets(40), urgent: 50 });
    // The pointer never moves back.
    expect(connection.urgentBytes).toBe(100);
  });
});

describe('9293-35 IP', () => {
  test('options that nobody knows are passed over', () => {
    const connection = rig.accepted();
    // Router alert (RFC 2113), an experiment (RFC 4727), no operation, and a record of timestamps.
    for (const [i, ipOptions] of [
      [0x94, 4, 0, 0],
      [0x9e, 6, 1, 2, 3, 4, 1, 1],
      [1, 1, 1, 0],
      [68, 8, 5, 0, 0, 0, 0, 0],
    ].entries())
      rig.send({ seq: 1 + i, data: [i], ipOptions });
    expect(rig.read(connection)).toEqual([0, 1, 2, 3]);
  });

  test('time to live and type of service are those of the socket', () => {
    const { sockets } = rig.net;
    const socket = sockets.socket('tcp');
    socket.setsockopt('IP_TTL', 7);
    socket.setsockopt('IP_TOS', 0x28);
    socket.setsockopt('O_NONBLOCK', true);
    expect(() => socket.connect(parseIpv4(PEER), 4000).next(true)).toThrow('EINPROGRESS');
    rig.settle();
    expect(rig.next()).toMatchObject({ flags: 'S', ttl: 7, tos: 0x28 });
    const other = sockets.socket('tcp');
    other.setsockopt('O_NONBLOCK', true);
    expect(() => other.connect(parseIpv4(PEER), 4000).next(true)).toThrow('EINPROGRESS');
    rig.settle();
    rig.hostIss = 0;
    expect(rig.next()).toMatchObject({ flags: 'S', ttl: 64, tos: 0 });
  });
});

test('9293-32 every segment has the address that was chosen before the SYN', () => {
  const connection = rig.connected();
  connection.write(octets(10));
  const sent = rig.drain();
  rig.advance(SECOND_NS);
  rig.send({ ack: 11, flags: 'FA' });
  connection.close();
  sent.push(...rig.drain());
  expect(sent.length).toBeGreaterThanOrEqual(4);
  for (const { raw } of sent) expect([...raw.subarray(12, 16)]).toEqual(HOST.split('.').map(Number));
});

describe('9293-36 numbers of the host that wrap', () => {
  /** A connection whose ISN is 2^32 - `below`: the clock of ISNs has got there. */
  function openNearWrap(below: number): TcpConnection {
    const first = rig.connect();
    rig.recv({ flags: 'S' });
    const target = (2 ** 32 - below - rig.hostIss + 2 ** 32) % 2 ** 32;
    first.abort();
    rig.hostIss = 0;
    rig.advance(target * 4000);
    rig.introducePeer();
    return rig.connected();
  }

  test('data, ACKs, duplicates and FIN cross 2^32', () => {
    const connection = openNearWrap(1000);
    expect(rig.hostIss).toBe(2 ** 32 - 1000);
    connection.write(octets(3000));
    expect(rig.drain().map(({ seq }) => seq)).toEqual([1, 1461]);
    rig.send({ ack: 1461 });
    // Old ones change nothing, and what was never sent is answered.
    rig.send({ ack: 900 });
    rig.recvNothing();
    rig.send({ ack: 2922 });
    rig.recv({ flags: 'A', seq: 2921 });
    expect(connection.info().unacked).toBe(1460);
    rig.advance(SECOND_NS);
    rig.recv({ seq: 1461, length: 1460 });
    rig.send({ ack: 2921 });
    rig.recv({ flags: 'PA', seq: 2921, length: 80 });
    rig.send({ ack: 3001 });
    connection.close();
    rig.recv({ flags: 'FA', seq: 3001 });
    rig.send({ flags: 'FA', ack: 3002 });
    rig.recv({ flags: 'A', seq: 3002, ack: 2 });
    expect(connection.state).toBe('TIME-WAIT');
  });
});

describe('RFC 5961', () => {
  test('5961-3 the oldest ACK with which data count is SND.UNA - MAX.SND.WND', () => {
    const connection = rig.accepted({}, { window: 1000 });
    rig.send({ seq: 1, ack: 0 - 1000, data: [1] });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    expect(connection.readableBytes).toBe(0);
    rig.send({ seq: 1, ack: 1 - 1000, data: [1] });
    expect(connection.readableBytes).toBe(1);
  });

  test('5961-4 what one connection has used up, another still has', () => {
    rig.accepted();
    for (let i = 0; i < 30; i++) rig.send({ flags: 'S', seq: 0 });
    expect(rig.drain().length).toBe(10);
    rig.peerPort = 4001;
    rig.hostIss = 0;
    rig.accepted();
    for (let i = 0; i < 30; i++) rig.send({ flags: 'S', seq: 0 });
    expect(rig.drain().map(({ flags, destinationPort }) => [flags, destinationPort])).toEqual(
      new Array(10).fill(['A', 4001]),
    );
  });
});

test('9293-30 protocol unreachable about a segment in flight ends the connection', () => {
  const connection = rig.accepted({}, { options: MSS(1460) });
  connection.write(octets(10));
  const data = rig.recv({ flags: 'PA', length: 10 });
  rig.sendIcmp(3, 2, 0, data);
  expect(connection.state).toBe('CLOSED');
  expect(connection.hasError).toBe(true);
});
