/** Segments out of order, twice, overlapping, and from before the numbers wrapped. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../../kernel/net/tcp/connection.ts';
import type { TcpOptions } from '../../../../../../kernel/net/tcp/user.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { MSS, octets, SACK_OK, type SegmentFields, TcpRig, TS } from '../../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** Another connection to the same host: cheaper than another host. */
function another(options: Partial<TcpOptions> = {}, syn: Partial<SegmentFields> = {}): TcpConnection {
  rig.peerPort += 1;
  rig.hostIss = 0;
  return rig.accepted(options, syn);
}

const orders = (items: readonly number[]): number[][] =>
  items.length === 0 ? [[]] : items.flatMap(i => orders(items.filter(j => j !== i)).map(rest => [i, ...rest]));

/** Start and length of five segments. In each set all octets from 0 to 50 are in at least one of them. */
const SEGMENTS: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
  [
    'that touch',
    [
      [0, 10],
      [10, 10],
      [20, 10],
      [30, 10],
      [40, 10],
    ],
  ],
  [
    'each of which overlaps the next by half',
    [
      [0, 16],
      [8, 16],
      [16, 16],
      [24, 16],
      [32, 18],
    ],
  ],
  [
    'one of which holds all others',
    [
      [5, 10],
      [0, 50],
      [20, 5],
      [30, 20],
      [2, 44],
    ],
  ],
  [
    'two of which are the same',
    [
      [0, 20],
      [20, 10],
      [20, 10],
      [25, 20],
      [40, 10],
    ],
  ],
  [
    'of a single octet, or all but one',
    [
      [0, 1],
      [1, 49],
      [49, 1],
      [0, 49],
      [25, 1],
    ],
  ],
];

describe('all 120 orders of five segments', () => {
  test.each(SEGMENTS)('sharp 36 %s: the octets are delivered once, in order', (_, segments) => {
    rig.listen({ sack: true });
    for (const order of orders([0, 1, 2, 3, 4])) {
      const connection = another({}, { options: [...MSS(1460), ...SACK_OK] });
      const read: number[] = [];
      for (const i of order) {
        const [start, length] = segments[i]!;
        rig.send({ seq: 1 + start, data: octets(length, start) });
        read.push(...rig.read(connection, 7));
      }
      read.push(...rig.read(connection));
      expect(read).toEqual([...octets(50)]);
      rig.advance(SECOND_NS);
      const last = rig.drain().at(-1)!;
      expect(last.ack).toBe(51);
      // What is below the ACK is a D-SACK.
      expect(last.sack.every(([, end]) => end <= 51)).toBe(true);
      expect(connection.info().outOfOrder).toBe(0);
    }
  });

  test('sharp 36 a FIN in any place is processed after all octets, once', () => {
    for (const order of orders([0, 1, 2, 3, 4])) {
      const connection = another();
      for (const i of order) rig.send({ seq: 1 + 10 * i, flags: i === 4 ? 'FA' : 'A', data: octets(10, 10 * i) });
      expect(connection.state).toBe('CLOSE-WAIT');
      expect(rig.drain().at(-1)).toMatchObject({ ack: 52 });
      expect(rig.read(connection)).toEqual([...octets(50)]);
    }
  });
});

test('sharp 36 of conflicting overlaps the first copy of each octet is kept, whichever side it comes from', () => {
  const connection = rig.accepted();
  rig.send({ seq: 11, data: new Array(10).fill(1) });
  rig.send({ seq: 6, data: new Array(10).fill(2) });
  rig.send({ seq: 16, data: new Array(10).fill(3) });
  rig.send({ seq: 1, data: new Array(30).fill(4) });
  rig.send({ seq: 1, data: new Array(30).fill(5) });
  const runs = [
    [4, 5],
    [2, 5],
    [1, 10],
    [3, 5],
    [4, 5],
  ];
  expect(rig.read(connection)).toEqual(runs.flatMap(([octet, count]) => new Array<number>(count!).fill(octet!)));
});

test('sharp 36 more holes than there is room for: the segment is dropped, and all comes right in the end', () => {
  const connection = rig.accepted();
  for (let i = 0; i < 400; i++) rig.send({ seq: 2 + 2 * i, data: octets(1, 1 + 2 * i) });
  expect(connection.info().outOfOrder).toBe(256);
  rig.drain();
  for (let i = 0; i < 801; i += 3) rig.send({ seq: 1 + i, data: octets(3, i) });
  rig.advance(SECOND_NS);
  expect(rig.drain().at(-1)).toMatchObject({ ack: 802 });
  expect(rig.read(connection)).toEqual([...octets(801)]);
});

describe('PAWS', () => {
  /** The peer's clock stands at `clock`. */
  function stamped(clock: number): TcpConnection {
    rig.listen({ timestamps: true, receiveBufferBytes: 1_000_000 });
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(clock, 0)] });
    rig.recv({ flags: 'SA' });
    rig.send({ options: TS(clock, 0) });
    return rig.listener.accept(rig.user)!;
  }

  test('sharp 37 a duplicate that was delayed until the numbers had wrapped is dropped by its timestamp', () => {
    const connection = stamped(1000);
    const old = { seq: 1001, data: octets(10, 1000), options: TS(1000, 0) };
    // Four gigabytes later the numbers are the same, and the duplicate lies in the window: only its clock gives it away.
    rig.send({ seq: 1, data: octets(1000), options: TS(2000, 0) });
    rig.send(old);
    rig.drain();
    expect(rig.read(connection)).toEqual([...octets(1000)]);
    rig.send({ seq: 1001, data: octets(10, 5), options: TS(2001, 0) });
    expect(rig.read(connection)).toEqual([...octets(10, 5)]);
    expect(rig.tcp.counters.pawsRejected).toBe(1);
  });

  test('sharp 37 timestamps wrap too: what is later across the wrap is not older', () => {
    const connection = stamped(-5);
    [-1, 0, 7].forEach((clock, i) => {
      rig.send({ seq: 1 + 10 * i, data: octets(10, 10 * i), options: TS(clock, 0) });
      rig.advance(SECOND_NS);
      expect(rig.recv({ flags: 'A', ack: 11 + 10 * i }).ts?.[1]).toBe(clock >>> 0);
    });
    rig.send({ seq: 31, data: octets(10, 30), options: TS(-1, 0) });
    rig.recv({ flags: 'A', ack: 31 });
    expect(rig.read(connection)).toEqual([...octets(30)]);
  });

  test('sharp 37 a segment behind a hole, and one from before the window, leave TS.Recent alone', () => {
    const connection = stamped(1000);
    rig.send({ seq: 11, data: octets(10, 10), options: TS(3000, 0) });
    expect(rig.recv({ flags: 'A', ack: 1 }).ts?.[1]).toBe(1000);
    // Sent before that one, but not too old: the hole is filled.
    rig.send({ seq: 1, data: octets(10), options: TS(2000, 0) });
    expect(rig.recv({ flags: 'A', ack: 21 }).ts?.[1]).toBe(2000);
    expect(rig.read(connection)).toEqual([...octets(20)]);
  });
});
