/**
 * The routing table against a list that is searched from end to end: the same routes are found, whatever is added,
 * removed, and lost with its link, in whatever order.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskOf } from '../../kernel/net/ipv4/address.ts';
import type { Link } from '../../kernel/net/ipv4/link.ts';
import { type Route, RouteTable } from '../../kernel/net/route.ts';

const NO_FEATURES = { checksum: false, segmentationBuffers: 0, vlan: false };
const LINKS: readonly Link[] = ['a', 'b', 'c'].map(name => {
  const link = { name, type: 'none', mtu: 1500, address: 1, prefixLength: 24, broadcast: 0xffff_ffff, loopback: false };
  return { ...link, features: NO_FEATURES, send: () => {} };
});

type Model = { routes: Route[]; readonly down: Set<Link> };

/** All the routes that `destination` may take. */
function usable({ routes, down }: Model, destination: number): Route[] {
  let best: Route[] = [];
  for (const route of routes) {
    if (down.has(route.link) || ((route.destination ^ destination) & maskOf(route.prefixLength)) !== 0) continue;
    const { prefixLength, metric } = best[0] ?? { prefixLength: -1, metric: 0 };
    if (route.prefixLength > prefixLength || (route.prefixLength === prefixLength && route.metric < metric)) {
      best = [route];
    } else if (route.prefixLength === prefixLength && route.metric === metric) best.push(route);
  }
  return best;
}

/** Few bits differ, so that prefixes overlap, at every length and on both sides of every node's border. */
const address = fc
  .tuple(
    fc.constantFrom(0x0a00_0000, 0x0a01_0000, 0xc0a8_0000, 0),
    fc.nat(3),
    fc.constantFrom(0, 7, 8, 15, 16, 23, 24, 30),
  )
  .map(([base, bits, shift]) => (base ^ (bits << shift)) >>> 0);
const prefixLength = fc.oneof(fc.integer({ min: 0, max: 32 }), fc.constantFrom(0, 8, 9, 16, 17, 24, 25, 31, 32));
const route = fc
  .record({
    destination: address,
    prefixLength,
    gateway: fc.integer({ min: 0, max: 2 }),
    link: fc.constantFrom(...LINKS),
    metric: fc.constantFrom(0, 0, 1, 0xffff_ffff),
  })
  .map(drawn => {
    const destination = (drawn.destination & maskOf(drawn.prefixLength)) >>> 0;
    return { ...drawn, destination, source: drawn.link.address };
  });
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), route }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), index: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('link' as const), link: fc.constantFrom(...LINKS), up: fc.boolean() }),
  },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

const same = (a: Route, b: Route): boolean =>
  (['destination', 'prefixLength', 'gateway', 'link', 'metric'] as const).every(key => a[key] === b[key]);

function make(table: RouteTable, model: Model, step: Move): void {
  switch (step.kind) {
    case 'add':
      if (!model.routes.some(other => same(other, step.route))) model.routes.push(step.route);
      table.add(step.route);
      break;
    case 'remove': {
      const [removed] = model.routes.splice(step.index, 1);
      if (removed !== undefined) table.remove(removed);
      break;
    }
    case 'link':
      if (step.up) model.down.delete(step.link);
      else model.down.add(step.link);
      table.linkChanged(step.link, step.up);
  }
}

test('the longest prefix is found that a search of all routes finds, after every edit', () => {
  fc.assert(
    fc.property(
      fc.array(move, { maxLength: 60 }),
      fc.array(address, { minLength: 8, maxLength: 8 }),
      (moves, probes) => {
        const table = new RouteTable();
        const model: Model = { routes: [], down: new Set() };
        for (const step of moves) {
          make(table, model, step);
          const asked = [...probes, ...model.routes.slice(-2).map(({ destination }) => destination)];
          for (const destination of asked) {
            const wanted = usable(model, destination);
            const found = table.explain(destination);
            const text = `${destination} of ${wanted.length}`;
            if (found === null) expect(wanted, text).toEqual([]);
            else
              expect(
                wanted.some(each => same(each, found)),
                text,
              ).toBe(true);
            expect(table.find(destination)?.gateway).toBe(found?.gateway);
          }
        }
        expect(table.size).toBe(model.routes.length);
        for (const row of table.list()) {
          expect(model.routes.some(other => same(other, row))).toBe(true);
          expect(row.usable).toBe(!model.down.has(row.link));
        }
      },
    ),
  );
});

test('a table that was emptied is as small as it was full, and finds nothing', () => {
  fc.assert(
    fc.property(fc.array(route, { minLength: 1, maxLength: 200 }), fc.array(address), (routes, probes) => {
      const table = new RouteTable();
      for (const each of routes) table.add(each);
      const fullBytes = table.memoryBytes;
      for (let round = 0; round < 3; round++) {
        for (const each of routes) table.remove(each);
        for (const each of probes) expect(table.find(each)).toBe(null);
        expect(table.list()).toEqual([]);
        for (const each of routes) table.add(each);
      }
      expect(table.memoryBytes).toBeLessThanOrEqual(2 * fullBytes);
    }),
  );
});
