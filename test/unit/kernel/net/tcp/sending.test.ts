/** What a sender does: segment size, windows, Nagle, probes, timeouts, fast retransmit and recovery. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../../../support/net-rig.ts';
import { MSS, octets, SACK_OK, type Sent, sackOf, TcpRig, TS } from '../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

const ms = (n: number): number => n * 1_000_000;
const sizes = (sent: readonly Sent[]): number[] => sent.map(({ data }) => data.length);
const numbers = (sent: readonly Sent[]): number[] => sent.map(({ seq }) => seq);

/** Segments of 1000 octets, `count` of them in flight, the congestion window opened by earlier ones. */
function flying(count: number, options = {}, syn = {}): TcpConnection {
  const connection = rig.accepted({ sendBufferBytes: 1_000_000, ...options }, { options: MSS(1000), ...syn });
  let una = 1;
  while (connection.info().cwnd < count * 1000) {
    connection.write(octets(1000));
    rig.drain();
    una += 1000;
    rig.send({ ack: una });
  }
  rig.peerIss += 0;
  rig.hostIss += una - 1;
  connection.write(octets(count * 1000));
  expect(rig.drain().length).toBe(count);
  return connection;
}

describe('segment size', () => {
  test.each([
    ['sharp 39 536 without an MSS option', { options: [] }, {}, 536],
    ['that of the MSS option', { options: MSS(700) }, {}, 700],
    ['what the MTU allows when the peer takes more', { options: MSS(9000) }, {}, 1460],
    ['sharp 38 an MSS of 0 is as good as none', { options: MSS(0) }, {}, 536],
    ['sharp 38 an MSS of 1 is not taken at its word', { options: MSS(1) }, {}, 64],
    ['less the 12 octets of timestamps', { options: [...MSS(1460), ...TS(1, 0)] }, { timestamps: true }, 1448],
  ])('9293-15 %s', (_, syn, options, size) => {
    rig.listen(options);
    rig.send({ flags: 'S', seq: 0, ...syn });
    rig.recv({ flags: 'SA' });
    const ts = 'timestamps' in options ? TS(2, 0) : [];
    rig.send({ options: ts });
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(5000));
    expect(rig.next().data.length).toBe(size);
  });

  test('9293-17 a window of 65535 is used to its last octet', () => {
    const connection = flying(10);
    connection.write(octets(200_000));
    rig.send({ ack: 10_001 });
    for (let i = 0; i < 70; i++) {
      const { seq, data } = rig.next();
      rig.send({ ack: seq + data.length });
    }
    expect(connection.info().unacked).toBeLessThanOrEqual(65_535);
    expect(connection.info().unacked).toBeGreaterThan(64_535);
  });
});

