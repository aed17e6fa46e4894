/**
 * The laws of truncated binary exponential backoff, on real MACs on a wire: exact small cases, with bounds of five
 * standard deviations. Seeds are fixed here, so that nothing depends on luck.
 */
import { describe, expect, test } from 'vitest';
import { Domain, frameWith } from '../../support/collision-domain.ts';

const FRAME = frameWith(64);

/** Whether a count out of `trials` with chance `p` each is within five standard deviations. */
function expectShare(count: number, trials: number, p: number): void {
  expect(Math.abs(count - trials * p)).toBeLessThan(5 * Math.sqrt(trials * p * (1 - p)) + 1e-9);
}

/** Chance that two stations in lock-step collide at least n times. */
const reaches = (n: number): number => {
  let p = 1;
  for (let i = 1; i < n; i++) p *= 2 ** -Math.min(i, 10);
  return p;
};

describe('two stations that start at once', () => {
  const trials = 20_000;
  const domain = Domain.onCoax([0, 0], { seed: 'two stations' });
  const histogram = new Array<number>(17).fill(0);
  let total = 0;
  for (let i = 0; i < trials; i++) {
    const before = domain.stations[0]!.mac.counters.collisions;
    for (const station of domain.stations) station.mac.transmit(FRAME);
    domain.clock.run(domain.clock.nowNs + 1e9, () => domain.clock.idle);
    const collisions = domain.stations[0]!.mac.counters.collisions - before;
    histogram[collisions]! += 1;
    total += collisions;
  }

  test('collide n times with probability 1/2, 3/8, 7/64, …: the product of 2^-min(i, 10)', () => {
    expect([1, 2, 3, 4, 5].map(reaches)).toEqual([1, 1 / 2, 1 / 8, 1 / 64, 1 / 1024]);
    for (let n = 1; n <= 6; n++) expectShare(histogram[n]!, trials, reaches(n) - reaches(n + 1));
    expect(histogram[0]).toBe(0);
  });

  test('collide 1.6416 times on average', () => {
    const law = Array.from({ length: 16 }, (_, i) => reaches(i + 1)).reduce((a, b) => a + b);
    expect(law).toBeCloseTo(1.641633, 6);
    // E[C²] = Σ (2n − 1) P(C ≥ n).
    const square = Array.from({ length: 16 }, (_, i) => (2 * i + 1) * reaches(i + 1)).reduce((a, b) => a + b);
    const deviation = Math.sqrt((square - law ** 2) / trials);
    expect(Math.abs(total / trials - law)).toBeLessThan(5 * deviation);
  });
});

test.each([
  [2, [0.5, 0.75, 0.875, 0.9375]],
  [3, [0.375, 0.6562, 0.8203, 0.9082]],
  [4, [0.25, 0.5625, 0.7656, 0.8789]],
  [5, [0.1562, 0.4785, 0.7135, 0.8503]],
  [10, [0.0098, 0.1926, 0.4905, 0.7167]],
])(
  'of %i stations that all collided n times, one draws a unique least backoff with the tabled probability',
  (k, table) => {
    const trials = 4000;
    const law = (n: number) => {
      const range = 2 ** n;
      let p = 0;
      for (let v = 0; v < range; v++) p += (k / range) * ((range - 1 - v) / range) ** (k - 1);
      return p;
    };
    for (const [i, p] of table.entries()) expect(law(i + 1)).toBeCloseTo(p, 3);
    // On the wire, after the first collision: does exactly one station go first?
    const domain = Domain.onCoax(new Array(k).fill(0), { seed: `least of ${k}` });
    let unique = 0;
    for (let i = 0; i < trials; i++) {
      for (const station of domain.stations) station.mac.transmit(FRAME);
      domain.clock.run(domain.clock.nowNs + 60e9, () => domain.clock.idle);
      const starts = new Map<number, number>();
      for (const { transmissions } of domain.stations) {
        const second = transmissions[1]!;
        starts.set(second.startNs, (starts.get(second.startNs) ?? 0) + 1);
        (transmissions as unknown[]).length = 0;
      }
      if (starts.get(Math.min(...starts.keys())) === 1) unique += 1;
    }
    expectShare(unique, trials, law(1));
  },
);
