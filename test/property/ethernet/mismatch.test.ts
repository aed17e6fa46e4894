/**
 * Duplex: both ends full, both half, and the mismatch that comes of forcing one end to full duplex while the other
 * negotiates. Clauses 4.1.4 and 28.2.3.1.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Frame } from '../../../hw/ethernet/frame.ts';
import { classify } from '../../../hw/ethernet/mac/receive.ts';
import { Prng } from '../../../hw/sim/prng.ts';
import { type Endpoint, forcedControl, frameOf, Pair } from '../../support/ethernet.ts';

const HEADER_BITS = 64;

/** `a` is forced to full duplex, `b` negotiates and so ends in half. */
function mismatched(speed: 10 | 100, metres = 10, seed = 'mismatch'): Pair {
  const pair = new Pair({ metres, seed });
  pair.a.phy.writeRegister(0, forcedControl(speed, true));
  pair.up();
  expect([pair.a.phy.link.fullDuplex, pair.b.phy.link.fullDuplex]).toEqual([true, false]);
  expect([pair.a.phy.link.speed, pair.b.phy.link.speed]).toEqual([speed, speed]);
  return pair;
}

/** Hands `frame` over at times with exponential gaps of `meanNs`. */
function poisson(pair: Pair, end: Endpoint, frame: Frame, meanNs: number, count: number): void {
  const prng = new Prng('poisson');
  let left = count;
  const gap = () => Math.max(1, Math.round(-Math.log(1 - prng.fraction()) * meanNs));
  const timer = pair.clock.timer(() => {
    end.send(frame);
    left -= 1;
    if (left > 0) timer.armIn(gap());
  });
  timer.armIn(gap());
}

/** Sends `frame` `count` times, back to back. */
function saturate(end: Endpoint, frame: Frame, count: number): void {
  let left = count - 1;
  const transmitted = end.transmitted.bind(end);
  end.transmitted = (sent, outcome) => {
    if (left > 0) end.queue.push(frame);
    left -= 1;
    transmitted(sent, outcome);
  };
  end.send(frame);
}

describe('duplex mismatch', () => {
  test.each([
    [1518, 100, 0.9506],
    [512, 200, 0.8571],
    [64, 500, 0.0952],
  ])(
    'half duplex saturated with %i octets, %i frames a second against it: a share of %f of its collisions is late',
    (bytes, rate, share) => {
      // A frame of the other end begins anywhere in frame and gap of this one, and is met at once if that is in the gap:
      // after an own frame carrier is ignored. It is late behind the slot time.
      expect((8 * (bytes + 8) - 512) / (8 * (bytes + 20))).toBeCloseTo(share, 4);
      const pair = mismatched(10);
      const { a: full, b: half } = pair;
      const seconds = 10;
      const frame = frameOf(64);
      saturate(half, frameOf(bytes), Math.ceil((seconds * 1.1e7) / (8 * (bytes + 20))));
      const fromNs = pair.clock.nowNs;
      poisson(pair, full, frame, 1e9 / rate, rate * seconds);
      pair.clock.run(fromNs + seconds * 1e9);
      const { counters } = half.mac;
      const deviation = Math.sqrt((share * (1 - share)) / counters.collisions);
      expect(Math.abs(counters.lateCollisions / counters.collisions - share)).toBeLessThan(5 * deviation);
      const through = half.arrivals.filter(arrival => classify(arrival.frame, 1518) === 'ok').length;
      // Whatever it is met by is lost: nearly all, since this end is hardly ever silent for a whole frame.
      expect(through / full.sent.length).toBeLessThan(0.01);
      // The full-duplex end neither defers nor collides. It sees one piece of a frame for each abort.
      expect(full.mac.counters).toMatchObject({ collisions: 0, lateCollisions: 0, deferredTransmissions: 0 });
      const broken = full.arrivals.filter(arrival => !arrival.frame.fcsGood).length;
      expect(broken).toBe(counters.collisions);
    },
  );

  test('each abort arrives as one fragment or FCS error, as long as what was sent and the jam', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(10 as const, 100 as const),
        fc.integer({ min: 64, max: 1518 }),
        fc.array(fc.record({ afterBits: fc.nat(8000), bytes: fc.integer({ min: 64, max: 600 }) }), { maxLength: 12 }),
        (speed, bytes, frames) => {
          const pair = mismatched(speed);
          const bitNs = 1000 / speed;
          const { a: full, b: half, cable } = pair;
          const aborted: number[] = [];
          const overlapped = new Set<Frame>();
          const halfSends: [number, number][] = [];
          const fullArrives: [Frame, number, number][] = [];
          cable.onFrame = (from, { frame, startNs, endNs, aborted: cut }) => {
            if (from === 1) {
              halfSends.push([startNs, endNs]);
              if (cut) aborted.push((endNs - startNs) / bitNs - HEADER_BITS);
            } else {
              fullArrives.push([frame, startNs + cable.delayNs, endNs + cable.delayNs]);
            }
          };
          saturate(half, frameOf(bytes), 20);
          for (const [i, { afterBits, bytes: length }] of frames.entries()) {
            pair.pass(afterBits * bitNs);
            full.send(frameOf(length, i + 1));
          }
          pair.pass(10e9);
          for (const [frame, from, to] of fullArrives) {
            if (halfSends.some(([start, end]) => start < to && end > from)) overlapped.add(frame);
          }
          const broken = full.arrivals.filter(({ frame }) => !frame.fcsGood);
          expect(broken.map(({ frame }) => 8 * frame.wireBytes + frame.errors.dribbleBits)).toEqual(aborted);
          for (const { frame } of broken) {
            expect(classify(frame, 1518)).toMatch(frame.wireBytes < 64 ? /fragment/ : /fcs|alignment/);
          }
          // What met an own transmission is lost there; everything else is delivered.
          const got = half.arrivals.map(({ frame }) => frame);
          const expected = fullArrives.map(([frame]) => frame).filter(frame => !overlapped.has(frame));
          expect(got).toEqual(expected);
          expect(half.mac.counters.framesOffered).toBe(20);
        },
      ),
    );
  });

  test('stays unseen while the ends take turns: no error at all', () => {
    const pair = mismatched(100, 100);
    const { a: full, b: half } = pair;
    for (let i = 0; i < 200; i++) {
      (i % 2 === 0 ? full : half).send(frameOf(64 + 7 * i, i));
      pair.pass(200_000);
    }
    expect([full.arrivals.length, half.arrivals.length]).toEqual([100, 100]);
    for (const { arrivals, mac } of [full, half]) {
      expect(arrivals.every(({ frame }) => frame.fcsGood)).toBe(true);
      expect([mac.counters.collisions, mac.counters.arrivalsCollided]).toEqual([0, 0]);
    }
  });

  test('a device that forces its MAC to full duplex makes one on a link of half', () => {
    const pair = new Pair({ metres: 10 }).force(100, false);
    pair.a.mac.forceDuplex('full');
    expect([pair.a.mac.halfDuplex, pair.b.mac.halfDuplex]).toEqual([false, true]);
    saturate(pair.a, frameOf(200), 50);
    saturate(pair.b, frameOf(1518), 50);
    pair.pass(10e9);
    expect(pair.a.mac.counters.collisions).toBe(0);
    expect(pair.b.mac.counters.collisions).toBeGreaterThan(0);
  });
});

