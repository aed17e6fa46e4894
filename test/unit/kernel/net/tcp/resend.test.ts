/** What an observer is told of segments that are sent again, and of probes: which connection, where, how long, and why. */
import { beforeEach, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../kernel/net/tcp/connection.ts';
import { traceOf } from '../../../../support/kernel-trace.ts';
import { SECOND_NS } from '../../../../support/net-rig.ts';
import { MSS, octets, SACK_OK, sackOf, TcpRig } from '../../../../support/tcp-rig.ts';

type Told = readonly [seq: number, lengthBytes: number, reason: string];

let rig: TcpRig;
let told: Told[];
beforeEach(() => {
  rig = new TcpRig();
  told = [];
});

/** From now on, numbers relative to the ISN of the host. */
function watch(connection = '192.0.2.1:80-192.0.2.2:4000'): void {
  rig.trace = traceOf({
    resend: (name: string, seq: number, lengthBytes: number, reason: string) => {
      expect(name).toBe(connection);
      expect(seq).toBe(seq >>> 0);
      told.push([(seq - rig.hostIss) | 0, lengthBytes, reason]);
    },
  });
}

/** What was told is what was sent, and nothing else was. */
function expectTold(...expected: Told[]): void {
  expect(told).toEqual(expected);
  expect(rig.drain().map(({ seq, data }) => [seq, data.length])).toEqual(
    expected.map(([seq, length]) => [seq, length]),
  );
  told.length = 0;
}

/** Four segments of 1000 octets in flight. */
function flying(options = {}, syn = {}): TcpConnection {
  const connection = rig.accepted(options, { options: MSS(1000), ...syn });
  connection.write(octets(4000));
  expect(rig.drain().length).toBe(4);
  watch();
  return connection;
}

test('new data and their acknowledgement are not told', () => {
  const connection = rig.accepted();
  watch();
  connection.write(octets(10));
  rig.send({ ack: 11, data: [1] });
  rig.advance(SECOND_NS);
  expect(rig.drain().length).toBe(2);
  expect(told).toEqual([]);
});

test('a SYN that nobody answers', () => {
  rig.connect();
  rig.recv({ flags: 'S' });
  watch();
  rig.advance(3 * SECOND_NS);
  expect(rig.drain().map(({ flags }) => flags)).toEqual(['S', 'S']);
  expect(told).toEqual([
    [0, 0, 'timeout'],
    [0, 0, 'timeout'],
  ]);
});

test('a SYN,ACK that the peer has not heard', () => {
  rig.listen();
  rig.send({ flags: 'S', seq: 0 });
  rig.recv({ flags: 'SA' });
  watch();
  rig.send({ flags: 'S', seq: 0 });
  rig.recv({ flags: 'SA' });
  expect(told).toEqual([[0, 0, 'SYN repeated']]);
});

test('timeout: the earliest segment, then the others as slow start allows', () => {
  flying();
  rig.advance(SECOND_NS);
  expectTold([1, 1000, 'timeout']);
  rig.send({ ack: 1001 });
  expectTold([1001, 1000, 'timeout'], [2001, 1000, 'timeout']);
});

test('fast retransmit, then a partial ACK', () => {
  flying();
  for (let i = 0; i < 3; i++) rig.send({ ack: 1 });
  expectTold([1, 1000, 'fast retransmit']);
  rig.send({ ack: 2001 });
  expectTold([2001, 1000, 'partial ACK']);
});

test('SACK: the holes behind the first', () => {
  const connection = flying({ sack: true }, { options: [...MSS(1000), ...SACK_OK] });
  for (const ack of [1001, 2001, 3001, 4001]) rig.send({ ack });
  rig.hostIss += 4000;
  connection.write(octets(8000));
  expect(rig.drain().length).toBe(8);
  const sacks = [
    [1001, 2001],
    [3001, 5001],
    [3001, 6001],
    [3001, 8001],
  ] as const;
  for (const block of sacks) rig.send({ ack: 1, options: sackOf(rig, block) });
  expectTold([1, 1000, 'fast retransmit'], [2001, 1000, 'SACK']);
});

test('zero window probes, and their octet again when the window opens', () => {
  const connection = rig.accepted({}, { window: 0 });
  watch();
  connection.write(octets(10));
  rig.advance(3 * SECOND_NS);
  expectTold([1, 1, 'zero window probe'], [1, 1, 'zero window probe']);
  rig.send({ ack: 1, window: 100 });
  expectTold([1, 10, 'window opened']);
});

test('ICMP has said that the segments were too long', () => {
  const connection = rig.accepted({}, { options: MSS(1000) });
  connection.write(octets(1000));
  const about = rig.recv({ flags: 'PA', length: 1000 });
  watch();
  rig.sendIcmp(3, 4, 576, about);
  expectTold([1, 536, 'path MTU'], [537, 464, 'path MTU']);
});

test('a FIN alone has no data', () => {
  const connection = rig.accepted();
  connection.close();
  rig.recv({ flags: 'FA' });
  watch();
  rig.advance(SECOND_NS);
  expectTold([1, 0, 'timeout']);
});

test('keep-alive', () => {
  const second = SECOND_NS;
  rig.accepted({ keepAlive: { idleNs: 100 * second, intervalNs: 10 * second, count: 3 } });
  watch();
  rig.advance(100 * second);
  expectTold([0, 0, 'keep-alive probe']);
});
