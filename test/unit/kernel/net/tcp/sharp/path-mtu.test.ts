/** Segment sizes, and how the path MTU is found: by ICMP, and where that does not come. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { MSS, octets, SACK_OK, type Sent, TcpRig, TS } from '../../../../../support/tcp-rig.ts';
import { established } from '../../../../../support/tcp-wire.ts';

const PPPOE_MTU = 1492;
const MINUTE_NS = 60 * SECOND_NS;
const ETHERNET_BYTES = 14;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** Octets of the IPv4 packet. */
const packetBytes = (sent: Sent): number => sent.raw.length;

describe('PPPoE leaves 1492 octets', () => {
  test('sharp 39 on such a link a SYN offers an MSS of 1452, and segments have as many octets, less their options', () => {
    rig.iface.setMtu(PPPOE_MTU);
    const plain = rig.connect();
    expect(rig.recv({ flags: 'S' }).mss).toBe(1452);
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1460) });
    rig.recv({ flags: 'A' });
    plain.write(octets(3000));
    expect(packetBytes(rig.recv({ length: 1452 }))).toBe(PPPOE_MTU);
    rig.peerPort += 1;
    rig.hostIss = 0;
    const stamped = rig.connect({ timestamps: true });
    rig.drain();
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: [...MSS(1460), ...TS(1, 0)] });
    rig.drain();
    stamped.write(octets(3000));
    expect(packetBytes(rig.recv({ length: 1440 }))).toBe(PPPOE_MTU);
  });

  test('sharp 39 a peer behind such a link offers 1452, and gets no longer segments', () => {
    const connection = rig.accepted({}, { options: MSS(1452) });
    connection.write(octets(3000));
    expect(packetBytes(rig.recv({ length: 1452 }))).toBe(PPPOE_MTU);
  });
});

test('sharp 39 SACK blocks take from the data of a segment, which stays as long as the path allows', () => {
  rig.listen({ timestamps: true, sack: true });
  rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(1, 0), ...SACK_OK] });
  rig.recv({ flags: 'SA' });
  rig.send({ options: TS(1, 0) });
  const connection = rig.listener.accept(rig.user)!;
  for (const seq of [10, 20, 30]) rig.send({ seq, data: [1], options: TS(1, 0) });
  rig.drain();
  connection.write(octets(3000));
  const sent = rig.next();
  expect([packetBytes(sent), sent.sack.length, sent.data.length]).toEqual([1500, 3, 1448 - 28]);
});

