/** What a receiver does: options, acknowledgements, the window it offers, SACK, timestamps, and what it keeps. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../../../support/net-rig.ts';
import { MSS, octets, SACK_OK, TcpRig, TS, WS } from '../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

const ms = (n: number): number => n * 1_000_000;

/** An accepted connection with timestamps: the peer's clock stands at 100. */
function stamped(options = {}): TcpConnection {
  rig.listen({ timestamps: true, ...options });
  rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(100, 0), ...SACK_OK] });
  const synAck = rig.recv({ flags: 'SA' });
  rig.send({ options: TS(100, synAck.ts![0]) });
  return rig.listener.accept(rig.user)!;
}

describe('options', () => {
  test.each([
    ['unaligned, behind NOPs', [1, ...MSS(700)]],
    ['behind an unknown kind, which is passed over by its length', [77, 5, 1, 2, 3, ...MSS(700)]],
    ['in front of an END, behind which nothing counts', [...MSS(700), 0, 2, 4, 1, 1]],
    ['behind an option that must not be there', [1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 9, ...MSS(700)]],
  ])('9293-16 sharp 38 MSS is found %s', (_, options) => {
    expect(rig.accepted({}, { options }).info().sendMss).toBe(700);
  });

  test.each([
    ['length 0', [77, 0, ...MSS(700)]],
    ['length 1', [77, 1, ...MSS(700)]],
    ['a length past the header', [77, 40, ...MSS(700)]],
    ['no length at all', [1, 1, 1, 77]],
    ['a wrong length for MSS', [2, 3, 7, 1]],
  ])('9293-16 sharp 38 an option with %s ends the list, and does no harm', (_, options) => {
    expect(rig.accepted({}, { options }).info().sendMss).toBe(536);
  });

  test('9293-15 MSS, window scale and SACK-permitted count in SYNs only', () => {
    const connection = rig.accepted({ sack: true, windowScale: true });
    rig.send({ options: [...MSS(99), ...WS(5), ...SACK_OK] });
    expect(connection.info()).toMatchObject({ sendMss: 1460, sendScale: 0, sack: false });
  });

  test('2018-1 7323-1 a SYN offers all, a SYN,ACK what the peer has offered', () => {
    rig.connect({ timestamps: true, windowScale: true, sack: true });
    expect(rig.next()).toMatchObject({ mss: 1460, scale: 2, sackPermitted: true, window: 65_535 });
    rig = new TcpRig();
    rig.listen({ timestamps: true, windowScale: true, sack: true });
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...WS(7)] });
    expect(rig.next()).toMatchObject({ mss: 1460, scale: 2, sackPermitted: false, ts: null });
  });

  test('7323-1 sharp 38 a shift of 15 is taken as 14, and scales no window of a SYN', () => {
    const connection = rig.accepted({ windowScale: true }, { options: [...MSS(1460), ...WS(15)], window: 100 });
    expect(connection.info()).toMatchObject({ sendScale: 14, sendWindow: 100 << 14 });
    rig = new TcpRig();
    const active = rig.connected({ windowScale: true }, { options: [...MSS(1460), ...WS(3)], window: 100 });
    expect(active.info().sendWindow).toBe(100);
  });

  test('7323-1 without the option of the peer nothing is scaled', () => {
    const connection = rig.accepted({ windowScale: true });
    expect(connection.info()).toMatchObject({ sendScale: 0, receiveScale: 0 });
  });
});

