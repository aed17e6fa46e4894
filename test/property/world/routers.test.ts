/**
 * A network of routers delivers what its routes say, and nothing else: a packet is followed through the tables on paper,
 * and the machines must come to the same end. Real computers and cables, in which software takes no time.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import type { DropReason } from '../../../kernel/net/drop.ts';
import { formatIpv4, parseIpv4 } from '../../../src/lib/bytes.ts';
import { type Computer, FREE } from '../../../src/world/computer.ts';
import { World } from '../../../src/world/world.ts';

const SECOND_NS = 1_000_000_000;
const LINK_UP_NS = 2.5 * SECOND_NS;
const TTL = 64;
/** A world of several routers takes some hundred milliseconds. */
const SOME = { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 5) };
/** Connected networks win over static routes to the same prefix. */
const STATIC_METRIC = 5;

/** Cable k joins two routers: `10.0.k.1/29` at the first, `10.0.k.2` at the second. */
type Ends = readonly [number, number];

interface StaticRoute {
  readonly at: number;
  readonly prefix: string;
  /** The cable by which the next router is reached. */
  readonly via: number;
}

interface Plan {
  readonly routers: number;
  readonly cables: readonly Ends[];
  readonly routes: readonly StaticRoute[];
  /** Pings from router 0. */
  readonly targets: readonly string[];
}

