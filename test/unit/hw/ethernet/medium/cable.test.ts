import { describe, expect, test } from 'vitest';
import type { Frame } from '../../../../../hw/ethernet/frame.ts';
import { BitErrors } from '../../../../../hw/ethernet/medium/bit-errors.ts';
import { Cable } from '../../../../../hw/ethernet/medium/cable.ts';
import { LINK_LOSS_NS } from '../../../../../hw/ethernet/phy/link.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { Endpoint, frameOf, Pair } from '../../../../support/ethernet.ts';

const sizes = (end: Endpoint) => end.arrivals.map(arrival => arrival.frame.wireBytes);

describe('cable', () => {
  test.each([
    [0, 0],
    [1, 6],
    [10, 56],
    [100, 556],
    [2000, 11_120],
  ])('%i metres of Cat5 delay by %i ns', (metres, delayNs) => {
    expect(new Cable(new Clock(), new Prng(''), metres).delayNs).toBe(delayNs);
  });

  test('lengths and error rates that make no sense are refused', () => {
    expect(() => new Cable(new Clock(), new Prng(''), -1)).toThrow(RangeError);
    expect(() => new Cable(new Clock(), new Prng(''), 100_001)).toThrow(RangeError);
    expect(() => new Cable(new Clock(), new Prng(''), Number.NaN)).toThrow(RangeError);
    expect(() => new Cable(new Clock(), new Prng(''), 1, 1)).toThrow(RangeError);
  });

  test('one plug to a socket, one socket to a plug', () => {
    const pair = new Pair();
    const other = new Cable(pair.clock, new Prng('other'), 1);
    expect(() => other.connect(0, pair.a.phy)).toThrow('a plug in this socket already');
    expect(() => pair.cable.connect(0, new Endpoint(pair.clock, new Prng('c')).phy)).toThrow('plugged in already');
  });

  test('a long cable holds many frames, in order, however many', () => {
    const pair = new Pair({ metres: 100_000 }).up();
    const frames = Array.from({ length: 1200 }, (_, i) => frameOf(64, i));
    const beganNs = pair.clock.nowNs;
    pair.a.send(...frames);
    pair.pass(1e9);
    expect(pair.b.arrivals.map(arrival => arrival.frame)).toEqual(frames);
    expect(pair.b.arrivals.map(arrival => arrival.startNs)).toEqual(frames.map((_, i) => beganNs + 556_000 + i * 672));
  });

  test('the tap sees each frame once, before the far PHY: what was sent and what came out', () => {
    const pair = new Pair({ metres: 100 }).up();
    const seen: unknown[] = [];
    pair.cable.onFrame = (from, { frame, startNs: leftNs }, startNs, arrived) =>
      seen.push([from, frame, startNs - leftNs, arrived, pair.b.arrivals.length]);
    pair.cable.flipNext(0, [9]);
    const [damaged, intact] = [frameOf(64), frameOf(64, 1)];
    pair.a.send(damaged, intact);
    pair.pass(1e6);
    expect(seen).toEqual([
      [0, damaged, 556, pair.b.arrivals[0]!.frame, 0],
      [0, intact, 556, intact, 1],
    ]);
    expect(pair.b.arrivals[0]!.frame.octets[1]).toBe(damaged.octets[1]! ^ 2);
    expect(damaged.fcsGood).toBe(true);
  });

  test('planned bit errors hit the frames after the call, one call to a frame, each way by itself', () => {
    const pair = new Pair().up();
    pair.cable.flipNext(0, [511]);
    pair.cable.flipNext(0, []);
    pair.cable.flipNext(0, [0, 100]);
    pair.a.send(frameOf(64), frameOf(64), frameOf(64), frameOf(64));
    pair.b.send(frameOf(64));
    pair.pass(1e6);
    expect(pair.b.arrivals.map(arrival => arrival.frame.fcsGood)).toEqual([false, true, false, true]);
    expect(pair.a.arrivals.map(arrival => arrival.frame.fcsGood)).toEqual([true]);
  });
});

