import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REORDER_NS, TimeOrder } from '../../../../src/observe/time-order.ts';

describe('the order of time', () => {
  it('lets items leave by time, rank, arrival, if none is later than the horizon', () => {
    const anyStep = fc.record({
      stepNs: fc.integer({ min: 0, max: 100_000 }),
      lagNs: fc.oneof(fc.nat(REORDER_NS - 1), fc.constant(0)),
      rank: fc.nat(2),
    });
    fc.assert(
      fc.property(
        fc.array(anyStep, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 600 }),
        (steps, rounds) => {
          const left: { timeNs: number; rank: number; n: number }[] = [];
          const order = new TimeOrder<{ timeNs: number; rank: number; n: number }>((timeNs, item, late) => {
            expect([timeNs, late]).toEqual([item.timeNs, false]);
            left.push(item);
          });
          const told: { timeNs: number; rank: number; n: number }[] = [];
          let nowNs = 0;
          for (let round = 0; round < rounds; round++) {
            for (const { stepNs, lagNs, rank } of steps) {
              nowNs += stepNs;
              const item = { timeNs: Math.max(0, nowNs - lagNs), rank, n: told.length };
              told.push(item);
              order.add(item.timeNs, rank, item);
            }
          }
          order.flush();
          expect(left).toEqual(told.sort((a, b) => a.timeNs - b.timeNs || a.rank - b.rank || a.n - b.n));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('does not keep what is older than the horizon', () => {
    let leftCount = 0;
    const order = new TimeOrder<null>(() => {
      leftCount += 1;
    });
    for (let i = 0; i < 100_000; i++) order.add(i * 10_000, 0, null);
    expect(leftCount).toBeGreaterThan(100_000 - 2 * 4_096 - REORDER_NS / 10_000);
  });
});