describe('the window of the peer', () => {
  test('9293-18 sharp 8 zero window probes begin after the RTO, and back off 1, 2, 4 ... 60 s, for ever', () => {
    const connection = rig.accepted({}, { window: 0 });
    connection.write(octets(10));
    rig.recvNothing();
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      rig.advance(seconds * SECOND_NS - ms(1));
      rig.recvNothing();
      rig.advance(ms(1));
      rig.recv({ flags: 'A', seq: 1, length: 1 });
      rig.send({ ack: 1, window: 0 });
    }
    for (let i = 0; i < 60; i++) {
      rig.advance(60 * SECOND_NS);
      rig.recv({ flags: 'A', seq: 1, length: 1 });
      rig.send({ ack: 1, window: 0 });
    }
    expect(connection.state).toBe('ESTABLISHED');
    rig.send({ ack: 1, window: 100 });
    rig.recv({ flags: 'PA', seq: 1, length: 10 });
  });

  test('9293-27 a peer that does not answer probes is given up', () => {
    const connection = rig.accepted({}, { window: 0 });
    connection.write(octets(10));
    rig.advance(200 * SECOND_NS);
    expect(connection.takeError()?.code).toBe('ETIMEDOUT');
  });

  test('sharp 7 a probe octet that was accepted is not sent twice', () => {
    const connection = rig.accepted({}, { window: 0 });
    connection.write(Uint8Array.of(1, 2, 3, 4));
    rig.advance(SECOND_NS);
    rig.recv({ seq: 1, data: [1] });
    rig.send({ ack: 2, window: 100 });
    rig.recv({ flags: 'PA', seq: 2, data: [2, 3, 4] });
  });

  test('9293-19 sharp 27 a window that shrinks below SND.NXT stops new data, and ends nothing', () => {
    const connection = rig.accepted({ noDelay: true });
    connection.write(octets(2920));
    expect(rig.drain().length).toBe(2);
    rig.send({ ack: 1, window: 1000 });
    connection.write(octets(100));
    rig.recvNothing();
    rig.advance(SECOND_NS);
    // Retransmitted inside of the window.
    rig.recv({ seq: 1, length: 1000 });
    rig.send({ ack: 2921, window: 5000 });
    rig.recv({ seq: 2921, length: 100, flags: 'PA' });
    expect(connection.state).toBe('ESTABLISHED');
  });

  test('9293-21 sharp 25 without Nagle a runt into a small window waits for the override timer', () => {
    const connection = rig.accepted({ noDelay: true }, { window: 5000 });
    connection.write(octets(5000));
    expect(sizes(rig.drain())).toEqual([1460, 1460, 1460]);
    rig.send({ ack: 4381, window: 620 });
    rig.recv({ seq: 4381, length: 620, flags: 'PA' });
    connection.write(octets(3000));
    rig.send({ ack: 5001, window: 100 });
    rig.recvNothing();
    rig.advance(ms(499));
    rig.recvNothing();
    rig.advance(ms(2));
    rig.recv({ seq: 5001, length: 100, flags: 'A' });
  });
});

describe('Nagle', () => {
  test('9293-21 a small segment waits while there is data in flight', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    rig.recv({ seq: 1, length: 10, flags: 'PA' });
    connection.write(octets(20));
    connection.write(octets(30));
    rig.recvNothing();
    rig.send({ ack: 11 });
    rig.recv({ seq: 11, length: 50, flags: 'PA' });
  });

  test('9293-21 TCP_NODELAY sends it at once', () => {
    const connection = rig.accepted({ noDelay: true });
    connection.write(octets(10));
    connection.write(octets(20));
    rig.recv({ seq: 1, length: 10, flags: 'PA' });
    rig.recv({ seq: 11, length: 20, flags: 'PA' });
  });

  test('sharp 26 write, write, read stalls for the delayed ACK of the peer, and not without Nagle', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    connection.write(octets(10));
    rig.recv({ seq: 1, length: 10, flags: 'PA' });
    rig.advance(ms(200));
    rig.recvNothing();
    connection.setOption('noDelay', true);
    rig.recv({ seq: 11, length: 10, flags: 'PA' });
  });

  test('9293-33 PSH is on the last segment of a write', () => {
    const connection = rig.accepted();
    connection.write(octets(3000));
    expect(rig.drain().map(({ flags }) => flags)).toEqual(['A', 'A']);
    rig.send({ ack: 2921 });
    rig.recv({ seq: 2921, length: 80, flags: 'PA' });
  });
});

