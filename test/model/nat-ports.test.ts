/** What a NAT keeps its books in, against plain sets and maps: any order of taking and giving back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Prng } from '../../hw/sim/prng.ts';
import { NO_PORT, PortPool } from '../../kernel/net/nat/port-pool.ts';
import { TupleIndex } from '../../kernel/net/nat/tuple-index.ts';

type Move =
  | { readonly kind: 'take' | 'reserve'; readonly port: number }
  | { readonly kind: 'release'; readonly pick: number };

/** Few ports, so that moves meet; the well-known ones can run out. */
const port = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1000, max: 1100 }), fc.nat({ max: 65_535 }));
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: port.map(each => ({ kind: 'take' as const, port: each })) },
  { weight: 1, arbitrary: port.map(each => ({ kind: 'reserve' as const, port: each })) },
  { weight: 3, arbitrary: fc.nat().map(pick => ({ kind: 'release' as const, pick })) },
);

test('NAT-6 a port is never given to two, is in the range and has the parity that it should, and barred ones stay', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 300 }), fc.boolean(), fc.string(), (moves, hasRanges, seed) => {
      const prng = new Prng(seed);
      const pool = new PortPool(hasRanges, () => prng.word());
      const taken = new Set<number>();
      const isBarred = (each: number) => each % 7 === 3;
      for (const each of moves) {
        if (each.kind === 'release') {
          const held = [...taken][each.pick % Math.max(1, taken.size)];
          if (held === undefined) continue;
          pool.release(held);
          taken.delete(held);
        } else if (each.kind === 'reserve') {
          const isFree = !taken.has(each.port) && !(hasRanges && each.port === 0);
          expect(pool.reserve(each.port)).toBe(isFree);
          taken.add(each.port);
          if (hasRanges && each.port === 0) taken.delete(0);
        } else {
          const given = pool.take(each.port, isBarred);
          const isFree = !taken.has(each.port) && !isBarred(each.port) && !(hasRanges && each.port === 0);
          if (isFree) expect(given).toBe(each.port);
          expect(given).not.toBe(NO_PORT);
          expect(taken.has(given)).toBe(false);
          expect(isBarred(given)).toBe(false);
          if (hasRanges) expect(given < 1024).toBe(each.port < 1024);
          if (hasRanges) expect(given % 2).toBe(each.port % 2);
          taken.add(given);
        }
        expect(pool.takenCount).toBe(taken.size);
      }
    }),
  );
});

test.each([true, false])('NAT-13 a pool gives every port there is, once, and then none (ranges: %s)', hasRanges => {
  const prng = new Prng('all');
  const pool = new PortPool(hasRanges, () => prng.word());
  const given = new Set<number>();
  const nobody = () => false;
  for (const [wanted, count] of hasRanges
    ? ([
        [7, 1023],
        [5000, 64_512],
      ] as const)
    : ([[7, 65_536]] as const)) {
    for (let i = 0; i < count; i++) given.add(pool.take(wanted, nobody));
    expect(pool.take(wanted, nobody)).toBe(NO_PORT);
  }
  expect(given.size).toBe(hasRanges ? 65_535 : 65_536);
  expect(given.has(NO_PORT)).toBe(false);
  pool.release(6000);
  expect(pool.take(5001, nobody)).toBe(6000);
});

test('the index finds what was added and not removed, however it has grown and shrunk', () => {
  // Numbers that are near each other meet in the table more often than random ones.
  const key = fc.tuple(
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom(0, 1, -1 << 31),
  );
  const run = fc.array(fc.tuple(key, fc.boolean()), { maxLength: 400 });
  fc.assert(
    fc.property(run, moves => {
      const index = new TupleIndex<string>();
      const model = new Map<string, string>();
      for (const [[a, b, c], adds] of moves) {
        const name = `${a} ${b} ${c}`;
        if (adds && !model.has(name)) {
          index.add(a, b, c, name);
          model.set(name, name);
        } else if (!adds && model.has(name)) {
          index.remove(a, b, c);
          model.delete(name);
        }
        expect(index.size).toBe(model.size);
      }
      for (let a = -3; a <= 3; a++) {
        for (let b = 0; b <= 9; b++) {
          for (const c of [0, 1, -1 << 31]) expect(index.find(a, b, c)).toBe(model.get(`${a} ${b} ${c}`) ?? null);
        }
      }
    }),
  );
});
