import { describe, expect, it } from 'vitest';
import { formatIpv4, parseIpv4 } from '../../../src/lib/bytes.ts';
import { kernelEvents } from '../../../src/observe/kernel-probe.ts';
import { type RouteEntry, routeHistory } from '../../../src/observe/route-history.ts';
import type { TableHistory } from '../../../src/observe/table-history.ts';
import type { Computer } from '../../../src/world/computer.ts';
import type { DraftRoute } from '../../../src/world/route-editor.ts';
import { World } from '../../../src/world/world.ts';

const LINK_UP_NS = 2_500_000_000;
const WEST = '192.0.2.2';
const EAST = '198.51.100.2';
const NETWORKS = ['10.1.0.0/16', '10.2.0.0/16'];

/** A router with a host at one side and two gateways at the other, by which two networks are reached: both by the west. */
function crossroads() {
  const world = new World('routes');
  const alice = world.computer('alice', { nics: [{ address: '10.0.0.2/24', gateway: '10.0.0.1' }] });
  const router = world.computer('router', {
    nics: [{ address: '10.0.0.1/24' }, { address: '192.0.2.1/24' }, { address: '198.51.100.1/24' }],
    forwarding: true,
    routes: NETWORKS.map(destination => ({ destination, gateway: WEST })),
  });
  const west = world.computer('west', { nics: [{ address: `${WEST}/24` }] });
  const east = world.computer('east', { nics: [{ address: `${EAST}/24` }] });
  [alice, west, east].forEach(({ name, nics }, i) => {
    world.cable(name, nics[0]!, router.nics[i]!);
  });
  return { world, alice, router };
}

/** The routes with a gateway. */
const remote = (computer: Computer) => computer.routes.list().filter(({ gateway }) => gateway !== undefined);

const setGateway = (routes: DraftRoute[], network: string, gateway: string): void => {
  routes.find(({ destination }) => destination === network)!.gateway = gateway;
};

describe('the routes of a computer', () => {
  it('are listed as they are written down', () => {
    const { world, alice, router } = crossroads();
    world.run(LINK_UP_NS);
    expect(remote(router)).toEqual(NETWORKS.map(destination => ({ destination, gateway: WEST, metric: 0 })));
    expect(alice.routes.list()).toEqual([
      { destination: '0.0.0.0/0', gateway: '10.0.0.1', metric: 0 },
      { destination: '10.0.0.0/24', dev: 'eth0', metric: 0 },
      { destination: '10.0.0.2/32', dev: 'lo', metric: 0, source: '10.0.0.2' },
      { destination: '127.0.0.0/8', dev: 'lo', metric: 0 },
      { destination: '255.255.255.255/32', dev: 'eth0', metric: 0 },
    ]);
  });

  it('are added, changed and removed on a draft, at one moment', () => {
    const { world, router } = crossroads();
    world.run(LINK_UP_NS);
    const history = routeHistory(router.kernel.net.routes, 'router', world.clock);
    router.routes.edit(routes => {
      setGateway(routes, '10.1.0.0/16', EAST);
      routes.splice(
        routes.findIndex(({ destination }) => destination === '10.2.0.0/16'),
        1,
      );
      routes.push({ destination: '10.3.0.0/16', dev: 'eth2', metric: 7, source: '10.0.0.1' });
    });
    expect(remote(router)).toEqual([{ destination: '10.1.0.0/16', gateway: EAST, metric: 0 }]);
    expect(router.routes.list()).toContainEqual({
      destination: '10.3.0.0/16',
      dev: 'eth2',
      metric: 7,
      source: '10.0.0.1',
    });
    expect(
      history
        .changes()
        .slice(1)
        .map(({ rows }) => rows.map(({ change }) => change).toSorted()),
    ).toEqual([['added', 'added', 'removed', 'removed']]);
  });

  it.each<[RegExp, DraftRoute]>([
    [
      /^gateway 203.0.113.1 of the route to 10.9.0.0\/16 is on no network of the NICs$/,
      { destination: '10.9.0.0/16', gateway: '203.0.113.1' },
    ],
    [
      /^gateway 192.0.2.2 of the route to 10.9.0.0\/16 is on no network of eth2$/,
      { destination: '10.9.0.0/16', gateway: WEST, dev: 'eth2' },
    ],
    [/^the route to 10.9.0.0\/16 has neither a gateway nor a link$/, { destination: '10.9.0.0/16' }],
    [/^the route to 10.9.0.0\/16 leads by eth9: there is no such link$/, { destination: '10.9.0.0/16', dev: 'eth9' }],
    [/^10.9.0.1\/16 has bits set beyond its prefix$/, { destination: '10.9.0.1/16', gateway: WEST }],
    [/^metric -1 of the route to 10.9.0.0\/16$/, { destination: '10.9.0.0/16', gateway: WEST, metric: -1 }],
  ])('stay as they are when one makes no sense: %s', (message, route) => {
    const { world, router } = crossroads();
    world.run(LINK_UP_NS);
    const before = router.routes.list();
    const edit = () =>
      router.routes.edit(routes => {
        setGateway(routes, '10.1.0.0/16', EAST);
        routes.push(route);
      });
    expect(edit).toThrow(RangeError);
    expect(edit).toThrow(message);
    expect(router.routes.list()).toEqual(before);
  });
});