describe('a cable that is cut', () => {
  test.each([
    [10, 100, false],
    [100, 10, true],
    [1000, 1, true],
  ] as const)('at %i Mb/s ends the frame that comes in at that bit', (speed, bitNs, rxError) => {
    const pair = new Pair({ metres: 100 }).force(speed);
    const frame = frameOf(512);
    pair.a.send(frame);
    pair.pass(556 + (64 + 8 * 100 + 3) * bitNs);
    const cutNs = pair.clock.nowNs;
    pair.cable.cut();
    pair.pass(1e6);
    const [cut] = pair.b.arrivals;
    expect(cut!.atNs).toBe(cutNs);
    expect(cut!.frame.wire()).toEqual(frame.wire().subarray(0, 100));
    expect(cut!.frame.errors).toEqual({ dribbleBits: 3, rxError });
  });

  test('takes what is inside it along, and what is sent into it; the tap reports each as lost when it was due', () => {
    const pair = new Pair({ metres: 2000 }).up();
    const lost: [Frame, Frame | null, number][] = [];
    pair.cable.onFrame = (_, { frame, endNs }, __, arrived) => lost.push([frame, arrived, pair.clock.nowNs - endNs]);
    const [inside, after] = [frameOf(64), frameOf(64, 1)];
    pair.a.send(inside);
    pair.pass(1000);
    pair.cable.cut();
    pair.a.send(after);
    pair.pass(1e6);
    expect(lost).toEqual([
      [inside, null, 11_120],
      [after, null, 11_120],
    ]);
    expect(pair.b.arrivals).toEqual([]);
    expect(pair.a.sent.length).toBe(2);
  });

  test.each([
    ['sender lets through what has left', 0, [64, 1000]],
    ['receiver lets nothing more through', 1, [64]],
  ] as const)('a plug pulled at the %s', (_, end, arrived) => {
    const pair = new Pair({ metres: 2000 }).up();
    pair.a.send(frameOf(64), frameOf(1000)); // both have left long before 11 120 ns
    pair.pass(11_120 + 576);
    expect(sizes(pair.b)).toEqual([64]);
    pair.cable.unplug(end);
    pair.pass(1e6);
    expect(sizes(pair.b)).toEqual(arrived);
  });

  test('a plug pulled at the sender in the middle of a frame leaves the beginning of it', () => {
    const pair = new Pair({ metres: 2000 }).up();
    pair.a.send(frameOf(64), frameOf(1000));
    pair.pass(672 + 64 + 8 * 92);
    const pulledNs = pair.clock.nowNs;
    pair.cable.unplug(0);
    pair.pass(1e6);
    expect(sizes(pair.b)).toEqual([64, 92]);
    expect(pair.b.arrivals[1]!.atNs).toBe(pulledNs + 11_120);
  });

  test('mended before the link is lost, it goes on; the frame that was on it does not', () => {
    const pair = new Pair().force(10);
    pair.a.send(frameOf(1518), frameOf(64));
    pair.pass(100_000);
    pair.cable.cut();
    pair.pass(1_000);
    pair.cable.repair();
    pair.pass(1e9);
    expect(sizes(pair.b)).toEqual([(1000 - 64) / 8, 64]);
    expect(pair.b.phy.link.up).toBe(true);
    expect(pair.b.links.length).toBe(1);
  });

  test('brings both links down within the loss timer, and up again once mended', () => {
    const pair = new Pair().up();
    pair.cable.cut();
    pair.pass(LINK_LOSS_NS - 1);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([true, true]);
    pair.pass(1);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([false, false]);
    pair.pass(3e9);
    expect(pair.clock.idle).toBe(true);
    pair.cable.repair();
    pair.up();
    expect(pair.a.links.map(link => link.up)).toEqual([true, false, true]);
  });

  test('another PHY may be plugged in instead', () => {
    const pair = new Pair().up();
    pair.cable.unplug(1);
    pair.pass(1e8);
    const other = new Endpoint(pair.clock, new Prng('other'));
    pair.cable.connect(1, other.phy);
    pair.pass(3e9);
    expect(other.phy.link).toEqual({ up: true, speed: 1000, fullDuplex: true });
    expect(pair.b.phy.link.up).toBe(false);
    pair.a.send(frameOf(64));
    pair.pass(1e6);
    expect([other.arrivals.length, pair.b.arrivals.length]).toEqual([1, 0]);
  });
});

describe('bit errors', () => {
  test('a rate of zero never strikes', () => {
    const errors = new BitErrors(0, new Prng('none'));
    for (let i = 0; i < 1000; i++) expect(errors.strike(1e9)).toBeNull();
  });

  test('gaps are geometric: their frequencies pass a chi-squared test', () => {
    const rate = 0.1;
    const errors = new BitErrors(rate, new Prng('gaps'));
    const hits: number[] = [];
    for (let bits = 0; bits < 1_000_000; bits += 1000) for (const at of errors.strike(1000) ?? []) hits.push(bits + at);
    const gaps = hits.slice(1).map((at, i) => at - hits[i]! - 1);
    const cells = 30;
    const counts = new Array(cells + 1).fill(0);
    for (const gap of gaps) counts[Math.min(gap, cells)] += 1;
    const chi2 = counts.reduce((sum, count, gap) => {
      const expected = gaps.length * (gap < cells ? rate * (1 - rate) ** gap : (1 - rate) ** cells);
      return sum + (count - expected) ** 2 / expected;
    }, 0);
    // 30 degrees of freedom: P(chi2 > 83.6) = 5e-7, P(chi2 < 7) = 1e-6.
    expect(chi2).toBeLessThan(83.6);
    expect(chi2).toBeGreaterThan(7);
  });

  test.each([1e-2, 1e-4, 1e-6])('at a rate of %f as many bits are bad as the binomial law allows', rate => {
    const errors = new BitErrors(rate, new Prng('count'));
    const bits = 2e4 / rate;
    let hits = 0;
    for (let i = 0; i < 2000; i++) hits += errors.strike(bits / 2000)?.length ?? 0;
    expect(Math.abs(hits - bits * rate)).toBeLessThan(5 * Math.sqrt(bits * rate * (1 - rate)));
  });

  test('the errors do not depend on how the bits are cut into frames', () => {
    const positionsIn = (piece: number) => {
      const errors = new BitErrors(0.01, new Prng('pieces'));
      const all: number[] = [];
      for (let at = 0; at < 60_000; at += piece) for (const hit of errors.strike(piece) ?? []) all.push(at + hit);
      return all;
    };
    expect(positionsIn(1)).toEqual(positionsIn(60_000));
    expect(positionsIn(500)).toEqual(positionsIn(12_000));
  });

  test('1e-12, a good optical fibre, costs nothing and still strikes', () => {
    const errors = new BitErrors(1e-12, new Prng('fibre'));
    let hits = 0;
    for (let i = 0; i < 1000; i++) hits += errors.strike(1e12)?.length ?? 0;
    expect(Math.abs(hits - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });
});
