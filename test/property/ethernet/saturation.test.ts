/** Throughput of saturated stations against the reference table, and the classical formula of contention. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../../hw/sim/prng.ts';
import { Domain, frameWith } from '../../support/collision-domain.ts';

const SECONDS = 8;
const BITS = 1e7 * SECONDS;

/** Share of the line rate that carries frame bits: [end-to-end delay, octets, N = 2, 5, 10]. */
const REFERENCE = [
  [1, 64, [0.7594, 0.7517, 0.7387]],
  [1, 512, [0.9593, 0.9501, 0.9367]],
  [1, 1518, [0.984, 0.9764, 0.9673]],
  [40, 64, [0.7594, 0.751, 0.7375]],
  [40, 1518, [0.9839, 0.9757, 0.9661]],
  [200, 64, [0.7587, 0.7467, 0.7288]],
  [200, 1518, [0.9831, 0.9705, 0.9579]],
] as const;

function saturated(domain: Domain, bytes: number, bits: number): number {
  for (const station of domain.stations) station.saturate(frameWith(bytes));
  domain.pass(bits);
  const frames = domain.stations.reduce((sum, { mac }) => sum + mac.counters.framesOk, 0);
  return (frames * bytes * 8) / bits;
}

const spread = (count: number, bits: number) => Array.from({ length: count }, (_, i) => (i * bits) / (count - 1));

describe('saturated stations on a coaxial cable carry what the reference simulator says, within 1 %', () => {
  test.each(REFERENCE)('end-to-end delay of %i bit times, frames of %i octets', (delay, bytes, shares) => {
    [2, 5, 10].forEach((count, i) => {
      const domain = Domain.onCoax(spread(count, delay), { seed: `saturated ${count}` });
      expect(Math.abs(saturated(domain, bytes, BITS) / shares[i]! - 1)).toBeLessThan(0.01);
      for (const { mac } of domain.stations) expect(mac.counters.lateCollisions).toBe(0);
    });
  });

  test('and drop 0.3 % of frames of 64 octets, 5.5 % of 1518, when there are ten', () => {
    for (const [bytes, share] of [
      [64, 0.0031],
      [1518, 0.0552],
    ] as const) {
      const domain = Domain.onCoax(spread(10, 1), { seed: 'drops' });
      saturated(domain, bytes, 2 * BITS);
      const total = (name: 'framesOk' | 'excessiveCollisions') =>
        domain.stations.reduce((sum, { mac }) => sum + mac.counters[name], 0);
      const drops = total('excessiveCollisions');
      // A drop takes sixteen collisions, so drops are rarer than their number in runs: twice Poisson is ample.
      expect(Math.abs(drops - share * total('framesOk'))).toBeLessThan(10 * Math.sqrt(drops));
    }
  });

  test('around a hub the same: ten stations, 64 and 1518 octets', () => {
    for (const [bytes, share] of [
      [64, 0.7387],
      [1518, 0.9673],
    ] as const) {
      const domain = Domain.aroundHub(new Array(10).fill(2), 2, { seed: 'hub' });
      expect(Math.abs(saturated(domain, bytes, BITS / 2) / share - 1)).toBeLessThan(0.01);
    }
  });
});

describe('one active station', () => {
  test.each([
    ['a coaxial cable', () => Domain.onCoax([0, 100, 250])],
    ['a hub', () => Domain.aroundHub([10, 10, 10], 14.5)],
  ])('on %s sends R / 8(L + 20) frames a second, without a collision', (_, build) => {
    for (const bytes of [64, 512, 1518]) {
      const domain = build();
      const station = domain.stations[0]!;
      station.send(...new Array(100).fill(frameWith(bytes)));
      domain.pass(1e7);
      const { finished, mac } = station;
      expect((finished[99]!.atNs - finished[0]!.atNs) / 99).toBe(8 * (bytes + 20) * 100);
      expect([mac.counters.collisions, mac.counters.framesOk, mac.counters.deferredTransmissions]).toEqual([
        0, 100, 99,
      ]);
      expect(domain.stations[1]!.delivered.length).toBe(100);
    }
  });
});

describe('optimal slotted contention, Metcalfe and Boggs', () => {
  const chance = (q: number) => (1 - 1 / q) ** (q - 1);

  test.each([
    [1, 1.0, 0.0, 1.0],
    [2, 0.5, 1.0, 0.9552],
    [5, 0.4096, 1.4414, 0.9367],
    [32, 0.3737, 1.6757, 0.9272],
    [256, 0.3686, 1.713, 0.9257],
  ])('%i stations: A = %f, W = %f slots, E = %f for 1024 bits', (q, a, w, efficiency) => {
    const acquisition = q === 1 ? 1 : chance(q);
    const wait = (1 - acquisition) / acquisition;
    const [packetUs, slotUs] = [1024 / 3, 16];
    expect(acquisition).toBeCloseTo(a, 4);
    expect(wait).toBeCloseTo(w, 3);
    expect(packetUs / (packetUs + wait * slotUs)).toBeCloseTo(efficiency, 4);
  });

  test('drawn slot by slot, the wait is W', () => {
    const prng = new Prng('slotted');
    const [q, rounds] = [10, 20_000];
    let slots = 0;
    for (let round = 0; round < rounds; round++) {
      for (;;) {
        let senders = 0;
        for (let i = 0; i < q; i++) if (prng.below(q) === 0) senders += 1;
        if (senders === 1) break;
        slots += 1;
      }
    }
    const a = chance(q);
    const deviation = Math.sqrt((1 - a) / (a * a) / rounds);
    expect(Math.abs(slots / rounds - (1 - a) / a)).toBeLessThan(5 * deviation);
  });
});