/** Alice has booted some milliseconds before she begins to sleep, and talks by then. */
const FIRST_EDIT_NS = LINK_UP_NS + 12_000_000;
const STEP_NS = 99_000;
const EDITS = 60;

/** Packets to both networks while their routes go from one gateway to the other and back, by `move`. */
function traffic(move: (world: World, router: Computer, gateway: string) => void) {
  const { world, alice, router } = crossroads();
  alice.start('talk', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    const socket = sys.socket('udp');
    for (let i = 0; i < 400; i++) {
      sys.sendto(socket, Uint8Array.of(i), parseIpv4(i % 2 === 0 ? '10.1.0.1' : '10.2.0.1'), 9);
      yield* sys.sleep(14_000);
    }
  });
  for (let i = 0; i < EDITS; i++) {
    const timer = world.clock.timer(() => move(world, router, i % 2 === 0 ? EAST : WEST));
    timer.armAt(FIRST_EDIT_NS + i * STEP_NS);
  }
  world.run(LINK_UP_NS);
  const history = routeHistory(router.kernel.net.routes, 'router', world.clock);
  const ways: { timeNs: number; network: string; gateway: string }[] = [];
  kernelEvents(router.kernel, 'router', world.clock).subscribe(event => {
    if (event.kind === 'forward') {
      ways.push({ timeNs: event.timeNs, network: event.prefix, gateway: formatIpv4(event.gateway) });
    }
  });
  world.run(FIRST_EDIT_NS + EDITS * STEP_NS + 2_000_000);
  return { history, ways, drops: router.kernel.net.drops.counts };
}

const gateways = (history: TableHistory<RouteEntry>, timeNs: number): readonly string[] =>
  Object.values(history.at(timeNs))
    .filter(({ gateway }) => gateway !== 0)
    .map(({ gateway }) => formatIpv4(gateway));

describe('routes that are edited while packets flow', () => {
  it('are seen by each packet as they were before an edit, or as they are after it', () => {
    const { history, ways, drops } = traffic((_, router, gateway) =>
      router.routes.edit(routes => {
        for (const network of NETWORKS) setGateway(routes, network, gateway);
      }),
    );
    expect(ways.length).toBeGreaterThan(300);
    expect(new Set(ways.map(({ network, gateway }) => `${network} ${gateway}`)).size).toBe(4);
    expect(history.changes()).toHaveLength(1 + EDITS);
    for (const { timeNs, gateway } of ways) expect(gateways(history, timeNs)).toEqual([gateway, gateway]);
    expect(drops['no route']).toBe(0);
  });

  it('are seen in between, when there are two edits with time between them', () => {
    const { history, ways } = traffic((world, router, gateway) => {
      router.routes.edit(routes => setGateway(routes, NETWORKS[0]!, gateway));
      const second = () => router.routes.edit(routes => setGateway(routes, NETWORKS[1]!, gateway));
      world.clock.timer(second).armIn(STEP_NS / 2);
    });
    const between = ways.filter(({ timeNs }) => new Set(gateways(history, timeNs)).size === 2);
    expect(between.length).toBeGreaterThan(50);
  });
});
