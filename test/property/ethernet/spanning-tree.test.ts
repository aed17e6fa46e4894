/** The rapid spanning tree on networks of any shape, IEEE 802.1D-2004 clause 17. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameTo, station } from '../../support/switch-rig.ts';
import { SwitchedNetwork } from '../../support/switched-network.ts';

const SECOND_NS = 1e9;
/** Long enough that old news of a lost root has died of age. */
const SETTLED_NS = 60 * SECOND_NS;

/** A connected network: each switch but the first is joined to an earlier one, and there are links beside. */
const topology = fc
  .integer({ min: 2, max: 8 })
  .chain(count =>
    fc.record({
      count: fc.constant(count),
      parents: fc.tuple(...Array.from({ length: count - 1 }, (_, i) => fc.nat(i))),
      extra: fc.array(
        fc.tuple(fc.nat(count - 1), fc.nat(count - 1)).filter(([a, b]) => a !== b),
        { maxLength: 6 },
      ),
      priorities: fc.array(fc.nat(15), { minLength: count, maxLength: count }),
      seed: fc.nat(1_000_000).map(String),
      cuts: fc.array(fc.nat(100), { minLength: 1, maxLength: 3 }),
    }),
  )
  .map(({ count, parents, extra, priorities, seed, cuts }) => ({
    count,
    edges: [...parents.map((parent, i) => [i + 1, parent] as [number, number]), ...extra],
    priorities: priorities.map(step => 4096 * step),
    seed,
    cuts,
  }));

/** Among the switches that are joined, by lowest number: all have the same root, the best of them, and one path. */
function checkTree(network: SwitchedNetwork, priorities: readonly number[]): void {
  const whole = network.links.filter(link => link.whole);
  const joined = network.components(whole);
  const active = network.forwarding();
  expect(network.components(active)).toEqual(joined);
  expect(active.length).toBe(network.switches.length - new Set(joined).size);
  for (const [node, { tree }] of network.switches.entries()) {
    const peers = [...network.switches.keys()].filter(other => joined[other] === joined[node]);
    const best = peers.reduce((a, b) => (priorities[b]! < priorities[a]! ? b : a));
    expect(tree!.rootPriority.root).toBe(network.switches[best]!.tree!.bridgeId);
    expect(tree!.isRoot).toBe(node === best);
  }
}

describe('a network of switches with a spanning tree', () => {
  test('has one path between any two, and the best switch as its root; again after a cut, and after a repair', () => {
    fc.assert(
      fc.property(topology, ({ count, edges, priorities, seed, cuts }) => {
        const options = (node: number) => ({ stp: { priority: priorities[node]! } });
        const network = new SwitchedNetwork(count, edges, { seed, options });
        network.pass(10 * SECOND_NS);
        checkTree(network, priorities);
        for (const cut of cuts) {
          network.cut(network.links[cut % network.links.length]!);
          network.pass(SETTLED_NS);
          checkTree(network, priorities);
        }
        for (const link of network.links) if (!link.whole) network.repair(link);
        network.pass(10 * SECOND_NS);
        checkTree(network, priorities);
      }),
      { numRuns: 60 },
    );
  });

  // A cut that takes the root away is another matter: old news of it may go round, and with it, for microseconds, frames.
  test('has no loop at any time while it comes up, nor when it loses a link that the root can spare, nor when it gets one', () => {
    fc.assert(
      fc.property(topology, ({ count, edges, priorities, seed, cuts }) => {
        const options = (node: number) => ({ stp: { priority: priorities[node]! } });
        const network = new SwitchedNetwork(count, edges, { seed, options });
        for (const device of network.switches) {
          device.onPortState = () => {
            if (network.hasLoop(network.forwarding())) throw new Error(`a loop at ${network.clock.nowNs} ns`);
          };
        }
        network.pass(10 * SECOND_NS);
        for (const cut of cuts) {
          const link = network.links[cut % network.links.length]!;
          const others = network.links.filter(each => each.whole && each !== link);
          if (new Set(network.components(others)).size > 1) continue;
          network.cut(link);
          network.pass(10 * SECOND_NS);
        }
        for (const link of network.links) if (!link.whole) network.repair(link);
        network.pass(10 * SECOND_NS);
      }),
      { numRuns: 60 },
    );
  });

  test('carries a frame from each station to each other exactly once', () => {
    fc.assert(
      fc.property(topology, ({ count, edges, seed }) => {
        const network = new SwitchedNetwork(count, edges, { seed });
        network.pass(10 * SECOND_NS);
        for (const from of network.stations.keys()) {
          for (const { arrivals } of network.stations) arrivals.length = 0;
          const frame = frameTo(new Uint8Array(6).fill(0xff), station(from));
          network.stations[from]!.send(frame);
          network.pass(1_000_000);
          const got = network.stations.map(({ arrivals }) => arrivals.filter(each => each.frame === frame).length);
          expect(got).toEqual(network.stations.map((_, to) => (to === from ? 0 : 1)));
        }
      }),
      { numRuns: 30 },
    );
  });
});
