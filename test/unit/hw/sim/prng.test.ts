import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../hw/sim/prng.ts';

const draw = (prng: Prng, count: number): number[] => Array.from({ length: count }, () => prng.word());

describe('seeded randomness', () => {
  it('repeats itself for an equal key', () => {
    fc.assert(
      fc.property(fc.string(), key => {
        expect(draw(new Prng(key), 10)).toEqual(draw(new Prng(key), 10));
      }),
    );
  });

  it('gives a fork that depends on seed and label alone, not on what was drawn or forked before', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(50), fc.array(fc.string()), (seed, label, count, others) => {
        const prng = new Prng(seed);
        draw(prng, count);
        for (const other of others) draw(prng.fork(other), 3);
        expect(draw(prng.fork(label), 10)).toEqual(draw(new Prng(seed).fork(label), 10));
      }),
    );
  });

  it('is not moved by its forks', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (seed, labels) => {
        const prng = new Prng(seed);
        for (const label of labels) draw(prng.fork(label), 5);
        expect(draw(prng, 10)).toEqual(draw(new Prng(seed), 10));
      }),
    );
  });

  it('gives different streams for different labels', () => {
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 2 }), (seed, [a, b]) => {
        const prng = new Prng(seed);
        expect(draw(prng.fork(a!), 4)).not.toEqual(draw(prng.fork(b!), 4));
      }),
    );
  });

  it('draws below a bound evenly, and reaches every number below a small one', () => {
    const prng = new Prng('dice');
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[prng.below(6)]! += 1;
    // Five standard deviations of a binomial with n = 60000, p = 1/6.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(457);
  });

  it('keeps below any bound up to 2**32', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const prng = new Prng(seed);
        for (let i = 0; i < 20; i++) {
          const value = prng.below(bound);
          expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
        }
        const fraction = prng.fraction();
        expect(fraction >= 0 && fraction < 1).toBe(true);
      }),
    );
  });

  it('goes on from a saved state', () => {
    const prng = new Prng('seed');
    draw(prng, 5);
    const state = prng.save();
    const expected = [draw(prng, 5), draw(prng.fork('x'), 5)];
    const other = new Prng('another');
    other.load(state);
    expect([draw(other, 5), draw(other.fork('x'), 5)]).toEqual(expected);
  });
});