describe('the retransmission timer', () => {
  test('6298-1 6298-2 6298-3 the RTO follows from the samples', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    rig.drain();
    rig.advance(ms(800));
    rig.send({ ack: 11 });
    // The handshake took no time: SRTT = 0, RTTVAR = 0; then 3/4*0 + 1/4*800 and 7/8*0 + 1/8*800.
    expect(connection.info()).toMatchObject({ rttvarNs: ms(200), srttNs: ms(100), rtoNs: SECOND_NS });
    connection.write(octets(10));
    rig.drain();
    rig.advance(ms(900));
    rig.send({ ack: 21 });
    const rttvarNs = 0.75 * ms(200) + 0.25 * ms(800);
    expect(connection.info()).toMatchObject({ rttvarNs, srttNs: ms(200), rtoNs: ms(200) + 4 * rttvarNs });
  });

  test('6298-1 the first sample sets SRTT = R and RTTVAR = R/2', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.advance(ms(400));
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1460) });
    expect(connection.info()).toMatchObject({ srttNs: ms(400), rttvarNs: ms(200), rtoNs: ms(1200) });
  });

  test('6298-6 sharp 31 each expiry sends the earliest segment and doubles the RTO', () => {
    const connection = rig.accepted({ noDelay: true });
    connection.write(octets(2920));
    expect(rig.drain().length).toBe(2);
    for (const seconds of [1, 2, 4, 8, 16]) {
      rig.advance(seconds * SECOND_NS - ms(1));
      rig.recvNothing();
      rig.advance(ms(1));
      rig.recv({ seq: 1, length: seconds >= 4 ? 536 : 1460 });
    }
    expect(connection.info().backoff).toBe(5);
  });

  test('6298-4 9293-26 sharp 31 Karn: no sample from what was sent twice', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    rig.advance(SECOND_NS);
    rig.drain();
    rig.advance(ms(700));
    rig.send({ ack: 11 });
    expect(connection.info()).toMatchObject({ srttNs: 0, backoff: 0, rtoNs: 2 * SECOND_NS });
  });

  test('6298-4 sharp 31 timestamps allow a sample all the same', () => {
    rig.listen({ timestamps: true });
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(5, 0)] });
    rig.recv({ flags: 'SA' });
    rig.send({ options: TS(6, 0) });
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(10));
    rig.drain();
    rig.advance(SECOND_NS);
    const again = rig.next();
    rig.advance(ms(300));
    rig.send({ ack: 11, options: TS(7, again.ts![0]) });
    expect(connection.info().srttNs).toBeCloseTo(ms(300) / 8, -6);
  });

  test('6298-5 sharp 32 an ACK of new data restarts the timer, one of all data stops it, a duplicate does neither', () => {
    const connection = rig.accepted({ noDelay: true });
    connection.write(octets(2920));
    rig.drain();
    rig.advance(ms(600));
    rig.send({ ack: 1461 });
    rig.advance(ms(600));
    rig.send({ ack: 1461 });
    rig.recvNothing();
    rig.advance(ms(400));
    rig.recv({ seq: 1461, length: 1460 });
    rig.send({ ack: 2921 });
    rig.advance(100 * SECOND_NS);
    rig.recvNothing();
  });

  test('6298-7 5681-1 after a SYN was lost the RTO is 3 s and the window one segment', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'S' });
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1000) });
    rig.drain();
    expect(connection.info()).toMatchObject({ rtoNs: 3 * SECOND_NS, cwnd: 1000 });
  });

  test('9293-27 data unanswered for R2 end the connection with ETIMEDOUT, R1 is told before', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    const before = rig.changes;
    rig.advance(8 * SECOND_NS);
    expect(rig.changes).toBeGreaterThan(before);
    expect(connection.state).toBe('ESTABLISHED');
    rig.advance(91 * SECOND_NS);
    expect(connection.state).toBe('ESTABLISHED');
    rig.advance(60 * SECOND_NS);
    expect(connection.takeError()?.code).toBe('ETIMEDOUT');
    expect(rig.drain().at(-1)?.flags).toBe('RA');
  });

  test('9293-27 the user timeout takes the place of R2', () => {
    const connection = rig.accepted({ userTimeoutNs: 5 * SECOND_NS });
    connection.write(octets(10));
    rig.advance(5 * SECOND_NS - ms(1));
    expect(connection.state).toBe('ESTABLISHED');
    rig.advance(ms(2));
    expect(connection.takeError()?.code).toBe('ETIMEDOUT');
  });
});

