/** TIME-WAIT: what ends it, what does not, and when its endpoints may be used again. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../../kernel/net/tcp/connection.ts';
import type { TcpOptions } from '../../../../../../kernel/net/tcp/user.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { MSS, octets, TcpRig, TS } from '../../../../../support/tcp-rig.ts';
import { established, TcpWire } from '../../../../../support/tcp-wire.ts';

const MSL_2_NS = 240 * SECOND_NS;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** The host has closed first; the peer's clock stood at `clock` when it sent its FIN, if it has one. */
function inTimeWait(options: Partial<TcpOptions>, clock: number | null): TcpConnection {
  const stamp = (value: number) => (clock === null ? [] : TS(value, 0));
  rig.listen(options);
  rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...stamp(clock! - 10)] });
  rig.recv({ flags: 'SA', ack: 1 });
  rig.send({ options: stamp(clock! - 5) });
  const connection = rig.listener.accept(rig.user)!;
  connection.close();
  rig.recv({ flags: 'FA', seq: 1 });
  rig.send({ flags: 'FA', seq: 1, ack: 2, options: stamp(clock!) });
  rig.recv({ flags: 'A', seq: 2, ack: 2 });
  expect(connection.state).toBe('TIME-WAIT');
  return connection;
}

describe('a SYN for endpoints in TIME-WAIT (RFC 6191 section 2)', () => {
  const stamps = { timestamps: true };
  test.each<[string, Partial<TcpOptions>, number | null, number, number | null, boolean]>([
    ['a later timestamp, though a lower number', stamps, 500, -9000, 501, true],
    ['an earlier timestamp, though a higher number', stamps, 500, 9000, 499, false],
    ['the same timestamp and a higher number', stamps, 500, 9000, 500, true],
    ['the same timestamp and a lower number', stamps, 500, -9000, 500, false],
    ['no timestamp any more, and a higher number', stamps, 500, 9000, null, true],
    ['no timestamp any more, and a lower number', stamps, 500, -9000, null, false],
    ['a timestamp where there was none, whatever its number', stamps, null, -9000, 1, true],
    ['a timestamp that will not be used, and a lower number', {}, null, -9000, 1, false],
    ['a timestamp that will not be used, and a higher number', {}, null, 9000, 1, true],
    ['no timestamps at all, and the number after the FIN', {}, null, 2, null, true],
    ['no timestamps at all, and the number of the FIN', {}, null, 1, null, false],
  ])('sharp 20 with %s', (_, options, clock, seq, tsVal, opens) => {
    const connection = inTimeWait(options, clock);
    rig.hostIss = opens ? 0 : rig.hostIss;
    rig.send({ flags: 'S', seq, options: [...MSS(1460), ...(tsVal === null ? [] : TS(tsVal, 0))] });
    if (opens) rig.recv({ flags: 'SA', seq: 0, ack: seq + 1 });
    else rig.recv({ flags: 'A', seq: 2, ack: 2 });
    expect(connection.state).toBe(opens ? 'CLOSED' : 'TIME-WAIT');
  });
});

test('sharp 20 old data and a RST, wherever they are, do not end TIME-WAIT or shorten it (RFC 1337)', () => {
  const connection = inTimeWait({}, null);
  rig.advance(MSL_2_NS - SECOND_NS);
  rig.send({ seq: 1, ack: 2, data: octets(3) });
  rig.recv({ flags: 'A', seq: 2, ack: 2 });
  for (const seq of [1, 2, 3, 500, -500]) rig.send({ flags: 'R', seq });
  expect(connection.state).toBe('TIME-WAIT');
  rig.advance(SECOND_NS - 1000);
  expect(connection.state).toBe('TIME-WAIT');
  rig.advance(1000);
  expect(connection.state).toBe('CLOSED');
});

test.each<[string, Partial<TcpOptions>]>([
  ['with data unread', {}],
  ['with SO_LINGER 0', { lingerNs: 0 }],
])('sharp 20 close %s does not cut TIME-WAIT short: there is nobody left to reset', (_, options) => {
  const connection = rig.accepted(options);
  rig.send({ data: octets(10) });
  connection.shutdownWrite();
  rig.recv({ flags: 'FA', seq: 1, ack: 11 });
  rig.send({ flags: 'FA', seq: 11, ack: 2 });
  rig.recv({ flags: 'A', seq: 2, ack: 12 });
  expect(connection.state).toBe('TIME-WAIT');
  connection.close();
  rig.recvNothing();
  expect([connection.state, connection.readableBytes]).toEqual(['TIME-WAIT', 0]);
  rig.advance(MSL_2_NS);
  expect(connection.state).toBe('CLOSED');
  rig.expectNoLeak();
});

test('sharp 20 the last ACK is lost: the repeated FIN is answered out of TIME-WAIT, and both ends close', () => {
  const pair = new TcpPair('time-wait');
  const wire = new TcpWire(pair);
  const { client, server } = established(pair);
  client.close();
  pair.run(SECOND_NS);
  expect([client.state, server.state]).toEqual(['FIN-WAIT-2', 'CLOSE-WAIT']);
  wire.take();
  wire.lose = ({ from }) => from === 0;
  server.close();
  pair.run(0.5 * SECOND_NS);
  expect([client.state, server.state]).toEqual(['TIME-WAIT', 'LAST-ACK']);
  wire.lose = () => false;
  pair.run(SECOND_NS);
  expect(wire.segments.map(({ from, flags }) => `${from} ${flags}`)).toEqual(['1 FA', '0 A', '1 FA', '0 A']);
  expect(server.state).toBe('CLOSED');
  pair.run(MSL_2_NS);
  expect(client.state).toBe('CLOSED');
});
