/** The retransmission timer: RFC 6298, and what RFC 9293 asks of it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { RttEstimator } from '../../../../../kernel/net/tcp/rto.ts';
import { SECOND_NS } from '../../../../support/net-rig.ts';
import { MSS, octets, TcpRig } from '../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

const ms = (n: number): number => n * 1_000_000;

/** When segments come out during `ns`, in milliseconds from now, looked at every `stepMs`. */
function timesMs(ns: number, stepMs = 1): number[] {
  const times: number[] = [];
  for (let passed = ms(stepMs); passed <= ns; passed += ms(stepMs)) {
    rig.advance(ms(stepMs));
    for (const _ of rig.drain()) times.push(passed / ms(1));
  }
  return times;
}

describe('the estimator', () => {
  test('6298-1 before any sample the RTO is 1 s; the first sets SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR', () => {
    const rtt = new RttEstimator();
    expect(rtt.timeoutNs()).toBe(SECOND_NS);
    rtt.sample(ms(600));
    expect(rtt).toMatchObject({ srttNs: ms(600), rttvarNs: ms(300) });
    expect(rtt.timeoutNs()).toBe(ms(1800));
  });

  test('6298-2 RTTVAR changes by the old SRTT, and only then SRTT', () => {
    const rtt = new RttEstimator();
    rtt.sample(ms(800));
    rtt.sample(ms(1600));
    // Against the new SRTT the difference would be 700 ms.
    expect(rtt).toMatchObject({
      rttvarNs: 0.75 * ms(400) + 0.25 * ms(800),
      srttNs: 0.875 * ms(800) + 0.125 * ms(1600),
    });
    expect(rtt.timeoutNs()).toBe(ms(900) + 4 * ms(500));
  });

  test('6298-3 the RTO is 1 s at least and 60 s at most, the latter after any number of expiries', () => {
    const rtt = new RttEstimator();
    for (let i = 0; i < 100; i++) rtt.sample(1000);
    expect(rtt.timeoutNs()).toBe(SECOND_NS);
    rtt.backoff = 5000;
    expect(rtt.timeoutNs()).toBe(60 * SECOND_NS);
    rtt.sample(100 * SECOND_NS);
    expect(rtt.timeoutNs()).toBe(60 * SECOND_NS);
  });
});

test('what BSD calls slop is added to every timeout that was measured, and the least one is without it', () => {
  const rtt = new RttEstimator(0.03 * SECOND_NS, 100, 0.2 * SECOND_NS);
  expect(rtt.timeoutNs()).toBe(SECOND_NS);
  rtt.sample(0.1 * SECOND_NS);
  expect(rtt.timeoutNs()).toBe(0.5 * SECOND_NS);
  for (let i = 0; i < 60; i++) rtt.sample(1000);
  expect(rtt.timeoutNs()).toBeGreaterThan(0.2 * SECOND_NS);
  expect(rtt.timeoutNs()).toBeLessThan(0.21 * SECOND_NS);
});

describe('a SYN', () => {
  test('is sent again after as many equal timeouts as the options say, and given up when it is time', () => {
    const connection = rig.connect({ synLinearTimeouts: 2, openTimeoutNs: 8 * SECOND_NS });
    const times: number[] = [];
    for (let second = 0; second <= 9; second++) {
      for (const _ of rig.drain()) times.push(second);
      if (second < 8) expect(connection.state).toBe('SYN-SENT');
      rig.advance(SECOND_NS);
    }
    expect(times).toEqual([0, 1, 2, 3, 5]);
    expect([connection.state, connection.takeError()?.code]).toEqual(['CLOSED', 'ETIMEDOUT']);
  });

  test('SYN,ACK has a number of retransmissions of its own', () => {
    rig.listen({ synRetries: 9, synAckRetries: 2 });
    rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    rig.advance(60 * SECOND_NS);
    expect(rig.drain().map(({ flags }) => flags)).toEqual(['SA', 'SA', 'SA']);
    expect(rig.listener.handshakeCount).toBe(0);
  });

  test('6298-1 6298-3 6298-6 is sent again after 1 s, then at doubled intervals up to 60 s', () => {
    rig.connect();
    rig.recv({ flags: 'S' });
    expect(timesMs(124 * SECOND_NS, 100)).toEqual([1, 3, 7, 15, 31, 63, 123].map(seconds => 1000 * seconds));
  });

  test('9293-27 may be given up earlier, if the user says so', () => {
    const connection = rig.connect({ userTimeoutNs: 4 * SECOND_NS });
    rig.recv({ flags: 'S' });
    rig.advance(4 * SECOND_NS - ms(1));
    expect(connection.state).toBe('SYN-SENT');
    rig.advance(ms(2));
    expect(connection.takeError()?.code).toBe('ETIMEDOUT');
  });

  test('5681-1 6298-7 with its ACK lost leaves the passive side with one segment and 3 s, too', () => {
    rig.listen();
    rig.send({ flags: 'S', seq: 0, options: MSS(1000) });
    rig.recv({ flags: 'SA' });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'SA' });
    rig.send({ flags: 'A' });
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(5000));
    expect(rig.drain().map(({ data }) => data.length)).toEqual([1000]);
    expect(timesMs(4 * SECOND_NS)).toEqual([3000]);
  });
});