describe('the same duplex at both ends', () => {
  test('full: whatever the traffic, no collision, no deference, and line rate each way', () => {
    const frames = fc.array(fc.integer({ min: 64, max: 1518 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(10 as const, 100 as const, 1000 as const), frames, frames, (speed, left, right) => {
        const pair = new Pair({ metres: 100 }).force(speed, true);
        const fromNs = pair.clock.nowNs;
        pair.a.send(...left.map(bytes => frameOf(bytes)));
        pair.b.send(...right.map(bytes => frameOf(bytes)));
        pair.pass(1e9);
        for (const [end, bytes] of [
          [pair.a, left],
          [pair.b, right],
        ] as const) {
          const { collisions, lateCollisions, excessiveCollisions, deferredTransmissions } = end.mac.counters;
          expect([collisions, lateCollisions, excessiveCollisions, deferredTransmissions]).toEqual([0, 0, 0, 0]);
          const bits = bytes.reduce((sum, length) => sum + 8 * (length + 20), 0) - 96;
          expect(end.sent.at(-1)!.atNs - fromNs).toBe((bits * 1000) / speed);
        }
      }),
    );
  });

  test('half: on a cable too, everything sent arrives, after collisions', () => {
    let collisions = 0;
    const frames = fc.array(fc.integer({ min: 64, max: 1518 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.constantFrom(10 as const, 100 as const, 1000 as const),
        fc.nat(100),
        fc.nat(1_000_000).map(String),
        frames,
        frames,
        (speed, metres, seed, left, right) => {
          const pair = new Pair({ metres, seed }).force(speed, false);
          const sides = [
            [pair.a, pair.b, left.map((bytes, i) => frameOf(bytes, i))],
            [pair.b, pair.a, right.map((bytes, i) => frameOf(bytes, i + 100))],
          ] as const;
          for (const [end, , sent] of sides) end.send(...sent);
          pair.pass(20e9);
          for (const [end, far] of sides) {
            const ok = end.sent.filter(({ outcome }) => outcome === 'sent').map(({ frame }) => frame);
            expect(far.arrivals.filter(({ frame }) => frame.fcsGood).map(({ frame }) => frame)).toEqual(ok);
            expect(end.mac.counters.lateCollisions).toBe(0);
            collisions += end.mac.counters.collisions;
          }
        },
      ),
    );
    expect(collisions).toBeGreaterThan(100);
  });
});