const plan: fc.Arbitrary<Plan> = fc.integer({ min: 2, max: 5 }).chain(routers => {
  const router = fc.nat(routers - 1);
  // A tree, so that all can be reached, and then some more cables, which make loops.
  const tree = fc.tuple(...Array.from({ length: routers - 1 }, (_, i) => fc.nat(i).map((to): Ends => [to, i + 1])));
  const chord = fc.tuple(router, router).filter(([a, b]) => a !== b);
  return fc.tuple(tree, fc.array(chord, { maxLength: 2 })).chain(([branches, chords]) => {
    const cables: Ends[] = [...branches, ...chords];
    const cable = fc.nat(cables.length - 1);
    const network = cable.map(k => `10.0.${k}.0/29`);
    const prefix = fc.oneof(
      network,
      network,
      fc.constantFrom('0.0.0.0/0', '10.0.0.0/16', '10.0.0.0/22', '172.16.0.0/12'),
    );
    const route = fc
      .record({ prefix, via: cable, end: fc.constantFrom(0 as const, 1 as const) })
      .map(({ prefix: to, via, end }) => ({ at: cables[via]![end], prefix: to, via }));
    const host = fc.tuple(cable, fc.constantFrom(1, 2, 1, 2, 5)).map(([k, n]) => `10.0.${k}.${n}`);
    return fc.record({
      routers: fc.constant(routers),
      cables: fc.constant(cables),
      routes: fc.uniqueArray(route, {
        minLength: routers,
        maxLength: 5 * routers,
        selector: each => `${each.at} ${each.prefix}`,
      }),
      targets: fc.uniqueArray(
        fc.oneof({ weight: 4, arbitrary: host }, { weight: 1, arbitrary: fc.constant('172.16.0.9') }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    });
  });
});

/** Routers 1 and 2 think of each other as the way to everything else. */
const CIRCLE: Plan = {
  routers: 3,
  cables: [
    [0, 1],
    [1, 2],
  ],
  routes: [
    { at: 0, prefix: '0.0.0.0/0', via: 0 },
    { at: 1, prefix: '0.0.0.0/0', via: 1 },
    { at: 2, prefix: '0.0.0.0/0', via: 1 },
  ],
  targets: ['172.16.0.9', '10.0.1.2'],
};

/** As {@link CIRCLE}, but it is the reply that runs in a circle, and then the error about it. */
const CIRCLE_BACK: Plan = {
  routers: 5,
  cables: [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ],
  routes: [
    { at: 0, prefix: '0.0.0.0/0', via: 0 },
    { at: 2, prefix: '0.0.0.0/0', via: 2 },
    { at: 3, prefix: '0.0.0.0/0', via: 3 },
    { at: 4, prefix: '0.0.0.0/0', via: 3 },
  ],
  targets: ['10.0.1.2'],
};

/** How a packet ends: where, and why. `hops` is how often it was forwarded. */
interface End {
  readonly at: number;
  readonly why: 'delivered' | 'no route' | 'no host' | 'no life' | 'martian';
  readonly hops: number;
}

const isIn = (address: number, prefix: string): boolean => {
  const [network, length] = prefix.split('/') as [string, string];
  const size = 2 ** (32 - Number(length));
  return Math.floor(address / size) === Math.floor(parseIpv4(network) / size);
};

/** The tables on paper. */
class Paper {
  readonly #plan: Plan;

  constructor(drawn: Plan) {
    this.#plan = drawn;
  }

  /** The addresses of a router, by cable. */
  addresses(router: number): Map<number, number> {
    const found = new Map<number, number>();
    for (const [k, ends] of this.#plan.cables.entries()) {
      const end = ends.indexOf(router);
      if (end >= 0) found.set(k, parseIpv4(`10.0.${k}.${end + 1}`));
    }
    return found;
  }

  /** The cable by which a router sends to an address, and whether the address itself is there; null without a route. */
  route(router: number, to: number): { readonly cable: number; readonly direct: boolean } | null {
    for (const cable of this.addresses(router).keys()) {
      if (isIn(to, `10.0.${cable}.0/29`)) return { cable, direct: true };
    }
    const bits = (prefix: string) => Number(prefix.split('/')[1]);
    const best = this.#plan.routes
      .filter(({ at, prefix }) => at === router && isIn(to, prefix))
      .sort((a, b) => bits(b.prefix) - bits(a.prefix))[0];
    return best === undefined ? null : { cable: best.via, direct: false };
  }

  /** Follows a packet from router `at`. */
  follow(at: number, source: number, to: number): End {
    let router = at;
    let ttl = TTL;
    for (let hops = 0; ; hops++) {
      const own = [...this.addresses(router).values()];
      if (hops > 0 && own.includes(source)) return { at: router, why: 'martian', hops };
      if (own.includes(to)) return { at: router, why: 'delivered', hops };
      const route = this.route(router, to);
      if (route === null) return { at: router, why: 'no route', hops };
      if (hops > 0) {
        if (ttl <= 1) return { at: router, why: 'no life', hops };
        ttl -= 1;
      }
      const next = this.#plan.cables[route.cable]!.find(end => end !== router)!;
      if (route.direct && this.addresses(next).get(route.cable) !== to) return { at: router, why: 'no host', hops };
      router = next;
    }
  }

  /** The address that a router sends from to `to`. */
  source(router: number, to: number): number {
    return this.addresses(router).get(this.route(router, to)?.cable ?? -1) ?? to;
  }

  /** All packets that a ping from router 0 makes: there, and back, or the error; errors about replies too. */
  packets(to: number): End[] {
    const source = this.source(0, to);
    const there = this.follow(0, source, to);
    if (there.why !== 'delivered') return [there, ...this.errors(there, 0, source)];
    const back = this.follow(there.at, to, source);
    return [there, back, ...this.errors(back, there.at, to)];
  }

  /** The ICMP error about a packet from `source` at router `from`, if there is one. */
  errors({ at, why }: End, from: number, source: number): End[] {
    if (why === 'delivered' || why === 'martian' || at === from) return [];
    return [this.follow(at, this.source(at, source), source)];
  }

  /** What a ping from router 0 must report. */
  ping(to: number): string {
    const source = this.source(0, to);
    const [there, back] = this.packets(to) as [End, End | undefined];
    if (there.at === 0 && there.why === 'no route') return 'ENETUNREACH from 0.0.0.0';
    if (there.at === 0 && there.why === 'no host') return `EHOSTUNREACH from ${formatIpv4(source)}`;
    if (back?.why !== 'delivered') return 'timeout';
    if (there.why === 'delivered') return `reply, ttl ${TTL - Math.max(0, back.hops - 1)}`;
    const code = there.why === 'no route' ? 'ENETUNREACH' : 'EHOSTUNREACH';
    return `${code} from ${formatIpv4(this.source(there.at, source))}`;
  }
}

function build({ routers, cables, routes }: Plan): { readonly world: World; readonly machines: readonly Computer[] } {
  const world = new World('routers');
  const paper = new Paper({ routers, cables, routes, targets: [] });
  const slots = Array.from({ length: routers }, (_, router) => [...paper.addresses(router)]);
  const machines = slots.map((ports, router) =>
    world.computer(`r${router}`, {
      nics: ports.map(([, address]) => ({
        address: `${formatIpv4(address)}/29`,
        txDescriptors: 16,
        rxDescriptors: 16,
      })),
      forwarding: true,
      routes: routes
        .filter(({ at }) => at === router)
        .map(({ prefix, via }) => {
          const far = cables[via]![0] === router ? 2 : 1;
          return { destination: prefix, gateway: `10.0.${via}.${far}`, metric: STATIC_METRIC };
        }),
      costs: FREE,
    }),
  );
  for (const [k, ends] of cables.entries()) {
    const [a, b] = ends.map(router => machines[router]!.nics[slots[router]!.findIndex(([cable]) => cable === k)]!);
    world.cable(`cable${k}`, a!, b!);
  }
  return { world, machines };
}

/** A report in the words of {@link Paper.ping}. */
function tell(report: PingReport): string {
  if (report.kind === 'reply') return `reply, ttl ${report.ttl}`;
  return report.kind === 'timeout' ? 'timeout' : `${report.error.code} from ${formatIpv4(report.error.reporter)}`;
}

test('1812-1 1812-2 a ping ends as the routes on paper say, in a reply, in silence, or in one error from the right router', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(plan, drawn => {
      const { world, machines } = build(drawn);
      const paper = new Paper(drawn);
      const reports: PingReport[] = [];
      machines[0]!.start('pings', function* (sys) {
        yield* sys.sleep(LINK_UP_NS);
        for (const target of drawn.targets) {
          const options = { count: 1, timeoutNs: 5 * SECOND_NS };
          yield* ping(parseIpv4(target), options, report => reports.push(report))(sys);
        }
      });
      world.run(LINK_UP_NS + drawn.targets.length * 6 * SECOND_NS);
      expect(reports.map(tell)).toEqual(drawn.targets.map(target => paper.ping(parseIpv4(target))));
      // Each packet has one end, and nobody hears of it twice; every buffer is back.
      const ends = drawn.targets.flatMap(target => paper.packets(parseIpv4(target)));
      const drops = (reason: DropReason) =>
        machines.reduce((sum, { kernel }) => sum + kernel.net.drops.counts[reason], 0);
      const ended = (why: End['why']) => ends.filter(end => end.why === why).length;
      expect(drops('time to live exceeded')).toBe(ended('no life'));
      expect(drops('martian source')).toBe(ended('martian'));
      const fromRouters = reports.filter(report => report.kind === 'error' && isRemote(machines[0]!, report));
      expect(machines[0]!.kernel.net.icmp.counters.errors).toBe(fromRouters.length);
      for (const { kernel } of machines) expect(kernel.packets.usage().cpu).toBe(0);
      expect(world.failedPrograms()).toEqual([]);
      for (const { why } of ends) seen.set(why, (seen.get(why) ?? 0) + 1);
    }),
    { ...SOME, examples: [[CIRCLE], [CIRCLE_BACK]] },
  );
  expect([...seen.keys()].sort()).toEqual(['delivered', 'martian', 'no host', 'no life', 'no route']);
});

const isRemote = (machine: Computer, { error: { reporter } }: PingReport & { kind: 'error' }): boolean => {
  return reporter !== 0 && !machine.kernel.net.ipv4Output.isOwnAddress(reporter);
};