describe('acknowledgements', () => {
  test('9293-23 one is delayed for less than half a second, and due at the second full segment', () => {
    rig.accepted();
    rig.send({ seq: 1, data: octets(1460) });
    rig.recvNothing();
    rig.advance(ms(200));
    rig.recv({ flags: 'A', ack: 1461 });
    rig.send({ seq: 1461, data: octets(1460) });
    rig.recvNothing();
    rig.send({ seq: 2921, data: octets(1460) });
    rig.recv({ flags: 'A', ack: 4381 });
  });

  test('9293-24 a burst that is handled together gets one ACK', () => {
    rig.accepted();
    rig.burst(() => {
      for (let i = 0; i < 6; i++) rig.send({ seq: 1 + 1460 * i, data: octets(1460) });
    });
    rig.recv({ flags: 'A', ack: 8761 });
    rig.recvNothing();
  });

  test('9293-23 an ACK that has gone out with data is not sent again', () => {
    const connection = rig.accepted();
    rig.send({ seq: 1, data: [1] });
    connection.write(octets(5));
    rig.recv({ flags: 'PA', ack: 2, length: 5 });
    rig.advance(ms(900));
    rig.recvNothing();
  });

  test('5681-8 9293-25 segments behind a hole are kept, and each is ACKed at once, as is what fills it', () => {
    const connection = rig.accepted();
    rig.send({ seq: 4, data: [4, 5] });
    rig.recv({ flags: 'A', ack: 1 });
    rig.send({ seq: 6, data: [6] });
    rig.recv({ flags: 'A', ack: 1 });
    rig.send({ seq: 1, data: [1, 2, 3] });
    rig.recv({ flags: 'A', ack: 7 });
    expect(rig.read(connection)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('the offered window', () => {
  test('9293-22 sharp 24 a reader that takes an octet at a time opens no silly window', () => {
    const connection = rig.accepted({ receiveBufferBytes: 8192 });
    for (let i = 0; i < 8; i++) rig.send({ seq: 1 + 1024 * i, data: octets(1024, 1024 * i) });
    rig.advance(SECOND_NS);
    expect(rig.drain().at(-1)).toMatchObject({ ack: 8193, window: 0 });
    for (let i = 0; i < 1459; i++) connection.read(1);
    rig.recvNothing();
    connection.read(1);
    rig.recv({ flags: 'A', ack: 8193, window: 1460 });
  });

  test('9293-22 with a small buffer half of it is worth an update', () => {
    const connection = rig.accepted({ receiveBufferBytes: 1000 });
    rig.send({ seq: 1, data: octets(1000) });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'A', window: 0 });
    connection.read(499);
    rig.recvNothing();
    connection.read(1);
    rig.recv({ flags: 'A', window: 500 });
  });

  test('sharp 6 when the update that opens the window is lost, the next probe finds it open', () => {
    const connection = rig.accepted({ receiveBufferBytes: 1000 });
    rig.send({ seq: 1, data: octets(1000) });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'A', ack: 1001, window: 0 });
    rig.send({ seq: 1001, data: [9] });
    rig.recv({ flags: 'A', ack: 1001, window: 0 });
    connection.read(1000);
    rig.recv({ flags: 'A', window: 1000 });
    rig.send({ seq: 1001, data: [9] });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'A', ack: 1002 });
    expect(rig.read(connection)).toEqual([9]);
  });

  test('7323-2 9293-19 the right edge never moves left, by rounding or by a smaller buffer', () => {
    const connection = rig.accepted(
      { windowScale: true, receiveBufferBytes: 1_000_000 },
      { options: [...MSS(1460), ...WS(0)] },
    );
    let edge = 0;
    let seq = 1;
    for (let i = 1; i < 60; i++) {
      rig.send({ seq, data: octets(i) });
      seq += i;
      rig.send({ seq: seq + 1, data: [1] });
      const ack = rig.drain().at(-1)!;
      const right = ack.ack + (ack.window << 4);
      expect(right).toBeGreaterThanOrEqual(edge);
      edge = right;
    }
    connection.setOption('receiveBufferBytes', 1000);
    rig.send({ seq: seq + 1, data: [1] });
    const ack = rig.drain().at(-1)!;
    expect(ack.ack + (ack.window << 4)).toBeGreaterThanOrEqual(edge);
  });
});

