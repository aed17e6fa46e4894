/** The scenario `office`: what its numbers say, with a spanning tree and without. */
import { beforeAll, describe, expect, test } from 'vitest';
import office from '../../../../src/scenarios/office.ts';
import { World } from '../../../../src/world/world.ts';

interface Phase {
  readonly ringPercent: number;
  readonly framesToDesks: number;
  readonly addressMoves: number;
  readonly shutPorts: readonly string[];
}

interface Result {
  readonly root: string;
  readonly untilCut: Phase;
  readonly after: Phase;
  readonly broadcastsHeard: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly pings: Readonly<Record<string, { sent: number; answered: number; lost: string; routers: number | null }>>;
  readonly forwardedByRouter: number;
  readonly macTables: Readonly<Record<'beforeCut' | 'atEnd', Readonly<Record<string, readonly string[]>>>>;
}

function run(stp: 'on' | 'off') {
  const world = new World('1');
  const built = office.build(world, { stp });
  world.run(office.untilNs);
  expect(world.failedPrograms()).toEqual([]);
  return { result: built.result() as Result, lines: built.lines!() };
}

describe('with a spanning tree', () => {
  let result: Result;
  let lines: readonly string[];
  beforeAll(() => {
    ({ result, lines } = run('on'));
  });

  test('a broadcast is heard once, by everybody of the VLAN and by nobody of the other', () => {
    expect(result.broadcastsHeard).toEqual({
      alice: { bob: 5 },
      bob: { alice: 5 },
      carol: { dave: 5 },
      dave: { carol: 5 },
    });
  });

  test('from one VLAN to the other a packet passes the router, within one it does not', () => {
    expect(result.pings['alice to bob']?.routers).toBe(0);
    expect(result.pings['bob to dave']?.routers).toBe(1);
    // Each ping and its answer; the requests that were lost on their way to the router were not passed on.
    expect(result.forwardedByRouter).toBe(2 * result.pings['bob to dave']!.answered);
  });

  test('one port is shut, and opens when a cable of the ring is cut: a few pings in a row are lost, and no more', () => {
    expect(result.root).toBe('floor1');
    expect([result.untilCut.shutPorts, result.after.shutPorts]).toEqual([['floor3.port1'], []]);
    for (const { sent, answered, lost } of Object.values(result.pings)) {
      expect(sent).toBe(120);
      expect(lost).toMatch(/^\d+-\d+$/);
      expect(answered).toBeGreaterThan(110);
    }
    expect(result.untilCut.ringPercent).toBeLessThan(2);
    expect(result.untilCut.addressMoves).toBe(0);
  });

  test('the tables have each address in its VLAN, and another way to it after the cut', () => {
    const { beforeCut, atEnd } = result.macTables;
    expect(beforeCut['floor1']).toContain('10 bob port0');
    expect(atEnd['floor1']).toContain('10 bob port1');
    expect(beforeCut['floor1']).toContain('20 carol port3');
    const known = Object.values(beforeCut).flat();
    expect(known.filter(row => /^10 (carol|dave|router\.eth1)|^20 (alice|bob|router\.eth0)/.test(row))).toEqual([]);
  });

  test('the lines for a person say the same', () => {
    expect(lines).toContain("  alice  5 of bob's");
    expect(lines).toContain('until floor1-floor2 is cut');
    expect(lines).toContain('    10 bob port1');
  });
});

test('without one: a storm in both VLANs, in which addresses never stay, until the cut ends it', () => {
  const { result } = run('off');
  expect(result.root).toBe('none');
  expect(result.untilCut.ringPercent).toBeGreaterThan(40);
  expect(result.untilCut.addressMoves).toBeGreaterThan(3000);
  expect(result.after.ringPercent).toBeLessThan(1);
  // Many times over, and still by nobody of the other VLAN.
  expect(Object.keys(result.broadcastsHeard['alice']!)).toEqual(['bob']);
  expect(Object.keys(result.broadcastsHeard['dave']!)).toEqual(['carol']);
  expect(result.broadcastsHeard['alice']!['bob']).toBeGreaterThan(100);
  // Unicasts went astray, and an ARP request is sent again after a second only.
  expect(result.pings['alice to bob']?.lost).toMatch(/^1-/);
  expect(result.pings['bob to dave']?.answered).toBeGreaterThan(0);
  expect(result.pings['bob to dave']?.answered).toBeLessThan(60);
});
