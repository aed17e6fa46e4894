/** Half-open connections, and peers that find each other's segments unacceptable. */
import { expect, test } from 'vitest';
import { readBe32, writeBe32 } from '../../../../../../src/lib/bytes.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { naiveChecksum } from '../../../../../support/packets.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { octets, TcpRig } from '../../../../../support/tcp-rig.ts';
import { established, TcpWire, type WireSegment } from '../../../../../support/tcp-wire.ts';

const line = ({ from, flags }: WireSegment) => `${from} ${flags}`;

test('sharp 19 a host that has rebooted connects again: challenge ACK, reset, and the next SYN succeeds', () => {
  const pair = new TcpPair('reboot');
  const wire = new TcpWire(pair);
  pair.clientPort = 5000;
  const { client, server } = established(pair);
  // The client forgets all, and the reset that a mere end of the program would send is never seen.
  wire.lose = () => true;
  client.abort();
  pair.run(SECOND_NS);
  wire.lose = () => false;
  wire.take();
  const listener = pair.listen();
  const again = pair.connect();
  pair.run(5 * SECOND_NS);
  expect(wire.segments.map(line).slice(0, 6)).toEqual(['0 S', '1 A', '0 R', '0 S', '1 SA', '0 A']);
  expect(server.takeError()?.code).toBe('ECONNRESET');
  expect([again.state, listener.accept({ changed: () => {} })?.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
});

test('sharp 19 the side that did not reboot sends data: they are answered by a reset', () => {
  const pair = new TcpPair('reboot');
  const wire = new TcpWire(pair);
  const { client, server } = established(pair);
  wire.lose = () => true;
  client.abort();
  pair.run(SECOND_NS);
  wire.lose = () => false;
  wire.take();
  server.write(octets(10));
  pair.run(SECOND_NS);
  expect(wire.segments.map(line)).toEqual(['1 PA', '0 R']);
  expect([server.state, server.takeError()?.code]).toEqual(['CLOSED', 'ECONNRESET']);
});

test('sharp 22 data from a third party put two peers out of step: their ACKs to each other end by the limit', () => {
  const pair = new TcpPair('storm');
  const wire = new TcpWire(pair);
  const options = { timestamps: false };
  const { client, server } = established(pair, options);
  server.write(octets(5));
  pair.run(SECOND_NS);
  const data = wire.take().find(({ dataBytes }) => dataBytes === 5)!;
  // As if the server had sent five octets more.
  const forged = data.frame.slice();
  writeBe32(forged, 38, (readBe32(forged, 38) + 5) >>> 0);
  forged.set([0, 0], 50);
  const segment = forged.subarray(34);
  const pseudo = [...forged.subarray(26, 34), 0, 6, segment.length >> 8, segment.length & 255];
  const checksum = naiveChecksum([...pseudo, ...segment]);
  forged.set([checksum >> 8, checksum & 255], 50);
  pair.client.inject(forged);
  pair.run(3600 * SECOND_NS);
  const acks = wire.take();
  expect(new Set(acks.map(({ flags }) => flags))).toEqual(new Set(['A']));
  expect(acks.length).toBeGreaterThan(10);
  expect(acks.length).toBeLessThanOrEqual(22);
  expect([client.state, server.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
  expect(pair.rigs.map(({ net }) => net.tcp.counters.challengeAcks)).toEqual([10, 10]);
});

test('sharp 22 the limit is each connection’s own: who uses up that of one says nothing about another', () => {
  const rig = new TcpRig();
  rig.accepted();
  for (let i = 0; i < 30; i++) rig.send({ flags: 'S', seq: 0 });
  rig.drain();
  rig.peerPort = 4001;
  rig.hostIss = 0;
  rig.accepted();
  rig.send({ flags: 'R', seq: 5 });
  rig.recv({ flags: 'A', seq: 1, ack: 1 });
});
