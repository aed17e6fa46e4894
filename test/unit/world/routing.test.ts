import { describe, expect, test } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import type { Computer } from '../../../src/world/computer.ts';
import type { RouteOptions } from '../../../src/world/routing.ts';
import { World } from '../../../src/world/world.ts';

const LINK_UP_NS = 2_500_000_000;
const SECOND_NS = 1_000_000_000;

describe('a route that cannot be is refused when it is said', () => {
  test.each<[RouteOptions, string]>([
    [{ destination: '10.0.0.0', gateway: '192.0.2.2' }, 'not an address with a prefix: "10.0.0.0"'],
    [{ destination: '10.0.0.0/33', gateway: '192.0.2.2' }, 'not an address with a prefix'],
    [{ destination: '10.0.0.1/8', gateway: '192.0.2.2' }, '10.0.0.1/8 has bits set beyond its prefix'],
    [{ destination: '10.0.0.0/8', gateway: 'there' }, 'not an IPv4 address: "there"'],
    [
      { destination: '10.0.0.0/8', gateway: '192.0.3.2' },
      'gateway 192.0.3.2 of the route to 10.0.0.0/8 is on no network',
    ],
    [
      { destination: '10.0.0.0/8', gateway: '192.0.2.1' },
      'gateway 192.0.2.1 of the route to 10.0.0.0/8 is on no network',
    ],
    [{ destination: '10.0.0.0/8', gateway: '192.0.2.2', metric: -1 }, 'metric -1 of the route to 10.0.0.0/8'],
    [{ destination: '10.0.0.0/8', gateway: '192.0.2.2', metric: 0.5 }, 'metric 0.5 of the route'],
  ])('%j', (route, message) => {
    const build = () => new World('1').computer('a', { nics: [{ address: '192.0.2.1/24' }, {}], routes: [route] });
    expect(build).toThrow(RangeError);
    expect(build).toThrow(message);
  });
});

/** alice -- r1 -- r2 -- r3 -- bob: networks 10.0.n.0/24, the lower address is the left one's. */
function chain(): { readonly world: World; readonly alice: Computer; readonly routers: readonly Computer[] } {
  const world = new World('chain');
  const alice = world.computer('alice', { nics: [{ address: '10.0.1.1/24', gateway: '10.0.1.2' }] });
  const routers = [1, 2, 3].map(n =>
    world.computer(`r${n}`, {
      nics: [{ address: `10.0.${n}.2/24` }, { address: `10.0.${n + 1}.1/24` }],
      forwarding: true,
      routes: [1, 2, 3, 4].flatMap(net => {
        if (net === n || net === n + 1) return [];
        return [{ destination: `10.0.${net}.0/24`, gateway: net > n ? `10.0.${n + 1}.2` : `10.0.${n}.1` }];
      }),
    }),
  );
  const bob = world.computer('bob', { nics: [{ address: '10.0.4.2/24', gateway: '10.0.4.1' }] });
  const path = [alice, ...routers, bob];
  for (let i = 0; i < 4; i++) world.cable(`net${i + 1}`, path[i]!.nics.at(-1)!, path[i + 1]!.nics[0]!);
  return { world, alice, routers };
}

/** What a ping from `from` to `to` reports. */
function pinged(world: World, from: Computer, to: string): PingReport[] {
  const reports: PingReport[] = [];
  from.start('ping', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    yield* ping(parseIpv4(to), { count: 2 }, report => reports.push(report))(sys);
  });
  world.run(LINK_UP_NS + 10 * SECOND_NS);
  return reports;
}

test('a ping goes through three routers and back', () => {
  const { world, alice, routers } = chain();
  const reply = { kind: 'reply', address: parseIpv4('10.0.4.2'), ttl: 61 };
  expect(pinged(world, alice, '10.0.4.2')).toMatchObject([reply, reply]);
  for (const { kernel } of routers) expect(kernel.net.ipv4Forward!.counters.forwarded).toBe(4);
});

test('a computer that is not told to forward does not', () => {
  const world = new World('1');
  const nics = [{ address: '10.0.1.2/24' }, { address: '10.0.2.1/24' }];
  const alice = world.computer('alice', { nics: [{ address: '10.0.1.1/24', gateway: '10.0.1.2' }] });
  const host = world.computer('host', { nics });
  world.cable('cable', alice.nics[0]!, host.nics[0]!);
  expect(pinged(world, alice, '10.0.2.2').map(({ kind }) => kind)).toEqual(['timeout', 'timeout']);
  expect(host.kernel.net.drops.counts['not for this host']).toBe(2);
});