describe('keep-alive', () => {
  const keepAlive = { idleNs: 7200 * SECOND_NS, intervalNs: 75 * SECOND_NS, count: 3 };

  test('9293-28 it is off unless asked for', () => {
    rig.accepted();
    rig.advance(100_000 * SECOND_NS);
    rig.recvNothing();
  });

  test('9293-28 probes follow silence only, and several must be lost', () => {
    const connection = rig.accepted({ keepAlive });
    rig.advance(7000 * SECOND_NS);
    rig.send({ data: [1] });
    rig.advance(7100 * SECOND_NS);
    expect(rig.drain().length).toBe(1);
    rig.advance(101 * SECOND_NS);
    rig.recv({ flags: 'A', seq: 0, ack: 2 });
    rig.send({ seq: 2 });
    rig.advance(7201 * SECOND_NS);
    for (let i = 0; i < 3; i++) {
      rig.recv({ flags: 'A', seq: 0 });
      expect(connection.state).toBe('ESTABLISHED');
      rig.advance(75 * SECOND_NS);
    }
    expect(connection.takeError()?.code).toBe('ETIMEDOUT');
  });
});

describe('congestion control', () => {
  test.each([
    [536, 4],
    [1000, 4],
    [1460, 3],
  ])('5681-1 the initial window for an SMSS of %s is %s segments', (mss, segments) => {
    const connection = rig.accepted({}, { options: MSS(mss) });
    connection.write(octets(20_000));
    expect(rig.drain().length).toBe(segments);
  });

  test('5681-2 slow start: an ACK opens the window by what it acknowledges, at most by a segment', () => {
    const connection = rig.accepted({}, { options: MSS(1000) });
    connection.write(octets(100_000));
    rig.drain();
    rig.send({ ack: 1001 });
    expect(connection.info().cwnd).toBe(5000);
    rig.send({ ack: 3001 });
    expect(connection.info().cwnd).toBe(6000);
  });

  test('5681-2 5681-3 5681-4 after a timeout: ssthresh half of the flight, cwnd one segment, then a segment a round trip', () => {
    const connection = flying(8);
    rig.advance(SECOND_NS);
    expect(connection.info()).toMatchObject({ ssthresh: 4000, cwnd: 1000, recovery: 'loss' });
    rig.advance(2 * SECOND_NS);
    expect(connection.info().ssthresh).toBe(4000);
    rig.drain();
    for (const ack of [1001, 2001, 3001]) rig.send({ ack });
    expect(connection.info().cwnd).toBe(4000);
    for (const ack of [4001, 5001, 6001, 7001]) rig.send({ ack });
    expect(connection.info().cwnd).toBe(5000);
  });

  test('5681-5 three duplicates: retransmit, cwnd = ssthresh + 3, inflate, deflate', () => {
    const connection = flying(8);
    for (let i = 0; i < 3; i++) rig.send({ ack: 1 });
    expect(numbers(rig.drain())).toContain(1);
    expect(connection.info()).toMatchObject({ ssthresh: 4000, cwnd: 7000, recovery: 'recovery' });
    rig.send({ ack: 1 });
    expect(connection.info().cwnd).toBe(8000);
    rig.send({ ack: 8001 });
    expect(connection.info()).toMatchObject({ recovery: 'open' });
    expect(connection.info().cwnd).toBeLessThanOrEqual(4000);
  });

  test('5681-6 sharp 29 an ACK with data, or with another window, is no duplicate', () => {
    const connection = flying(8);
    rig.send({ ack: 1, data: [1] });
    rig.send({ seq: 2, ack: 1, data: [1] });
    for (const window of [60_000, 50_000, 40_000]) rig.send({ seq: 3, ack: 1, window });
    expect(connection.info().recovery).toBe('open');
    expect(numbers(rig.drain())).not.toContain(1);
  });

  test('5681-7 sharp 35 limited transmit: a new segment for each of the first two duplicates', () => {
    const connection = flying(4);
    connection.write(octets(5000));
    rig.recvNothing();
    rig.send({ ack: 1 });
    rig.recv({ seq: 4001, length: 1000 });
    rig.send({ ack: 1 });
    rig.recv({ seq: 5001, length: 1000 });
    expect(connection.info().recovery).toBe('open');
    rig.send({ ack: 1 });
    expect(numbers(rig.drain())[0]).toBe(1);
  });

  test('sharp 35 two duplicates from reordering retransmit nothing', () => {
    const connection = flying(4);
    rig.send({ ack: 1 });
    rig.send({ ack: 1 });
    rig.send({ ack: 4001 });
    expect(connection.info()).toMatchObject({ recovery: 'open' });
    rig.recvNothing();
  });

  test('5681-9 after more idle time than the RTO the window is the initial one again', () => {
    const connection = flying(20);
    rig.send({ ack: 20_001 });
    rig.advance(2 * SECOND_NS);
    connection.write(octets(20_000));
    expect(rig.drain().length).toBe(4);
  });
});

