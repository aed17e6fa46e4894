/** Properties of two full-duplex stations on a cable: what is sent, and what becomes of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Frame } from '../../../hw/ethernet/frame.ts';
import { classify } from '../../../hw/ethernet/mac/receive.ts';
import { frameOf, Pair } from '../../support/ethernet.ts';

const BIT_NS = { 10: 100, 100: 10, 1000: 1 } as const;

const speeds = fc.constantFrom(10 as const, 100 as const, 1000 as const);
/** When, after the one before, each frame is handed to the MAC, and how long it is. */
const script = fc.array(fc.record({ afterBits: fc.nat(3000), bytes: fc.integer({ min: 4, max: 1600 }) }), {
  maxLength: 20,
});

describe('full duplex on a cable', () => {
  test('what is sent at one end comes out at the other: each frame once, in order, at the nanosecond', () => {
    fc.assert(
      fc.property(speeds, fc.nat(3000), script, script, (speed, metres, fromA, fromB) => {
        const bitNs = BIT_NS[speed];
        const pair = new Pair({ metres }).force(speed);
        const beganNs = pair.clock.nowNs;
        const sides = [
          { end: pair.a, far: pair.b, frames: fromA },
          { end: pair.b, far: pair.a, frames: fromB },
        ];
        const handovers: { atNs: number; send: () => void }[] = [];
        const expected: (readonly [frame: Frame, startNs: number, atNs: number])[][] = [[], []];
        sides.forEach(({ end, frames }, side) => {
          let atNs = beganNs;
          let freeNs = 0;
          frames.forEach(({ afterBits, bytes }, i) => {
            const frame = frameOf(bytes, i);
            atNs += afterBits * bitNs;
            handovers.push({ atNs, send: () => end.send(frame) });
            const startNs = Math.max(atNs, freeNs);
            const endNs = startNs + (64 + 8 * bytes) * bitNs;
            freeNs = endNs + 96 * bitNs;
            const { delayNs } = pair.cable;
            expected[side]!.push([frame, startNs + delayNs, endNs + delayNs]);
          });
        });
        for (const { atNs, send } of handovers.sort((x, y) => x.atNs - y.atNs)) {
          pair.clock.run(atNs);
          send();
        }
        pair.pass(10e9);
        sides.forEach(({ end, far, frames }, side) => {
          expect(far.arrivals.map(({ frame, startNs, atNs }) => [frame, startNs, atNs])).toEqual(expected[side]);
          expect(end.sent.length).toBe(frames.length);
        });
        expect(pair.clock.idle).toBe(true);
      }),
    );
  });

  test('cut, mended, pulled and plugged at any time: every frame completes for its sender, and is whole, cut or lost', () => {
    const event = fc.record({
      afterNs: fc.nat(200_000),
      what: fc.constantFrom('cut', 'repair', 'pull', 'plug', 'send', 'send', 'send'),
    });
    fc.assert(
      fc.property(speeds, fc.nat(5000), fc.array(event, { maxLength: 30 }), (speed, metres, events) => {
        const pair = new Pair({ metres }).force(speed);
        const fates: (readonly [sent: Frame, arrived: Frame | null])[] = [];
        pair.cable.onFrame = (_, { frame }, __, arrived) => fates.push([frame, arrived]);
        const sent: Frame[] = [];
        let plugged = true;
        let disturbed = false;
        for (const { afterNs, what } of events) {
          pair.pass(afterNs);
          disturbed ||= what === 'cut' || what === 'pull';
          if (what === 'cut') pair.cable.cut();
          else if (what === 'repair') pair.cable.repair();
          else if (what === 'pull') {
            pair.cable.unplug(1);
            plugged = false;
          } else if (what === 'plug') {
            if (!plugged) pair.cable.connect(1, pair.b.phy);
            plugged = true;
          } else {
            const frame = frameOf(64 + 20 * sent.length, sent.length);
            sent.push(frame);
            pair.a.send(frame);
          }
        }
        pair.pass(10e6);
        expect(pair.a.sent.map(({ frame }) => frame)).toEqual(sent);
        expect(fates.map(([frame]) => frame)).toEqual(sent);
        for (const [frame, arrived] of fates) {
          if (arrived === null || arrived === frame) continue;
          expect(arrived.wire()).toEqual(frame.wire().subarray(0, arrived.wireBytes));
          expect(arrived.wireBytes).toBeLessThan(frame.wireBytes);
        }
        const arrivals = fates.flatMap(([, arrived]) => (arrived === null ? [] : [arrived]));
        expect(pair.b.arrivals.map(({ frame }) => frame)).toEqual(arrivals);
        if (!disturbed) expect(arrivals).toEqual(sent);
      }),
    );
  });
});

describe('bit errors', () => {
  test.each([
    [64, 1e-4, 0.0499],
    [1518, 1e-6, 0.01207],
    [512, 3e-5, 0.11566],
  ])('a frame of %i octets at a bit error rate of %f arrives damaged with probability %f', (bytes, rate, share) => {
    const count = 20_000;
    const pair = new Pair({ bitErrorRate: rate }).up();
    const law = 1 - (1 - rate) ** (8 * bytes);
    expect(law).toBeCloseTo(share, 4);
    const frame = frameOf(bytes);
    pair.a.send(...new Array<Frame>(count).fill(frame));
    pair.pass(1e9);
    const damaged = pair.b.arrivals.filter(arrival => classify(arrival.frame, 1518) !== 'ok');
    expect(pair.b.arrivals.length).toBe(count);
    expect(Math.abs(damaged.length - count * law)).toBeLessThan(5 * Math.sqrt(count * law * (1 - law)));
    // Every damaged frame keeps its length, since preamble and delimiter are never hit.
    for (const { frame: arrived } of damaged) expect(arrived.wireBytes).toBe(bytes);
  });
});
