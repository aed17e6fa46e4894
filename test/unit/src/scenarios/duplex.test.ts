/** The scenarios about half and full duplex: what each of the two hosts sees of it. */
import { describe, expect, test } from 'vitest';
import collision from '../../../../src/scenarios/collision.ts';
import type { TalkersResult } from '../../../../src/scenarios/duplex/two-talkers.ts';
import duplexMismatch from '../../../../src/scenarios/duplex-mismatch.ts';
import fullDuplex from '../../../../src/scenarios/full-duplex.ts';
import type { Scenario } from '../../../../src/world/scenario.ts';
import { World } from '../../../../src/world/world.ts';

function play(scenario: Scenario, seed: string): { result: TalkersResult; text: string } {
  const world = new World(seed);
  const run = scenario.build(world);
  world.run(scenario.untilNs);
  expect(world.failedPrograms()).toEqual([]);
  return { result: run.result() as TalkersResult, text: run.lines!().join('\n') };
}

describe.each(['1', '2', '3'])('with seed %s', seed => {
  test('hosts on a hub collide at the same moments, and every datagram is answered', () => {
    const { result, text } = play(collision, seed);
    const { alice, bob } = result.counters;
    expect(result.datagrams.alice).toEqual({ sent: 20, answered: 20 });
    expect(result.datagrams.bob).toEqual({ sent: 20, answered: 20 });
    expect(alice.COLC).toBeGreaterThan(0);
    expect(bob.COLC).toBe(alice.COLC);
    expect(alice.SCC + alice.MCC).toBeGreaterThan(0);
    expect([alice.LATECOL, bob.LATECOL, alice.ECOL, bob.ECOL, alice.txErrors, bob.txErrors]).toEqual(Array(6).fill(0));
    expect(text).toMatch(/X {2}X/);
    expect(text).toContain('#');
  });

  test('on a full-duplex link both send at once, and nothing collides or waits', () => {
    const { result, text } = play(fullDuplex, seed);
    for (const counters of Object.values(result.counters)) {
      const { GPTC, GPRC, ...troubles } = counters;
      expect(GPTC).toBe(GPRC);
      expect(Object.values(troubles).every(count => count === 0)).toBe(true);
    }
    expect(result.datagrams.bob.answered).toBe(20);
    expect(text).not.toContain('#  ');
  });

  test('in a duplex mismatch late collisions are on the half side only, damaged frames on the full side only', () => {
    const { alice, bob } = play(duplexMismatch, seed).result.counters;
    expect(bob.LATECOL).toBeGreaterThan(0);
    expect([alice.LATECOL, alice.COLC, alice.DC]).toEqual([0, 0, 0]);
    expect(alice.CRCERRS + alice.ALGNERRC + alice.RFC).toBe(bob.LATECOL + bob.COLC);
    expect([bob.CRCERRS, bob.ALGNERRC, bob.RFC]).toEqual([0, 0, 0]);
    expect(bob.txErrors).toBe(bob.LATECOL);
  });
});