describe('NewReno', () => {
  test('6582-1 6582-2 6582-3 sharp 33 partial ACKs repair one hole each, with one cut, and restart the timer once', () => {
    const connection = flying(8);
    for (let i = 0; i < 5; i++) rig.send({ ack: 1 });
    expect(numbers(rig.drain())).toEqual([1]);
    const { ssthresh } = connection.info();
    rig.advance(ms(500));
    rig.send({ ack: 2001 });
    expect(numbers(rig.drain())).toEqual([2001]);
    rig.advance(ms(400));
    rig.send({ ack: 4001 });
    expect(numbers(rig.drain())).toEqual([4001]);
    expect(connection.info()).toMatchObject({ recovery: 'recovery', ssthresh });
    rig.send({ ack: 8001 });
    expect(connection.info()).toMatchObject({ recovery: 'open', ssthresh });
    expect(connection.info().cwnd).toBeLessThanOrEqual(ssthresh);
  });

  test('6582-2 only the first partial ACK restarts the timer', () => {
    flying(8);
    for (let i = 0; i < 3; i++) rig.send({ ack: 1 });
    rig.advance(ms(500));
    rig.send({ ack: 2001 });
    rig.advance(ms(500));
    rig.send({ ack: 3001 });
    rig.drain();
    rig.advance(ms(499));
    rig.recvNothing();
    rig.advance(ms(2));
    rig.recv({ seq: 3001, length: 1000 });
  });

  test('6582-4 sharp 34 duplicates after a timeout do not start fast retransmit', () => {
    const connection = flying(8);
    rig.advance(SECOND_NS);
    rig.recv({ seq: 1, length: 1000 });
    for (let i = 0; i < 5; i++) rig.send({ ack: 1 });
    rig.recvNothing();
    expect(connection.info()).toMatchObject({ recovery: 'loss', cwnd: 1000 });
  });

  test('Reno leaves recovery at the first new ACK', () => {
    const connection = flying(8, { congestion: 'reno' });
    for (let i = 0; i < 3; i++) rig.send({ ack: 1 });
    rig.send({ ack: 2001 });
    expect(connection.info().recovery).toBe('open');
  });
});

