/** The scenario `loop`: what its numbers say, with a spanning tree and without. */
import { describe, expect, test } from 'vitest';
import loop from '../../../../src/scenarios/loop.ts';
import { World } from '../../../../src/world/world.ts';

interface Phase {
  readonly ring: Readonly<Record<string, string>>;
  readonly framesToHosts: Readonly<Record<string, number>>;
  readonly addressMoves: number;
  readonly shutPorts: string;
}

function run(stp: 'on' | 'off') {
  const world = new World('1');
  const built = loop.build(world, { stp });
  world.run(loop.untilNs);
  return built.result() as { root: string; untilCablePulled: Phase; after: Phase; pings: Record<string, string> };
}

const full = (phase: Phase) => Object.values(phase.ring).map(text => Number.parseFloat(text));

describe('three switches in a ring', () => {
  test('without a spanning tree: a storm, and addresses that never stay; it ends with the ring', () => {
    const { root, untilCablePulled, after } = run('off');
    expect(root).toBe('none');
    expect(Math.min(...full(untilCablePulled))).toBeGreaterThan(40);
    expect(Math.min(...Object.values(untilCablePulled.framesToHosts))).toBeGreaterThan(1500);
    expect(untilCablePulled.addressMoves).toBeGreaterThan(3000);
    expect(Math.max(...full(after))).toBeLessThan(3);
  });

  test('with one: a port is shut, the cables are quiet, and another path is there when one is pulled', () => {
    const { root, untilCablePulled, after, pings } = run('on');
    expect(root).toBe('a');
    expect(untilCablePulled.shutPorts).toBe('c.port1');
    expect(Math.max(...full(untilCablePulled))).toBeLessThan(1);
    expect(Math.max(...Object.values(untilCablePulled.framesToHosts))).toBeLessThan(30);
    expect(after.shutPorts).toBe('a.port0, b.port1'); // those of the cable that was pulled
    expect(pings['carol']).toBe('30 of 30 answered');
    expect(Number.parseInt(pings['alice']!, 10)).toBeGreaterThan(15);
  });
});
