/** How losses are found and repaired: RFC 5681, RFC 6582, RFC 2018. Segments have 1000 octets. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { congestionControl } from '../../../../../kernel/net/tcp/congestion/algorithms.ts';
import type { TcpConnection } from '../../../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../../../support/net-rig.ts';
import { MSS, octets, SACK_OK, sackOf, TcpRig } from '../../../../support/tcp-rig.ts';

/** A dialogue takes some tens of milliseconds. */
const FEW = { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 4) };

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** `count` segments in flight, the congestion window opened by earlier ones; numbers start at 1 again. */
function flying(count: number, options = {}, syn = {}): TcpConnection {
  const connection = rig.accepted({ sendBufferBytes: 1_000_000, ...options }, { options: MSS(1000), ...syn });
  let una = 1;
  while (connection.info().cwnd < count * 1000) {
    connection.write(octets(1000));
    rig.drain();
    una += 1000;
    rig.send({ ack: una });
  }
  rig.hostIss += una - 1;
  connection.write(octets(count * 1000));
  expect(rig.drain().length).toBe(count);
  return connection;
}

const numbers = (): number[] => rig.drain().map(({ seq }) => seq);
function duplicates(count: number, ack = 1): void {
  for (let i = 0; i < count; i++) rig.send({ ack });
}

describe('RFC 5681', () => {
  test('5681-1 segments of more than 2190 octets: the initial window is two of them', () => {
    for (const [mss, window] of [
      [9000, 18_000],
      [2191, 4382],
      [2190, 6570],
      [1096, 3288],
      [1095, 4380],
    ] as const) {
      const control = congestionControl('newreno');
      control.setMss(mss);
      control.begin(false);
      expect(control.cwnd).toBe(window);
    }
  });

  test('5681-5 three duplicates and no less; the window is inflated by each further one and lets new segments go', () => {
    const connection = flying(8);
    connection.write(octets(8000));
    duplicates(2);
    // Limited transmit.
    expect(numbers()).toEqual([8001, 9001]);
    expect(connection.info()).toMatchObject({ recovery: 'open', cwnd: 8000 });
    duplicates(1);
    expect(numbers()).toEqual([1]);
    expect(connection.info()).toMatchObject({ recovery: 'recovery', ssthresh: 4000, cwnd: 7000 });
    duplicates(3);
    // Ten are in flight: the window is 10000 after the third.
    expect(numbers()).toEqual([]);
    duplicates(2);
    expect(numbers()).toEqual([10_001, 11_001]);
    rig.send({ ack: 10_001 });
    expect(connection.info()).toMatchObject({ recovery: 'open', cwnd: 3000 });
  });

  test('5681-6 a FIN is no duplicate, and neither is anything while nothing is outstanding', () => {
    const connection = flying(4);
    rig.send({ ack: 4001 });
    duplicates(5, 4001);
    connection.write(octets(4000));
    expect(numbers()).toEqual([4001, 5001, 6001, 7001]);
    duplicates(2, 4001);
    rig.send({ ack: 4001, flags: 'FA' });
    expect(numbers()).not.toContain(4001);
    expect(connection.info().recovery).toBe('open');
  });

  test('5681-8 what fills a gap only in part is acknowledged at once, too', () => {
    rig.accepted();
    rig.send({ seq: 101, data: octets(10) });
    rig.send({ seq: 201, data: octets(10) });
    rig.drain();
    rig.send({ seq: 1, data: octets(50) });
    rig.recv({ flags: 'A', ack: 51 });
    rig.send({ seq: 51, data: octets(50) });
    rig.recv({ flags: 'A', ack: 111 });
  });

  test('5681-9 a window that is smaller than the initial one stays as it is after idle time', () => {
    const connection = flying(4);
    rig.advance(SECOND_NS);
    rig.send({ ack: 4001 });
    const { cwnd } = connection.info();
    expect(cwnd).toBeLessThan(4000);
    rig.drain();
    rig.advance(10 * SECOND_NS);
    connection.write(octets(10_000));
    expect(connection.info().cwnd).toBe(cwnd);
    expect(rig.drain().length).toBe(cwnd / 1000);
  });
});

