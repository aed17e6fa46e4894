/** Small segments: those that silly windows and Nagle prevent, and what Nagle costs. */
import { describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { octets, TcpRig } from '../../../../../support/tcp-rig.ts';
import { established, TcpWire } from '../../../../../support/tcp-wire.ts';

const BUFFER_BYTES = 65_536;

test('sharp 24 a reader that takes an octet at a time from a full buffer of 64 k: no update below one MSS', () => {
  const rig = new TcpRig();
  const connection = rig.accepted({ receiveBufferBytes: BUFFER_BYTES });
  // Without window scale the window is one octet less than the buffer.
  for (let seq = 1; seq < BUFFER_BYTES; seq += 1024) {
    rig.send({ seq, data: octets(Math.min(1024, BUFFER_BYTES - seq)) });
  }
  rig.advance(SECOND_NS);
  expect(rig.drain().at(-1)).toMatchObject({ ack: BUFFER_BYTES, window: 0 });
  // The octet that the window could not offer counts.
  for (let i = 0; i < 1458; i++) connection.read(1);
  rig.recvNothing();
  connection.read(1);
  rig.recv({ flags: 'A', ack: BUFFER_BYTES, window: 1460 });
  rig.send({ seq: BUFFER_BYTES, data: octets(1460) });
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'A', window: 0 });
});

test('sharp 24 a greedy sender and a reader of single octets exchange segments of a whole MSS, not of octets', () => {
  const pair = new TcpPair('silly');
  const options = { noDelay: true, sendBufferBytes: 500_000, timestamps: false };
  const { client, server } = established(pair, options, { receiveBufferBytes: 8192, timestamps: false });
  client.write(octets(100_000));
  pair.run(SECOND_NS);
  const wire = new TcpWire(pair);
  let reads = 0;
  for (; reads < 20_000 && server.read(1) !== null; reads++) if (reads % 100 === 0) pair.run(10_000_000);
  expect(reads).toBe(20_000);
  const data = wire.segments.filter(({ from, dataBytes }) => from === 0 && dataBytes > 1);
  expect(Math.min(...data.map(({ dataBytes }) => dataBytes))).toBe(1460);
});

test('sharp 25 into a window that opens by 100 octets at a time, Nagle off: a segment each half second, not each octet', () => {
  const rig = new TcpRig();
  const connection = rig.accepted({ noDelay: true }, { window: 1460 });
  connection.write(octets(6000));
  rig.recv({ seq: 1, length: 1460 });
  let una = 1461;
  for (let i = 0; i < 3; i++) {
    rig.send({ ack: una, window: 100 });
    for (let j = 0; j < 10; j++) connection.write(octets(20));
    rig.advance(0.5 * SECOND_NS - 1000);
    rig.recvNothing();
    rig.advance(2000);
    rig.recv({ seq: una, length: 100 });
    una += 100;
  }
});

describe('write, write, read', () => {
  /** A client that writes a request in two pieces and waits for the answer: how long, and what went over the link. */
  function exchange(client: TcpConnection, server: TcpConnection, pair: TcpPair): number {
    const fromNs = pair.nowNs();
    client.write(octets(50));
    client.write(octets(50, 50));
    pair.run(SECOND_NS, () => server.readableBytes === 100);
    server.read(100);
    server.write(octets(10));
    pair.run(SECOND_NS, () => client.readableBytes === 10);
    client.read(10);
    return pair.nowNs() - fromNs;
  }

  test.each([
    ['Nagle waits for the delayed ACK: 200 ms', false, 204],
    ['TCP_NODELAY: a round trip', true, 2],
  ])('sharp 26 %s', (_, noDelay, milliseconds) => {
    const pair = new TcpPair('stall');
    const { client, server } = established(pair, { noDelay });
    const wire = new TcpWire(pair);
    expect(exchange(client, server, pair) / 1e6).toBeCloseTo(milliseconds, 1);
    const requests = wire.segments.filter(({ from, dataBytes }) => from === 0 && dataBytes > 0);
    expect(requests.map(({ dataBytes }) => dataBytes)).toEqual([50, 50]);
  });
});
