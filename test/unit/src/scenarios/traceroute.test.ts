/** The scenario `traceroute`: who is on the way, why it ends, and what a loop looks like. */
import { describe, expect, test } from 'vitest';
import traceroute from '../../../../src/scenarios/traceroute.ts';
import { World } from '../../../../src/world/world.ts';

interface Probe {
  readonly name: string;
  readonly rttNs: number;
  readonly mark: string;
}

interface Result {
  readonly traces: readonly {
    readonly destination: string;
    readonly hops: readonly { readonly ttl: number; readonly probes: readonly (Probe | null)[] }[];
  }[];
  readonly timeToLiveExceeded: Readonly<Record<string, number>>;
}

function run(loop: 'on' | 'off') {
  const world = new World('1');
  const built = traceroute.build(world, { loop });
  world.run(traceroute.untilNs);
  expect(world.failedPrograms()).toEqual([]);
  const result = built.result() as Result;
  const traceTo = (destination: string) => result.traces.find(trace => trace.destination === destination)!.hops;
  /** The routers in order, each with its mark; all probes of a hop agree. */
  const way = (destination: string) =>
    traceTo(destination).map(({ probes }) => {
      const texts = probes.map(probe => (probe === null ? '*' : `${probe.name}${probe.mark}`));
      expect(new Set(texts).size).toBe(1);
      return texts[0];
    });
  return { result, traceTo, way, lines: built.lines!() };
}

describe('without a loop', () => {
  const { result, traceTo, way, lines } = run('off');

  test('the routers come one after the other, and of two equal ways each destination has its own', () => {
    expect(way('10.9.0.2')).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'web']);
    expect(way('10.9.0.7')).toEqual(['r1', 'r2', 'r6', 'r4', 'r5', 'mail']);
    expect(traceTo('10.9.0.2').map(({ ttl }) => ttl)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('times are those of the lines, there and back', () => {
    const milliseconds = (destination: string) =>
      traceTo(destination).map(({ probes }) => Math.floor(probes.at(-1)!.rttNs / 1e6));
    expect(milliseconds('10.9.0.2')).toEqual([0, 4, 14, 14, 16, 16]);
    // r6 itself answers by its own line, 8 ms long; all behind it by that of r3.
    expect(milliseconds('10.9.0.7')).toEqual([0, 4, 20, 17, 19, 19]);
  });

  test('marks say why it goes no further', () => {
    expect(way('10.9.0.99')).toEqual(['r1', 'r2', 'r6', 'r4', 'r5', 'r5!H']);
    expect(way('10.9.0.4')).toEqual(['r1', 'r2', 'r3', 'r4', 'r5!X']);
    expect(way('198.51.100.1')).toEqual(['r1', 'r2', 'r3', 'r4', 'r5!N']);
    expect(result).toMatchObject({ 'ping 198.51.100.1': ['ENETUNREACH: network unreachable, says r5'] });
  });

  test('each router has answered once for each probe that ended there', () => {
    // Five traces of three probes; r3 is on three of the ways, and r5 refused two.
    expect(result.timeToLiveExceeded).toEqual({ r1: 15, r2: 15, r3: 9, r4: 15, r5: 9, r6: 6 });
  });

  test('a person sees what traceroute prints', () => {
    expect(lines[0]).toBe('traceroute to 10.9.0.2 (a host), 30 hops max');
    expect(lines[2]).toMatch(/^ 2 {2}r2 \(10\.0\.12\.2\) {2}\d+\.\d{3} ms {2}\d+\.\d{3} ms {2}\d+\.\d{3} ms$/);
    expect(lines.filter(line => line.endsWith('!X'))).toHaveLength(1);
  });
});

test('in a loop two routers answer by turns, as far as anybody asks, and a packet ends with its time to live', () => {
  const { result, way } = run('on');
  const hops = way('198.51.100.1');
  expect(hops).toHaveLength(30);
  expect(hops.slice(3)).toEqual(Array.from({ length: 27 }, (_, i) => (i % 2 === 0 ? 'r4' : 'r5')));
  // From 64 the ping's comes to 1 at r4 after 30 times round.
  expect(result).toMatchObject({ 'ping 198.51.100.1': ['EHOSTUNREACH: time to live exceeded, says r4'] });
  expect(way('10.9.0.2')).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'web']);
});
