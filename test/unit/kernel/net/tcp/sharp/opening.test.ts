/** Opens that cross each other, that lose segments, and that old duplicates disturb. */
import { beforeEach, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../../kernel/net/tcp/connection.ts';
import { DEFAULT_TCP_OPTIONS } from '../../../../../../kernel/net/tcp/user.ts';
import { parseIpv4 } from '../../../../../../src/lib/bytes.ts';
import { HOST, PEER, SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { MSS, octets, SACK_OK, TcpRig, TS, WS } from '../../../../../support/tcp-rig.ts';
import { TcpWire, type WireSegment } from '../../../../../support/tcp-wire.ts';

const ENDS = [
  { address: parseIpv4(HOST), port: 5000 },
  { address: parseIpv4(PEER), port: 6000 },
] as const;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** Both hosts connect to each other at the same moment. */
function crossing(pair: TcpPair): TcpConnection[] {
  return [0, 1].map(side =>
    pair.rigs[side]!.net.tcp.connect(ENDS[side]!, ENDS[1 - side]!, DEFAULT_TCP_OPTIONS, { changed: () => {} }),
  );
}

/** Octets go both ways, and each side has agreed on the same options. */
function expectUsable(pair: TcpPair, ends: readonly TcpConnection[]): void {
  expect(ends.map(({ state }) => state)).toEqual(['ESTABLISHED', 'ESTABLISHED']);
  for (const end of ends) {
    expect(end.info()).toMatchObject({ timestamps: true, sack: true, sendScale: 2, receiveScale: 2, sendMss: 1448 });
    end.write(octets(3000));
  }
  pair.run(SECOND_NS);
  for (const end of ends) expect([...end.read(5000)!]).toEqual([...octets(3000)]);
}

test('sharp 14 two hosts connect to each other at the same moment: there is one connection', () => {
  const pair = new TcpPair('simultaneous');
  const wire = new TcpWire(pair);
  const ends = crossing(pair);
  pair.run(SECOND_NS);
  expect(wire.segments.slice(0, 4).map(({ from, flags }) => `${from} ${flags}`)).toEqual([
    '0 S',
    '1 S',
    '0 SA',
    '1 SA',
  ]);
  expect(pair.rigs.map(({ net }) => net.tcp.connections().length)).toEqual([1, 1]);
  expectUsable(pair, ends);
});

test('sharp 14 the SYN,ACK of the peer establishes the connection, as in figure 7; its window is not scaled', () => {
  const connection = rig.connect({ windowScale: true });
  rig.recv({ flags: 'S', seq: 0 });
  rig.send({ flags: 'S', seq: 0, window: 5000, options: [...MSS(1460), ...WS(3)] });
  rig.recv({ flags: 'SA', seq: 0, ack: 1 });
  rig.send({ flags: 'SA', seq: 0, ack: 1, window: 5000, options: [...MSS(1460), ...WS(3)] });
  expect(connection.state).toBe('ESTABLISHED');
  expect(connection.info()).toMatchObject({ sendWindow: 5000, sendScale: 3 });
  rig.recv({ flags: 'A', seq: 1, ack: 1 });
  rig.send({ seq: 1, data: [7] });
  expect(rig.read(connection)).toEqual([7]);
});

test('sharp 14 a SYN,ACK with data and FIN, in SYN-RECEIVED: they are taken as well', () => {
  const connection = rig.connect();
  rig.recv({ flags: 'S', seq: 0 });
  rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
  rig.recv({ flags: 'SA', seq: 0, ack: 1 });
  rig.send({ flags: 'SAF', seq: 0, ack: 1, data: [1, 2] });
  rig.recv({ flags: 'A', seq: 1, ack: 4 });
  expect(connection.state).toBe('CLOSE-WAIT');
  expect(rig.read(connection)).toEqual([1, 2]);
});

const isSynAck = ({ flags }: WireSegment) => flags === 'SA';

test.each([
  ['one SYN,ACK is lost', 1, isSynAck],
  ['both SYN,ACKs are lost', 2, isSynAck],
  ['one SYN is lost', 1, ({ flags }: WireSegment) => flags === 'S'],
  ['both SYN,ACKs, and the next two, are lost', 4, isSynAck],
])('sharp 15 a simultaneous open in which %s', (_, count, isIt) => {
  const pair = new TcpPair('lost');
  const wire = new TcpWire(pair);
  let lost = 0;
  wire.lose = segment => isIt(segment) && lost++ < count;
  const ends = crossing(pair);
  pair.run(10 * SECOND_NS);
  expect(lost).toBeGreaterThanOrEqual(count);
  expectUsable(pair, ends);
});

test('sharp 18 an old duplicate SYN comes before the real one: a reset clears it away, and the real one succeeds', () => {
  const pair = new TcpPair('duplicate');
  const wire = new TcpWire(pair);
  pair.clientPort = 5000;
  const listener = pair.listen();
  wire.lose = () => true;
  pair.connect().close();
  pair.run(SECOND_NS);
  const old = wire.take()[0]!;
  wire.lose = () => false;
  pair.run(100 * SECOND_NS);
  const connection = pair.connect();
  pair.server.inject(old.frame);
  pair.run(5 * SECOND_NS);
  const lines = wire.segments.map(({ from, flags }) => `${from} ${flags}`);
  expect(lines.slice(0, 2)).toEqual(['0 S', '1 SA']);
  expect(lines.indexOf('0 R')).toBeGreaterThan(0);
  expect(lines.slice(-3)).toEqual(['0 S', '1 SA', '0 A']);
  const server = listener.accept({ changed: () => {} })!;
  expect([connection.state, server.state, listener.handshakeCount]).toEqual(['ESTABLISHED', 'ESTABLISHED', 0]);
  expect(server.block.irs).toBe(connection.block.iss);
});

test('sharp 18 a SYN,ACK for an old SYN is answered by a reset, and the host waits on for the real one', () => {
  const connection = rig.connect({ timestamps: true, sack: true });
  rig.recv({ flags: 'S', seq: 0 });
  rig.send({ flags: 'SA', seq: 50_000, ack: -777, options: [...MSS(536), ...TS(9, 0), ...SACK_OK] });
  rig.recv({ flags: 'R', seq: -777 });
  rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1460) });
  rig.recv({ flags: 'A', seq: 1, ack: 1 });
  expect(connection.info()).toMatchObject({ state: 'ESTABLISHED', timestamps: false, sack: false, sendMss: 1460 });
});