describe('RFC 6582', () => {
  test('6582-1 duplicates of an ACK up to the mark do not start it again, those of one beyond do', () => {
    const connection = flying(8);
    connection.write(octets(20_000));
    duplicates(3);
    const highest = rig.drain().reduce((end, { seq, data }) => Math.max(end, seq + data.length), 0);
    rig.send({ ack: highest });
    expect(connection.info().recovery).toBe('open');
    rig.drain();
    const { ssthresh } = connection.info();
    duplicates(6, highest);
    expect(numbers()).not.toContain(highest);
    expect(connection.info()).toMatchObject({ recovery: 'open', ssthresh });
    rig.send({ ack: highest + 1000 });
    rig.drain();
    duplicates(3, highest + 1000);
    expect(numbers()).toContain(highest + 1000);
    expect(connection.info().recovery).toBe('recovery');
  });

  test('6582-2 a partial ACK takes what it acknowledges from the window, and gives one segment back', () => {
    const connection = flying(8);
    duplicates(3);
    expect(connection.info().cwnd).toBe(7000);
    rig.drain();
    rig.send({ ack: 3001 });
    expect(connection.info().cwnd).toBe(7000 - 3000 + 1000);
    expect(numbers()).toEqual([3001]);
    rig.send({ ack: 4001 });
    expect(connection.info().cwnd).toBe(5000 - 1000 + 1000);
    expect(numbers()).toEqual([4001]);
  });

  test('6582-3 a full ACK leaves the window at ssthresh, or at what is in flight and one more if that is less', () => {
    const connection = flying(8);
    duplicates(3);
    expect(connection.info().ssthresh).toBe(4000);
    rig.send({ ack: 8001 });
    expect(connection.info()).toMatchObject({ recovery: 'open', cwnd: 2000 });
    rig = new TcpRig();
    const other = flying(8);
    other.write(octets(20_000));
    duplicates(8);
    const { unacked } = other.info();
    expect(unacked).toBeGreaterThanOrEqual(12_000);
    // The mark is at 10001, for limited transmit has sent two more before.
    rig.send({ ack: 10_001 });
    expect(other.info()).toMatchObject({ recovery: 'open', cwnd: Math.min(4000, unacked - 10_000 + 1000) });
  });

  test('6582-4 a timeout in recovery leaves it, and the mark is at what was sent by then', () => {
    const connection = flying(8);
    duplicates(3);
    expect(connection.info().recovery).toBe('recovery');
    rig.drain();
    rig.advance(SECOND_NS);
    expect(connection.info()).toMatchObject({ recovery: 'loss', cwnd: 1000 });
    expect(numbers()).toEqual([1]);
    rig.send({ ack: 5001 });
    rig.drain();
    duplicates(5, 5001);
    expect(connection.info().recovery).toBe('loss');
    rig.send({ ack: 8001 });
    expect(connection.info().recovery).toBe('open');
  });
});

describe('RFC 2018', () => {
  const withSack = { options: [...MSS(1000), ...SACK_OK] };

  test('2018-4 what was SACKed is not sent again, and not given up before it is acknowledged', () => {
    const connection = flying(10, { sack: true }, withSack);
    for (const end of [3001, 4001, 5001, 6001]) rig.send({ ack: 1, options: sackOf(rig, [2001, end], [8001, 9001]) });
    // Two holes that are lost, and one of which that is not sure yet.
    expect(numbers().filter(seq => seq < 10_001)).toEqual([1, 1001]);
    expect(connection.info()).toMatchObject({ sacked: 5000, unacked: 10_000 });
    expect(connection.unacknowledgedBytes).toBe(10_000);
    rig.advance(SECOND_NS);
    // The timer does not trust the marks: the peer may have reneged.
    expect(connection.info().sacked).toBe(0);
    rig.drain();
    for (const ack of [1001, 2001, 3001, 4001]) rig.send({ ack });
    expect(numbers()).toContain(4001);
  });

  test('2018-3 2018-2 blocks lie above the ACK and in the window, do not touch, and the first has the latest segment', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ seq: fc.integer({ min: 1, max: 900 }), length: fc.integer({ min: 1, max: 60 }) }), {
          maxLength: 20,
        }),
        segments => {
          rig = new TcpRig();
          rig.accepted({ sack: true, receiveBufferBytes: 1000 }, { options: [...MSS(1460), ...SACK_OK] });
          const arrived = new Set<number>();
          for (const { seq, length } of segments) {
            const fresh = Array.from({ length }, (_, i) => seq + i).some(each => !arrived.has(each));
            rig.send({ seq, data: octets(length) });
            for (let i = 0; i < length; i++) arrived.add(seq + i);
            const ack = rig.drain().at(-1);
            if (ack === undefined || ack.sack.length === 0) continue;
            // A D-SACK comes first, for octets that had all arrived before.
            const blocks = fresh ? ack.sack : ack.sack.slice(1);
            if (!fresh) for (let at = ack.sack[0]![0]; at < ack.sack[0]![1]; at++) expect(arrived.has(at)).toBe(true);
            for (const [start, end] of blocks) {
              expect(start).toBeGreaterThan(ack.ack);
              expect(end).toBeLessThanOrEqual(ack.ack + ack.window);
              for (let at = start; at < end; at++) expect(arrived.has(at)).toBe(true);
              expect(arrived.has(start - 1) || arrived.has(end)).toBe(false);
            }
            if (fresh && seq > ack.ack) expect(blocks[0]![0] <= seq && seq + length <= blocks[0]![1]).toBe(true);
            expect(new Set(blocks.map(String)).size).toBe(blocks.length);
          }
        },
      ),
      FEW,
    );
  });
});