describe('SACK', () => {
  const sackFlying = (count: number) => flying(count, { sack: true }, { options: [...MSS(1000), ...SACK_OK] });
  const sack = (...blocks: (readonly [number, number])[]) => rig.send({ ack: 1, options: sackOf(rig, ...blocks) });

  test('2018-4 sharp 33 three losses in one window are repaired in one round trip, with one cut', () => {
    const connection = sackFlying(10);
    sack([1001, 2001]);
    sack([3001, 4001], [1001, 2001]);
    sack([5001, 6001], [3001, 4001], [1001, 2001]);
    sack([5001, 7001], [3001, 4001], [1001, 2001]);
    sack([5001, 8001], [3001, 4001], [1001, 2001]);
    sack([5001, 10001], [3001, 4001], [1001, 2001]);
    expect(numbers(rig.drain())).toEqual([1, 2001, 4001]);
    expect(connection.info()).toMatchObject({ ssthresh: 5000, recovery: 'recovery' });
    rig.send({ ack: 10_001 });
    expect(connection.info()).toMatchObject({ recovery: 'open', cwnd: 5000 });
    expect(connection.info().retransmits).toBe(3);
  });

  test('2018-4 the marks are forgotten at a timeout: the peer may have reneged', () => {
    const connection = sackFlying(10);
    sack([2001, 3001]);
    expect(connection.info().sacked).toBe(1000);
    rig.drain();
    rig.advance(SECOND_NS);
    expect(connection.info().sacked).toBe(0);
    rig.recv({ seq: 1, length: 1000 });
    rig.send({ ack: 2001 });
    expect(numbers(rig.drain())[0]).toBe(2001);
  });

  test('sharp 35 a retransmission that is lost too is found by the RTO', () => {
    const connection = sackFlying(10);
    sack([1001, 5001]);
    sack([1001, 6001]);
    sack([1001, 7001]);
    expect(numbers(rig.drain())[0]).toBe(1);
    rig.advance(SECOND_NS);
    rig.recv({ seq: 1, length: 1000 });
    expect(connection.info().recovery).toBe('loss');
  });

  test('blocks of what was never sent, or acknowledged already, change nothing', () => {
    const connection = sackFlying(4);
    sack([90_001, 95_001]);
    sack([-3000, -1000]);
    sack([3001, 2001]);
    expect(connection.info().sacked).toBe(0);
    rig.recvNothing();
  });
});

describe('path MTU', () => {
  const flight = () => {
    const connection = rig.accepted();
    connection.write(octets(2920));
    return { connection, about: rig.drain()[0]! };
  };

  test.each([
    ['the MTU of the next hop', 576, 576],
    ['0: the next plateau', 0, 1492],
    ['68', 68, 68],
  ])('sharp 39 ICMP 3/4 with %s', (_, word, mtu) => {
    const { connection, about } = flight();
    rig.sendIcmp(3, 4, word, about);
    expect(connection.info().pathMtu).toBe(mtu);
    expect(rig.next()).toMatchObject({ seq: 1 });
    expect(connection.info().sendMss).toBe(Math.max(28, mtu - 40));
  });

  test('sharp 39 a larger MTU than the present one is ignored, and so is one about a segment not in flight', () => {
    const { connection, about } = flight();
    rig.sendIcmp(3, 4, 5000, about);
    rig.send({ ack: 2921 });
    rig.sendIcmp(3, 4, 576, about);
    expect(connection.info().pathMtu).toBe(1500);
    rig.recvNothing();
  });

  test.each([
    [537, false, 536],
    [525, true, 524],
  ])('a black hole swallows one segment of %s octets, too, timestamps %s', (bytes, timestamps, first) => {
    rig.listen({ timestamps });
    const ts = timestamps ? TS(1, 0) : [];
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...ts] });
    rig.recv({ flags: 'SA' });
    rig.send({ options: ts });
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(bytes));
    expect(sizes(rig.drain())).toEqual([bytes]);
    rig.advance(7 * SECOND_NS);
    expect(sizes(rig.drain())).toEqual([bytes, bytes, first]);
    expect(connection.info().pathMtu).toBe(576);
  });

  test('a segment that every host can take is not held to be too long', () => {
    const connection = rig.accepted();
    connection.write(octets(536));
    rig.advance(8 * SECOND_NS);
    expect(connection.info().pathMtu).toBe(1500);
  });

  test('sharp 39 where full segments vanish without a word, shorter ones are tried', () => {
    const { connection } = flight();
    rig.advance(10 * SECOND_NS);
    expect(connection.info().pathMtu).toBe(576);
    expect(rig.drain().at(-1)?.data.length).toBe(536);
  });
});

test('9293-34 urgent data of any length: the pointer is to the octet after them', () => {
  const connection = rig.accepted({}, { window: 0 });
  connection.write(octets(100));
  connection.markUrgent();
  rig.send({ window: 5000 });
  expect(rig.recv({ flags: 'PAU', seq: 1, length: 100 }).urgent).toBe(100);
});
