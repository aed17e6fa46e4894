/** Losses between two hosts: how many round trips their repair takes, and how often the window is cut. */
import { describe, expect, test } from 'vitest';
import type { TcpOptions } from '../../../../../../kernel/net/tcp/user.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { MSS, octets, TcpRig } from '../../../../../support/tcp-rig.ts';
import { established, TcpWire, type WireSegment } from '../../../../../support/tcp-wire.ts';

const DELAY_NS = 50_000_000;
const ROUND_TRIP_NS = 2 * DELAY_NS;
const MSS_BYTES = 1000;

/** A connection whose window of `flight` segments is open, and what goes over its link from then on. */
function open(flight: number, options: Partial<TcpOptions>) {
  const pair = new TcpPair('recovery', { delayNs: DELAY_NS });
  const both = { mss: MSS_BYTES, timestamps: false, noDelay: true, sendBufferBytes: 1_000_000, ...options };
  const { client, server } = established(pair, both, { ...both, receiveBufferBytes: 1_000_000 });
  while (client.info().cwnd < flight * MSS_BYTES) {
    client.write(octets(MSS_BYTES));
    pair.run(0.5 * SECOND_NS);
  }
  const wire = new TcpWire(pair);
  const first = client.block.sndMax >>> 0;
  client.write(octets(flight * MSS_BYTES));
  return { pair, client, server, wire, first };
}

/** Which of the segments from `first` on this is, 0 for the first. */
const index = (segment: WireSegment, first: number): number => ((segment.seq - first) | 0) / MSS_BYTES;

/** Segments 0, 3 and 6 of twelve are lost once. When each was sent again, in round trips since the flight went out. */
function threeLosses(options: Partial<TcpOptions>) {
  const { pair, client, server, wire, first } = open(12, options);
  const lost = new Set<number>();
  wire.lose = segment => {
    const which = segment.from === 0 ? index(segment, first) : -1;
    if (![0, 3, 6].includes(which) || lost.has(which)) return false;
    lost.add(which);
    return true;
  };
  const fromNs = pair.nowNs();
  const before = client.info();
  pair.run(3 * SECOND_NS, () => client.info().unacked === 0);
  const sentAgain = wire.segments
    .filter(({ from, dataBytes, timeNs }) => from === 0 && dataBytes > 0 && timeNs > fromNs)
    .map(segment => [index(segment, first), Math.floor((segment.timeNs - fromNs) / ROUND_TRIP_NS)]);
  expect(server.readableBytes).toBeGreaterThanOrEqual(12 * MSS_BYTES);
  expect(pair.client.net.tcp.counters).toMatchObject({ timeouts: 0, fastRetransmits: 1 });
  return { sentAgain, before, after: client.info() };
}

describe('three losses in one window', () => {
  test('sharp 33 NewReno repairs one hole a round trip, and cuts the window once', () => {
    const { sentAgain, after } = threeLosses({ sack: false });
    expect(sentAgain).toEqual([
      [0, 1],
      [3, 2],
      [6, 3],
    ]);
    expect(after).toMatchObject({ recovery: 'open', ssthresh: 6 * MSS_BYTES, retransmits: 3 });
  });

  test('sharp 33 SACK repairs all of them in one round trip, with the same cut', () => {
    const { sentAgain, after } = threeLosses({ sack: true });
    expect(sentAgain).toEqual([
      [0, 1],
      [3, 1],
      [6, 1],
    ]);
    expect(after).toMatchObject({ recovery: 'open', ssthresh: 6 * MSS_BYTES, retransmits: 3 });
  });

  test('sharp 33 with CUBIC the cut is to 0.7, and it too is one', () => {
    const { after } = threeLosses({ sack: true, congestion: 'cubic' });
    expect(after).toMatchObject({ ssthresh: 8400, retransmits: 3 });
  });
});

test('sharp 34 after a timeout repairs the flight, the duplicates that it causes start no fast retransmit', () => {
  const { pair, client, wire } = open(8, { sack: false });
  // The receiver gets all; all of its ACKs are lost until the timer fires.
  wire.lose = ({ from }) => from === 1;
  pair.run(1.01 * SECOND_NS);
  wire.lose = () => false;
  pair.run(3 * SECOND_NS);
  expect(pair.client.net.tcp.counters).toMatchObject({ timeouts: 1, fastRetransmits: 0 });
  expect(client.info()).toMatchObject({ recovery: 'open', unacked: 0 });
});

describe('reordering', () => {
  /** The first of eight segments comes `distance` others later. */
  function overtaken(distance: number, sack: boolean) {
    const { pair, client, wire, first } = open(8, { sack });
    let held: Uint8Array | null = null;
    let passed = 0;
    wire.lose = segment => {
      if (segment.from === 1 || segment.dataBytes === 0) return false;
      if (index(segment, first) === 0 && held === null) {
        held = segment.frame;
        return true;
      }
      passed += 1;
      return false;
    };
    const { server } = pair;
    const arrived = server.inject.bind(server);
    let seen = 0;
    server.inject = frame => {
      arrived(frame);
      seen += 1;
      if (seen === distance && held !== null) arrived(held);
    };
    pair.run(3 * SECOND_NS, () => client.info().unacked === 0);
    expect(passed).toBeGreaterThanOrEqual(7);
    return { fast: pair.client.net.tcp.counters.fastRetransmits, after: client.info() };
  }

  test.each([false, true])('sharp 35 by two places retransmits nothing (SACK: %s)', sack => {
    expect(overtaken(2, sack)).toMatchObject({ fast: 0, after: { retransmits: 0, recovery: 'open', unacked: 0 } });
  });

  test('sharp 35 by three places looks like a loss, and costs one segment', () => {
    expect(overtaken(3, true)).toMatchObject({ fast: 1, after: { retransmits: 1, recovery: 'open', unacked: 0 } });
  });
});

test('sharp 35 limited transmit with a window of two segments: the loss is found without waiting for the timer', () => {
  const rig = new TcpRig();
  // A lost SYN has brought the initial window down to one segment.
  const connection = rig.connect({ sendBufferBytes: 100_000 });
  rig.recv({ flags: 'S' });
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'S' });
  rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1000) });
  rig.recv({ flags: 'A', seq: 1 });
  connection.write(octets(11_000));
  rig.recv({ seq: 1, length: 1000 });
  rig.send({ ack: 1001 });
  expect(connection.info().cwnd).toBe(2000);
  rig.recv({ seq: 1001, length: 1000 });
  rig.recv({ seq: 2001, length: 1000 });
  // The first of these is lost. The second, and a new segment for each of its duplicates, make three.
  rig.send({ ack: 1001 });
  rig.recv({ seq: 3001, length: 1000 });
  rig.send({ ack: 1001 });
  rig.recv({ seq: 4001, length: 1000 });
  rig.send({ ack: 1001 });
  rig.recv({ seq: 1001, length: 1000 });
  expect(connection.info()).toMatchObject({ recovery: 'recovery', ssthresh: 2000 });
});