describe('SACK', () => {
  const open = () => rig.accepted({ sack: true }, { options: [...MSS(1460), ...SACK_OK] });

  test('2018-1 no block is sent unless the peer permitted SACK', () => {
    rig.accepted({ sack: true });
    rig.send({ seq: 10, data: [1] });
    rig.recv({ flags: 'A', ack: 1, sack: [] });
  });

  test('2018-2 2018-3 the first block has the segment just received, then the most recent others, four at most', () => {
    open();
    for (const seq of [10, 20, 30, 40, 50]) rig.send({ seq, data: [1, 2] });
    expect(rig.drain().at(-1)!.sack).toEqual([
      [50, 52],
      [40, 42],
      [30, 32],
      [20, 22],
    ]);
    rig.send({ seq: 12, data: [1] });
    expect(rig.next().sack[0]).toEqual([10, 13]);
  });

  test('2018-2 three at most beside timestamps', () => {
    stamped({ sack: true });
    for (const seq of [10, 20, 30, 40]) rig.send({ seq, data: [1], options: TS(101, 0) });
    expect(rig.drain().at(-1)!.sack.length).toBe(3);
  });

  test('2018-3 what comes twice is reported by a D-SACK in front (RFC 2883)', () => {
    open();
    rig.send({ seq: 1, data: octets(10) });
    rig.send({ seq: 1, data: octets(10) });
    rig.recv({ flags: 'A', ack: 11, sack: [[1, 11]] });
    rig.send({ seq: 20, data: octets(5) });
    rig.recv({ flags: 'A', ack: 11, sack: [[20, 25]] });
    rig.send({ seq: 21, data: octets(2) });
    rig.recv({
      flags: 'A',
      ack: 11,
      sack: [
        [21, 23],
        [20, 25],
      ],
    });
  });
});

describe('timestamps', () => {
  test('7323-3 every segment has them once they are agreed on, with the echo of the peer', () => {
    const connection = stamped();
    connection.write(octets(10));
    expect(rig.recv({ flags: 'PA', length: 10 }).ts?.[1]).toBe(100);
    rig.send({ data: [1], options: TS(105, 0) });
    rig.advance(SECOND_NS);
    expect(rig.drain().every(({ ts }) => ts !== null)).toBe(true);
  });

  test('7323-4 a delayed ACK echoes the earlier of two segments', () => {
    stamped();
    rig.send({ seq: 1, data: octets(1448), options: TS(110, 0) });
    rig.send({ seq: 1449, data: octets(1448), options: TS(120, 0) });
    expect(rig.recv({ flags: 'A', ack: 2897 }).ts?.[1]).toBe(110);
  });

  test('7323-4 sharp 37 a segment behind a hole does not advance TS.Recent', () => {
    stamped();
    rig.send({ seq: 100, data: [1], options: TS(150, 0) });
    expect(rig.recv({ flags: 'A', ack: 1 }).ts?.[1]).toBe(100);
  });

  test('7323-5 sharp 37 PAWS: an older timestamp is answered and dropped, a RST passes', () => {
    const connection = stamped();
    rig.send({ data: [1], options: TS(99, 0) });
    rig.recv({ flags: 'A', ack: 1 });
    expect(connection.readableBytes).toBe(0);
    rig.send({ flags: 'R', options: TS(50, 0) });
    expect(connection.state).toBe('CLOSED');
  });

  test('7323-5 after 24 days without a segment TS.Recent says nothing any more', () => {
    const connection = stamped();
    rig.advance(25 * 24 * 3600 * SECOND_NS);
    rig.send({ data: [1], options: TS(99, 0) });
    expect(connection.readableBytes).toBe(1);
  });

  test('7323-6 sharp 38 a segment without timestamps is dropped in silence, a RST is not', () => {
    const connection = stamped();
    rig.send({ data: [1] });
    rig.recvNothing();
    expect(connection.readableBytes).toBe(0);
    rig.send({ flags: 'R' });
    expect(connection.state).toBe('CLOSED');
  });
});

