/** Closed windows: who finds out that they are open again, and what becomes of the octets that were sent to find out. */
import { beforeEach, expect, test } from 'vitest';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { octets, TcpRig } from '../../../../../support/tcp-rig.ts';
import { established, TcpWire } from '../../../../../support/tcp-wire.ts';

const BUFFER_BYTES = 2000;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

test('sharp 6 the ACK that reopens the window is lost, both sides wait for each other, and a probe ends it', () => {
  const pair = new TcpPair('window');
  const wire = new TcpWire(pair);
  const { client, server } = established(pair, {}, { receiveBufferBytes: BUFFER_BYTES });
  client.write(octets(3 * BUFFER_BYTES));
  pair.run(3 * SECOND_NS);
  expect(wire.take().at(-1)).toMatchObject({ from: 1, window: 0 });
  wire.lose = ({ from }) => from === 1;
  expect([...server.read(BUFFER_BYTES)!]).toEqual([...octets(BUFFER_BYTES)]);
  pair.run(0.1 * SECOND_NS);
  wire.lose = () => false;
  const [update, ...others] = wire.take();
  expect([update?.from, update?.window, others.length]).toEqual([1, BUFFER_BYTES, 0]);
  // Nobody says anything until the client probes.
  pair.run(10 * SECOND_NS, () => server.readableBytes === BUFFER_BYTES);
  expect(wire.segments[0]).toMatchObject({ from: 0, dataBytes: 1 });
  expect([...server.read(BUFFER_BYTES)!]).toEqual([...octets(BUFFER_BYTES, BUFFER_BYTES)]);
});

test('sharp 7 an octet that a probe has brought is not read twice when the peer sends it again', () => {
  const connection = rig.accepted({ receiveBufferBytes: 1000 });
  rig.send({ seq: 1, data: octets(1000) });
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'A', ack: 1001, window: 0 });
  expect(rig.read(connection)).toEqual([...octets(1000)]);
  rig.recv({ flags: 'A', ack: 1001, window: 1000 });
  // The probe was under way when the window opened. Its ACK is lost: the peer sends the octet again, with others.
  rig.send({ seq: 1001, data: octets(1, 1000) });
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'A', ack: 1002 });
  rig.send({ seq: 1001, data: octets(500, 1000) });
  rig.recv({ flags: 'A', ack: 1501 });
  expect(rig.read(connection)).toEqual([...octets(500, 1000)]);
});

test('sharp 7 a stream through a window that closes at every segment is delivered once', () => {
  const pair = new TcpPair('probes', { loss: 0.1 });
  const { client, server } = established(pair, { noDelay: true }, { receiveBufferBytes: 500 });
  let written = 0;
  const read: number[] = [];
  for (let second = 0; second < 2000 && read.length < 5000; second++) {
    written += client.write(octets(Math.min(700, 5000 - written), written));
    pair.run(SECOND_NS);
    read.push(...(server.read(137) ?? []));
  }
  expect(read).toEqual([...octets(5000)]);
});

test('sharp 8 an hour of closed window: the probes, at most a minute apart, and their ACKs keep the connection', () => {
  const pair = new TcpPair('hour');
  const { client, server } = established(pair, {}, { receiveBufferBytes: BUFFER_BYTES });
  client.write(octets(BUFFER_BYTES + 100));
  pair.run(60 * SECOND_NS);
  const wire = new TcpWire(pair);
  pair.run(3600 * SECOND_NS);
  const probes = wire.segments.filter(({ from }) => from === 0);
  expect(probes.length).toBe(60);
  expect(new Set(probes.map(({ dataBytes }) => dataBytes))).toEqual(new Set([1]));
  expect([client.state, server.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
  server.read(BUFFER_BYTES);
  pair.run(SECOND_NS);
  expect([...server.read(BUFFER_BYTES)!]).toEqual([...octets(100, BUFFER_BYTES)]);
});

test('sharp 27 a window that shrinks while a FIN is in flight: what is beyond it waits, and all arrives', () => {
  const connection = rig.accepted({ noDelay: true });
  connection.write(octets(2000));
  connection.shutdownWrite();
  expect(rig.drain().at(-1)).toMatchObject({ flags: 'FA', seq: 2001 });
  rig.send({ ack: 1, window: 700 });
  rig.recvNothing();
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'A', seq: 1, length: 700 });
  rig.send({ ack: 701, window: 0 });
  rig.advance(10 * SECOND_NS);
  const probes = rig.drain();
  expect(new Set(probes.map(({ seq, data }) => `${seq}+${data.length}`))).toEqual(new Set(['701+1']));
  rig.send({ ack: 701, window: 5000 });
  expect(rig.drain().at(-1)).toMatchObject({ flags: 'FPA', seq: 701 });
  rig.send({ ack: 2002 });
  expect(connection.state).toBe('FIN-WAIT-2');
});

test('sharp 28 an old segment that acknowledges something does not move the right edge of the window', () => {
  const connection = rig.accepted({}, { window: 1000 });
  rig.send({ seq: 1, data: octets(1), window: 1000 });
  rig.send({ seq: 2, window: 1000 });
  connection.write(octets(1200));
  rig.recv({ flags: 'A', seq: 1, length: 1000, ack: 2 });
  // The peer sends its octet again, and another. Its edge is at 1001, though the window of an old segment does not count.
  rig.send({ seq: 1, ack: 1001, data: octets(2), window: 0 });
  expect(rig.drain().every(({ data }) => data.length === 0)).toBe(true);
  expect(connection.info()).toMatchObject({ sendWindow: 0, unacked: 0 });
  rig.send({ seq: 3, ack: 1001, window: 1000 });
  rig.recv({ flags: 'PA', seq: 1001, length: 200 });
});
