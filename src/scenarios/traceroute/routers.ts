/**
 * The network: a client, the routers r1 to r5 in a row with r6 beside r3, and a LAN behind r5.
 *
 *                            /- 5 ms - r3 -\
 *     client - r1 - 2 ms - r2               r4 - 1 ms - r5 - web, mail, guarded
 *                            \- 8 ms - r6 -/
 */
import { parseIpv4 } from '../../lib/bytes.ts';
import type { Computer } from '../../world/computer.ts';
import type { Jack } from '../../world/jack.ts';
import type { RouteOptions } from '../../world/routing.ts';
import type { World } from '../../world/world.ts';

/** By then all links are up. */
export const LINKS_UP_NS = 2_500_000_000;

/** Addresses of the LAN. By the hash that routers spread flows with, `web` is reached by r3 and `mail` by r6. */
export const LAN = { web: '10.9.0.2', mail: '10.9.0.7', guarded: '10.9.0.4', nobody: '10.9.0.99' } as const;

const CLIENT = '10.0.0.2';
const CLIENT_NETWORK = '10.0.0.0/24';
const EVERYTHING = '0.0.0.0/0';
/** r5 lets nobody get at `guarded`. */
const GUARD = `
table ip filter {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ip daddr ${LAN.guarded} reject with icmp admin-prohibited
  }
}`;

/** Lines between routers: who has `10.0.NUMBER.1`, who `10.0.NUMBER.2`, and how long a bit is on its way. */
const LINES = [
  { number: 12, ends: ['r1', 'r2'], delayNs: 2_000_000 },
  { number: 23, ends: ['r2', 'r3'], delayNs: 5_000_000 },
  { number: 26, ends: ['r2', 'r6'], delayNs: 8_000_000 },
  { number: 34, ends: ['r3', 'r4'], delayNs: 0 },
  { number: 64, ends: ['r6', 'r4'], delayNs: 0 },
  { number: 45, ends: ['r4', 'r5'], delayNs: 1_000_000 },
] as const;

/** The next hops of each router: to the right, which is where everything is, and back to the client. Back, all go by r3. */
const NEXT_HOPS: Readonly<Record<string, { readonly right: readonly string[]; readonly back: string | null }>> = {
  r1: { right: ['10.0.12.2'], back: null },
  r2: { right: ['10.0.23.2', '10.0.26.2'], back: '10.0.12.1' },
  r3: { right: ['10.0.34.2'], back: '10.0.23.1' },
  r4: { right: ['10.0.45.2'], back: '10.0.34.1' },
  r5: { right: [], back: '10.0.45.1' },
  r6: { right: ['10.0.64.2'], back: '10.0.26.1' },
};
/** Of routers, beside those of lines. */
const LAN_ADDRESSES: Readonly<Record<string, string>> = { r1: '10.0.0.1', r5: '10.9.0.1' };

interface Network {
  readonly client: Computer;
  /** r1 to r6. */
  readonly routers: readonly Computer[];
  /** Whose an address is. */
  readonly names: ReadonlyMap<number, string>;
}

/** `loop`: r5 sends back to r4 what it knows no other route for. */
export function routersInARow(world: World, loop: boolean): Network {
  const names = new Map<number, string>();
  const jacks = new Map<string, Jack>();
  const host = (name: string, address: string, gateway: string): Computer => {
    names.set(parseIpv4(address), name);
    return world.computer(name, { nics: [{ address: `${address}/24`, gateway }] });
  };
  const router = (name: string): Computer => {
    const addresses = addressesOf(name);
    const made = world.computer(name, {
      nics: addresses.map(address => ({ address: `${address}/24` })),
      forwarding: true,
      routes: routesOf(name, loop),
      ...(name === 'r5' ? { filter: GUARD } : {}),
    });
    for (const [i, address] of addresses.entries()) {
      names.set(parseIpv4(address), name);
      jacks.set(address, made.nics[i]!);
    }
    return made;
  };
  const client = host('client', CLIENT, LAN_ADDRESSES['r1']!);
  const routers = Object.keys(NEXT_HOPS).map(router);
  const hosts = (['web', 'mail', 'guarded'] as const).map(name => host(name, LAN[name], LAN_ADDRESSES['r5']!));
  world.cable('client', client.nics[0]!, jacks.get(LAN_ADDRESSES['r1']!)!);
  for (const { number, ends, delayNs } of LINES) {
    const [a, b] = [jacks.get(`10.0.${number}.1`)!, jacks.get(`10.0.${number}.2`)!];
    world.cable(ends.join('-'), a, b, delayNs === 0 ? {} : { impairments: { delayNs } });
  }
  world.switch('lan', [jacks.get(LAN_ADDRESSES['r5']!)!, ...hosts.map(({ nics }) => nics[0]!)]);
  return { client, routers, names };
}

function addressesOf(router: string): readonly string[] {
  const own = LAN_ADDRESSES[router];
  const lines = LINES.flatMap(({ number, ends }) =>
    ends.flatMap((name, i) => (name === router ? [`10.0.${number}.${i + 1}`] : [])),
  );
  return own === undefined ? lines : [own, ...lines];
}

function routesOf(router: string, loop: boolean): readonly RouteOptions[] {
  const { right, back } = NEXT_HOPS[router]!;
  const routes = right.map(gateway => ({ destination: EVERYTHING, gateway }));
  if (back === null) return routes;
  // Errors of a router go back to the client by the same way.
  const network = router === 'r5' && loop ? EVERYTHING : CLIENT_NETWORK;
  return [...routes, { destination: network, gateway: back }];
}