describe('urgent data', () => {
  test('9293-34 the user is told how far they go, and when they are over', () => {
    const connection = rig.accepted();
    rig.send({ flags: 'UA', data: [1, 2, 3, 4], urgent: 3 });
    expect(connection.urgentBytes).toBe(3);
    connection.read(2);
    expect(connection.urgentBytes).toBe(1);
    connection.read(2);
    expect(connection.urgentBytes).toBe(0);
  });
});

describe('numbers that wrap', () => {
  test('9293-36 sharp 1 sharp 2 sharp 3 SYN, data, hole, SACK and FIN cross 2^32', () => {
    rig.peerIss = 0xffff_fffe;
    const connection = rig.accepted({ sack: true, receiveBufferBytes: 1000 }, { options: [...MSS(1460), ...SACK_OK] });
    rig.send({ seq: 3, data: [3, 4, 5] });
    rig.recv({ flags: 'A', ack: 1, sack: [[3, 6]] });
    rig.send({ seq: 1001, data: [1] });
    rig.recv({ flags: 'A', ack: 1 });
    rig.send({ seq: 1000, data: [1] });
    expect(rig.recv({ flags: 'A', ack: 1 }).sack[0]).toEqual([1000, 1001]);
    rig.send({ seq: 1, data: [1, 2] });
    rig.recv({ flags: 'A', ack: 6 });
    expect(rig.read(connection)).toEqual([1, 2, 3, 4, 5]);
    rig.send({ seq: 6, data: octets(994) });
    rig.drain();
    rig.send({ seq: 1001, flags: 'FA' });
    rig.recv({ flags: 'A', ack: 1002 });
    expect(connection.state).toBe('CLOSE-WAIT');
  });
});

describe('resources', () => {
  const syn = (i: number) => {
    rig.peerPort = 2000 + i;
    rig.hostIss = 0;
    rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
  };

  test('sharp 40 when the SYN queue is full, a cookie is the ISN, and its ACK opens the connection', () => {
    rig.listen();
    for (let i = 0; i < 128; i++) syn(i);
    rig.drain();
    expect(rig.listener.handshakeCount).toBe(128);
    syn(500);
    rig.recv({ flags: 'SA', ack: 1 });
    expect(rig.listener.handshakeCount).toBe(128);
    rig.send({ seq: 1, ack: 1, data: [7] });
    const connection = rig.listener.accept(rig.user)!;
    expect(connection.remote.port).toBe(2500);
    connection.write(octets(10));
    rig.recv({ flags: 'PA', seq: 1, length: 10 });
    expect(rig.tcp.counters.synCookiesAccepted).toBe(1);
  });

  test('sharp 40 an ACK that is no cookie is answered by a reset', () => {
    rig.listen();
    for (let i = 0; i < 129; i++) syn(i);
    rig.drain();
    rig.peerPort = 9000;
    rig.send({ seq: 1, ack: 77 });
    rig.recv({ flags: 'R', seq: 77 });
  });

  test('sharp 40 when nobody accepts, further handshakes wait, and SYNs are not answered', () => {
    rig.listen({}, 1);
    syn(0);
    rig.drain();
    syn(1);
    const second = rig.next();
    expect(second.flags).toBe('SA');
    rig.send({});
    rig.peerPort = 2000;
    rig.hostIss = 0;
    expect(rig.listener.pendingCount).toBe(1);
    syn(2);
    rig.recvNothing();
    expect(rig.tcp.counters.acceptQueueOverflows).toBe(1);
  });

  test('sharp 40 closing a listener resets what nobody accepted, and gives all back', () => {
    rig.listen();
    syn(0);
    rig.drain();
    rig.send({});
    expect(rig.listener.pendingCount).toBe(1);
    rig.listener.close();
    expect(rig.drain().map(({ flags }) => flags)).toEqual(['RA']);
    expect(rig.tcp.connections()).toEqual([]);
    rig.expectNoLeak();
  });
});