describe('ICMP 3/4', () => {
  test.each([
    ['no options', {}, [], 28],
    ['timestamps', { timestamps: true }, TS(1, 0), 16],
  ])('sharp 39 with an MTU of 68 and %s: packets of 68 octets', (_, options, stamp, dataBytes) => {
    rig.listen(options);
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...stamp] });
    rig.recv({ flags: 'SA' });
    rig.send({ options: stamp });
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(100));
    rig.sendIcmp(3, 4, 68, rig.next());
    const sent = rig.next();
    expect([sent.seq, sent.data.length, packetBytes(sent)]).toEqual([1, dataBytes, 68]);
  });

  test.each([
    ['of a segment beyond what was sent', 1461],
    ['of one acknowledged long ago', -20_000],
  ])('sharp 39 about the number %s is ignored (RFC 5927)', (_, shift) => {
    const connection = rig.accepted();
    connection.write(octets(1460));
    const about = rig.next();
    const raw = about.raw.slice();
    new DataView(raw.buffer).setUint32(24, (rig.hostIss + 1 + shift) >>> 0);
    rig.sendIcmp(3, 4, 576, { ...about, raw });
    expect(connection.info().pathMtu).toBe(1500);
    rig.recvNothing();
  });

  test('sharp 39 two routers, one narrower than the other: each report lowers the MTU, none raises it', () => {
    const connection = rig.accepted();
    connection.write(octets(1460));
    rig.sendIcmp(3, 4, 1006, rig.next());
    const shorter = rig.next();
    expect(packetBytes(shorter)).toBe(1006);
    rig.sendIcmp(3, 4, 576, shorter);
    rig.drain();
    rig.sendIcmp(3, 4, 1006, shorter);
    rig.sendIcmp(3, 4, 576, shorter);
    expect(connection.info().pathMtu).toBe(576);
    rig.recvNothing();
  });

  test('sharp 39 what is sent again because it was too long is no sign of congestion, and gives no sample', () => {
    const connection = rig.accepted();
    connection.write(octets(4380));
    const { cwnd, ssthresh, srttNs } = connection.info();
    rig.sendIcmp(3, 4, 576, rig.drain()[0]!);
    rig.drain();
    expect(connection.info()).toMatchObject({ cwnd, ssthresh });
    rig.advance(0.3 * SECOND_NS);
    rig.send({ ack: 4381 });
    expect(connection.info()).toMatchObject({ srttNs, unacked: 0, recovery: 'open' });
  });

  test('sharp 39 in the handshake: the MTU is remembered, and the data are short from the first segment on', () => {
    const connection = rig.connect();
    rig.sendIcmp(3, 4, 576, rig.recv({ flags: 'S' }));
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1460) });
    rig.recv({ flags: 'A' });
    connection.write(octets(1000));
    rig.recv({ length: 536 });
  });

  test('sharp 39 after ten minutes a longer segment is tried again (RFC 1191 section 6.3)', () => {
    const connection = rig.accepted({ noDelay: true });
    const write = () => {
      connection.write(octets(1460));
      rig.settle();
      const sent = rig.drain();
      const last = sent.at(-1)!;
      return { sent, ack: () => rig.send({ ack: last.seq + last.data.length }) };
    };
    const first = write();
    rig.sendIcmp(3, 4, 576, first.sent[0]!);
    rig.drain();
    first.ack();
    rig.advance(9 * MINUTE_NS);
    const second = write();
    expect(packetBytes(second.sent[0]!)).toBe(576);
    second.ack();
    rig.advance(2 * MINUTE_NS);
    const third = write();
    expect(packetBytes(third.sent[0]!)).toBe(1500);
    rig.sendIcmp(3, 4, 576, third.sent[0]!);
    expect(packetBytes(rig.next())).toBe(576);
  });
});

describe('a black hole', () => {
  /** A link that swallows packets longer than `mtu`, and says nothing. */
  function over(mtu: number): TcpPair {
    const pair = new TcpPair('black hole');
    pair.lose = frame => frame.length - ETHERNET_BYTES > mtu;
    return pair;
  }

  test.each([
    ['of 1400 octets, SACK', 1400, { sack: true }],
    ['of 576 octets, SACK', 576, { sack: true }],
    ['of 576 octets, NewReno', 576, { sack: false }],
    ['of 576 octets, no timestamps', 576, { timestamps: false }],
  ])('sharp 39 %s: shorter segments are tried, and everything arrives', (_, mtu, options) => {
    const pair = over(mtu);
    const { client, server } = established(pair, options);
    client.write(octets(50_000));
    client.close();
    let received = 0;
    pair.run(20 * SECOND_NS, () => {
      received += server.read(100_000)?.length ?? 0;
      return server.atEof;
    });
    expect(received).toBe(50_000);
    expect(client.info().pathMtu).toBe(576);
    // One episode of timeouts, not one for each segment.
    expect(pair.client.net.tcp.counters.timeouts).toBe(3);
  });

  test('sharp 39 it was none, but an outage: shorter segments are not answered either, and the size is the old one', () => {
    const connection: TcpConnection = rig.accepted();
    connection.write(octets(1460));
    rig.advance(10 * SECOND_NS);
    expect(connection.info().pathMtu).toBe(576);
    rig.advance(60 * SECOND_NS);
    expect(connection.info().pathMtu).toBe(1500);
    expect(rig.drain().at(-1)).toMatchObject({ seq: 1 });
    rig.send({ ack: 1461 });
    connection.write(octets(1460));
    rig.recv({ seq: 1461, length: 1460 });
  });

  test('sharp 39 short segments that are lost accuse no black hole', () => {
    const connection = rig.accepted();
    connection.write(octets(500));
    rig.advance(10 * SECOND_NS);
    expect(connection.info().pathMtu).toBe(1500);
  });
});