describe('the timer', () => {
  test('6298-5 runs from the first segment in flight: a second one does not start it again', () => {
    const connection = rig.accepted({ noDelay: true });
    connection.write(octets(10));
    rig.advance(ms(700));
    connection.write(octets(10));
    expect(rig.drain().length).toBe(2);
    expect(timesMs(ms(400))).toEqual([300]);
  });

  test('6298-5 is idle when nothing is in flight, and starts with the next segment', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    rig.drain();
    rig.advance(ms(900));
    rig.send({ ack: 11 });
    expect(timesMs(10 * SECOND_NS)).toEqual([]);
    connection.write(octets(10));
    rig.drain();
    // SRTT 112.5 ms, RTTVAR 225 ms: 1012.5 ms.
    expect(timesMs(2 * SECOND_NS)).toEqual([1013]);
  });

  test('6298-6 sends the earliest segment alone, however many are in flight', () => {
    const connection = rig.accepted({}, { options: MSS(1000) });
    connection.write(octets(4000));
    expect(rig.drain().length).toBe(4);
    rig.advance(SECOND_NS);
    rig.recv({ seq: 1, length: 1000 });
    rig.recvNothing();
  });

  test('9293-26 samples, backoff, Karn, slow start and congestion avoidance work together', () => {
    const connection = rig.accepted({ sendBufferBytes: 1_000_000 }, { options: MSS(1000) });
    connection.write(octets(100_000));
    expect(rig.drain().length).toBe(4);
    // Samples: of 200 ms. Slow start: each ACK of a segment lets two go.
    rig.advance(ms(200));
    rig.send({ ack: 1001 });
    rig.recv({ seq: 4001, length: 1000 });
    rig.recv({ seq: 5001, length: 1000 });
    expect(connection.info()).toMatchObject({ srttNs: ms(25), cwnd: 5000 });
    // Backoff: 1 s, then 2 s. Half of the 5 in flight is more than two segments; then one at a time.
    expect(timesMs(3 * SECOND_NS)).toEqual([1000, 3000]);
    expect(connection.info()).toMatchObject({ ssthresh: 2500, cwnd: 1000, backoff: 2 });
    // Karn: the ACK of what was sent three times says nothing of the path, and the RTO stays doubled.
    rig.send({ ack: 2001 });
    expect(connection.info()).toMatchObject({ srttNs: ms(25), rtoNs: 4 * SECOND_NS, cwnd: 2000 });
    rig.send({ ack: 3001 });
    // Congestion avoidance from ssthresh on: a segment for a whole window of ACKs.
    const before = connection.info().cwnd;
    expect(before).toBe(3000);
    for (const ack of [4001, 5001]) rig.send({ ack });
    expect(connection.info().cwnd).toBe(before);
    rig.send({ ack: 6001 });
    expect(connection.info().cwnd).toBe(before + 1000);
    rig.drain();
  });
});

describe('9293-28 keep-alive', () => {
  test('is off at a socket, and waits for two hours of silence once it is on', () => {
    const { sockets } = rig.net;
    const socket = sockets.socket('tcp');
    expect(socket.getsockopt('SO_KEEPALIVE')).toBe(false);
    socket.setsockopt('SO_KEEPALIVE', true);
    expect(socket.getsockopt('TCP_KEEPIDLE')).toBeGreaterThanOrEqual(7200 * SECOND_NS);
    expect(socket.getsockopt('TCP_KEEPCNT')).toBeGreaterThan(1);
  });

  test('sends no probe while data are in flight: the retransmission timer sees to these', () => {
    const keepAlive = { idleNs: 10 * SECOND_NS, intervalNs: SECOND_NS, count: 2 };
    const connection = rig.accepted({ keepAlive, userTimeoutNs: 1000 * SECOND_NS });
    connection.write(octets(10));
    rig.advance(60 * SECOND_NS);
    expect(rig.drain().every(({ data }) => data.length === 10)).toBe(true);
    expect(connection.state).toBe('ESTABLISHED');
  });
});
