/**
 * The capture effect (Ramakrishnan and Yang): two saturated stations, of which the one that won last starts afresh while
 * the other's backoff grows. The chain of collision counts is known exactly; the wire must follow it.
 */
import { describe, expect, test } from 'vitest';
import { Domain, frameWith } from '../../support/collision-domain.ts';

const LIMIT = 16;
/** Slots that a station may draw after its nth collision; one that has given up goes at once. */
const range = (n: number) => (n === 0 ? 1 : 2 ** Math.min(n, 10));

/** Race between stations whose draws are uniform below a and b: chances that the first goes first, and that they tie. */
function race(a: number, b: number): { readonly first: number; readonly tie: number } {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const tie = 1 / high;
  const lowFirst = (high - (low + 1) / 2) / high;
  return { first: a <= b ? lowFirst : 1 - tie - lowFirst, tie };
}

/** Collision counts of both stations after a collision; 0 for one that has just given its frame up. */
type Counts = readonly [number, number];
const after = (n: number) => (n + 1 === LIMIT ? 0 : n + 1);

describe('races, section by section of the chain', () => {
  test('a fresh winner against a loser at its nth collision: 5/8, 13/16, 29/32, 61/64, 125/128, 2045/2048', () => {
    const wins = (n: number) => race(2, range(n)).first;
    expect([2, 3, 4, 5, 6, 10, 15].map(wins)).toEqual(
      [5 / 8, 13 / 16, 29 / 32, 61 / 64, 125 / 128, 2045 / 2048, 2045 / 2048], //
    );
    const all = (from: number) => Array.from({ length: 17 - from }, (_, i) => wins(from + i)).reduce((a, b) => a * b);
    expect(all(2)).toBeCloseTo(0.4153, 4);
    expect(all(4)).toBeCloseTo(0.8179, 4);
  });
});

describe('two saturated stations', () => {
  const domain = Domain.onCoax([0, 0], { seed: 'capture' });
  const [a, b] = domain.stations;
  const frame = frameWith(512);
  // One entry per collision: the counts it leaves, who went first after it (0, 1, or 2 for both), and drops so far.
  let races = 0;
  let drops = 0;
  const sum = { first: 0, tie: 0, firstLaw: 0, tieLaw: 0, firstVariance: 0, tieVariance: 0 };
  const winners: number[] = [];
  let counts: Counts | null = null;

  const settle = (winner: 0 | 1 | 2) => {
    if (counts === null) return;
    const law = race(range(counts[0]), range(counts[1]));
    races += 1;
    sum.first += winner === 0 ? 1 : 0;
    sum.tie += winner === 2 ? 1 : 0;
    sum.firstLaw += law.first;
    sum.tieLaw += law.tie;
    sum.firstVariance += law.first * (1 - law.first);
    sum.tieVariance += law.tie * (1 - law.tie);
    if (winner !== 2) winners.push(winner);
    counts = null;
  };
  // Whoever finishes a frame after a collision went first; a further collision of both is a tie.
  const collisions = [0, 0];
  const watch = (index: 0 | 1) => {
    const station = domain.stations[index]!;
    const { transmitted } = station;
    station.transmitted = (sent, outcome) => {
      if (outcome === 'sent') settle(index);
      else drops += 1;
      transmitted.call(station, sent, outcome);
    };
  };
  watch(0);
  watch(1);
  for (const station of domain.stations) station.saturate(frame);
  while (races < 60_000) {
    domain.clock.run(
      domain.clock.nowNs + 1e9,
      () => a!.mac.counters.collisions > collisions[0]! && b!.mac.counters.collisions > collisions[1]!,
    );
    if (a!.mac.counters.collisions === collisions[0]) continue;
    settle(2);
    collisions[0] = a!.mac.counters.collisions;
    collisions[1] = b!.mac.counters.collisions;
    counts = [a!.mac.collisions % LIMIT, b!.mac.collisions % LIMIT];
  }

  test('win and tie as often as the races of their collision counts say', () => {
    // Given the counts, each race is a draw of its own: the sums are martingales.
    expect(Math.abs(sum.first - sum.firstLaw)).toBeLessThan(5 * Math.sqrt(sum.firstVariance));
    expect(Math.abs(sum.tie - sum.tieLaw)).toBeLessThan(5 * Math.sqrt(sum.tieVariance));
  });

  test('drop frames, and let the same one win again, as the stationary chain says', () => {
    const chain = stationary();
    const perRace = drops / races;
    const same = winners.slice(1).filter((winner, i) => winner === winners[i]).length / (winners.length - 1);
    // Drops come in runs of up to sixteen races, one run in a few hundred races: the deviation of their mean is below
    // sqrt(16 · rate / races).
    expect(Math.abs(perRace - chain.drops)).toBeLessThan(5 * Math.sqrt((16 * chain.drops) / races));
    expect(Math.abs(same - chain.same)).toBeLessThan(5 * Math.sqrt((16 * chain.same * (1 - chain.same)) / races));
    expect(chain.same).toBeGreaterThan(0.9);
  });
});

/** Drops per race, and the chance that a decided race goes to the winner of the one before it. */
function stationary(): { readonly drops: number; readonly same: number } {
  // State: counts of both after a collision, and who won last (0 or 1).
  const size = LIMIT * LIMIT * 2;
  const at = (x: number, y: number, last: number) => (x * LIMIT + y) * 2 + last;
  let now = new Float64Array(size);
  now[at(1, 1, 0)] = 1;
  for (let step = 0; step < 5000; step++) {
    const next = new Float64Array(size);
    visit(now, (p, x, y, last, law) => {
      next[at(1, after(y), 0)]! += p * law.first;
      next[at(after(x), 1, 1)]! += p * (1 - law.first - law.tie);
      next[at(after(x), after(y), last)]! += p * law.tie;
    });
    // Half a step: the chain must not cycle.
    now = next.map((p, i) => (p + now[i]!) / 2);
  }
  let drops = 0;
  let decided = 0;
  let same = 0;
  visit(now, (p, x, y, last, law) => {
    const second = 1 - law.first - law.tie;
    drops += p * ((x === 0 ? 1 : 0) + (y === 0 ? 1 : 0));
    decided += p * (law.first + second);
    same += p * (last === 0 ? law.first : second);
  });
  return { drops, same: same / decided };
}

type Visitor = (p: number, x: number, y: number, last: number, law: ReturnType<typeof race>) => void;

function visit(distribution: Float64Array, visitor: Visitor): void {
  for (let i = 0; i < distribution.length; i++) {
    const p = distribution[i]!;
    if (p === 0) continue;
    const [x, y, last] = [Math.floor(i / 2 / LIMIT), Math.floor(i / 2) % LIMIT, i % 2];
    visitor(p, x, y, last, race(range(x), range(y)));
  }
}
