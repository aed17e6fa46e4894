/** What a terminal shows of `ringtail run csma` while it runs. */
import { expect, test } from 'vitest';
import csma from '../../../../src/scenarios/csma.ts';
import { World } from '../../../../src/world/world.ts';

const VALUES = { stations: 4, rate: '10', frame: 64, topology: 'bus', length: null, 'delay-bt': 0, seconds: 1 };

/** The cells of a row, without its time. */
const cells = (line: string) => line.slice(16).trim().split(/\s+/);

test('the diagram has a column to a station, and its rows agree with each other about who sends', () => {
  const world = new World('1');
  const run = csma.build(world, VALUES as never);
  run.live!();
  const seen = new Set<string>();
  for (let untilNs = 100_000; untilNs <= 20_000_000; untilNs += 100_000) {
    world.run(untilNs);
    const [header, ...rows] = run.live!().slice(0, -1);
    expect(cells(header!)).toEqual(['0', '1', '2', '3']);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows.map(cells)) {
      expect(row.length).toBe(4);
      for (const cell of row) seen.add(cell);
      const sending = row.filter(cell => cell === '*').length;
      // Whoever sends alone is heard by all who do not wait, and one who hears another while it sends is marked.
      if (sending > 0) expect([sending, row.includes('|'), row.includes('X')]).toEqual([1, false, false]);
    }
  }
  for (const cell of ['*', '#', '~', ':', '|']) expect(seen).toContain(cell);
});
