/** The scenario `csma` against throughputs of saturated 802.3 that are known, and what it says about a run. */
import { describe, expect, test } from 'vitest';
import type { CsmaReport } from '../../../../src/scenarios/csma/report.ts';
import csma from '../../../../src/scenarios/csma.ts';
import { defaultsOf } from '../../../../src/world/scenario.ts';
import { World } from '../../../../src/world/world.ts';

function run(options: Readonly<Record<string, number | string>>, seed = '1'): CsmaReport {
  const world = new World(seed);
  const built = csma.build(world, { ...defaultsOf(csma.options!), ...options });
  world.run(built.untilNs!);
  return built.result() as CsmaReport;
}

/** Metres of thick coaxial cable that a bit at 10 Mb/s takes 200 bit times for. */
const METRES_200_BT = 4619;

describe('goodput of saturated stations at 10 Mb/s, as a part of the bit rate', () => {
  test.each([
    [2, 64, { 'delay-bt': 1 }, 0.7594],
    [5, 64, { 'delay-bt': 40 }, 0.751],
    [10, 64, { 'delay-bt': 40 }, 0.7375],
    [5, 512, { 'delay-bt': 1 }, 0.9501],
    [5, 1518, { 'delay-bt': 1 }, 0.9764],
    [10, 1518, { 'delay-bt': 40 }, 0.9661],
    [2, 1518, { 'delay-bt': 200 }, 0.9831],
    [10, 1518, { length: METRES_200_BT }, 0.9579],
  ])('%d stations, frames of %d octets, %o: %d', (stations, frame, distance, expected) => {
    const { utilisation } = run({ stations, frame, ...distance, seconds: 3 });
    expect(Math.abs(utilisation / expected - 1)).toBeLessThan(0.01);
  });

  test('one in 18 frames of ten stations with full-size frames is dropped', () => {
    const { framesSent, framesDropped } = run({ stations: 10, frame: 1518, 'delay-bt': 40, seconds: 20 });
    expect(framesDropped / framesSent).toBeGreaterThan(0.052);
    expect(framesDropped / framesSent).toBeLessThan(0.058);
  });
});

describe.each(['10', '100', '1000'])('at %s Mb/s', rate => {
  test.each(['bus', 'hub'])('on a %s the counts add up, and every frame that was sent arrives', topology => {
    const report = run({ rate, topology, stations: 4, frame: 200, seconds: 2 / Number(rate) });
    const { collisionHistogram, framesSent, framesDropped, lateCollisions, perStation } = report;
    const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    expect(framesSent).toBeGreaterThan(800);
    expect(lateCollisions).toBe(0);
    expect(add(collisionHistogram)).toBe(framesSent);
    expect(add(perStation.map(each => each.framesSent))).toBe(framesSent);
    expect(add(perStation.map(each => each.framesDropped))).toBe(framesDropped);
    const collided = add(collisionHistogram.map((frames, k) => k * frames)) + 16 * framesDropped;
    expect(report.collisions - collided).toBeGreaterThanOrEqual(0);
    expect(report.collisions - collided).toBeLessThan(16 * 4); // of the frames in hand
    const delivered = (report.goodputBps * 2) / Number(rate) / (200 * 8);
    expect(framesSent - delivered).toBeGreaterThanOrEqual(-1e-6);
    expect(framesSent - delivered).toBeLessThan(1 + 1e-6); // the last one is on its way
    expect(report.fairness).toBeGreaterThan(0.25);
    expect(report.fairness).toBeLessThanOrEqual(1);
  });
});

test('where the round trip is longer than a slot, collisions come late', () => {
  expect(run({ stations: 3, frame: 1518, 'delay-bt': 400, seconds: 0.5 }).lateCollisions).toBeGreaterThan(0);
});

test('other seeds draw other numbers', () => {
  const options = { stations: 3, seconds: 0.1 };
  expect(run(options)).toEqual(run(options));
  expect(run(options, '2')).not.toEqual(run(options));
});

test.each([
  [{ stations: 1 }, '--stations 1'],
  [{ frame: 63 }, '--frame 63'],
  [{ frame: 1519 }, '--frame 1519'],
  [{ seconds: 0 }, '--seconds 0'],
  [{ 'delay-bt': -1 }, '--delay-bt -1'],
  [{ 'delay-bt': 1, length: 1 }, '--length and --delay-bt'],
])('%o makes no sense', (options, text) => {
  expect(() => run(options)).toThrow(text);
});
