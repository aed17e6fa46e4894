/**
 * A large network: routers in a ring, each with switches behind it, and hosts at these, all with their hardware, drivers and
 * kernels. Every host echoes datagrams and sends some to others, drawn at random, wherever in the network they are.
 */

import { udpEcho } from '../../kernel/apps/udp-echo.ts';
import type { Program } from '../../kernel/task.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { type Computer, FREE } from '../../src/world/computer.ts';
import type { NicOptions } from '../../src/world/nic.ts';
import type { RouteOptions } from '../../src/world/routing.ts';
import { World } from '../../src/world/world.ts';

const ROUTERS = 20;
const SWITCHES_PER_ROUTER = 2;
const HOSTS_PER_SWITCH = 25;
const HOSTS = ROUTERS * SWITCHES_PER_ROUTER * HOSTS_PER_SWITCH;
const LINK_UP_NS = 2_500_000_000;
const ECHO_PORT = 7;
const DATAGRAM_BYTES = 200;
const DATAGRAMS_PER_HOST = 20;
/** Between two datagrams of a host; the first one comes somewhere in the first of these. */
const INTERVAL_NS = 10_000_000;
/** So long an answer may take. */
const PATIENCE_NS = 5_000_000_000;
const HOST_RINGS = { txDescriptors: 16, rxDescriptors: 16 };
const HOST_MEMORY_MIB = 1;

export interface LargeNetworkResult {
  readonly hosts: number;
  readonly answers: number;
  readonly eventCount: number;
  readonly cpuSeconds: number;
  /** From its building to its end. */
  readonly memoryMib: number;
  /** Wall-clock time that building took. */
  readonly buildSeconds: number;
}

/** Builds it, lets links come up, and measures from there until every datagram is answered. Throws when one is not. */
export function largeNetwork(): LargeNetworkResult {
  const rssBefore = process.memoryUsage().rss;
  const beganMs = performance.now();
  const world = new World('bench');
  const counts = { answers: 0 };
  build(world, counts);
  const buildSeconds = (performance.now() - beganMs) / 1000;
  world.run(LINK_UP_NS);
  const began = process.cpuUsage();
  const eventsBefore = world.clock.eventCount;
  const expected = HOSTS * DATAGRAMS_PER_HOST;
  world.run(LINK_UP_NS + DATAGRAMS_PER_HOST * INTERVAL_NS + PATIENCE_NS, () => counts.answers === expected);
  const used = process.cpuUsage(began);
  if (counts.answers !== expected) throw new Error(`${expected - counts.answers} of ${expected} got no answer`);
  return {
    hosts: HOSTS,
    answers: counts.answers,
    eventCount: world.clock.eventCount - eventsBefore,
    cpuSeconds: (used.user + used.system) / 1e6,
    memoryMib: (process.memoryUsage().rss - rssBefore) / 2 ** 20,
    buildSeconds,
  };
}

function build(world: World, counts: { answers: number }): void {
  const prng = world.prng('traffic');
  const routers = Array.from({ length: ROUTERS }, (_, number) =>
    world.computer(`router${number}`, {
      nics: nicsOfRouter(number),
      forwarding: true,
      routes: routesOf(number),
      costs: FREE,
    }),
  );
  for (const [number, router] of routers.entries()) {
    const next = routers[(number + 1) % ROUTERS]!;
    world.cable(`ring${number}`, router.nics[SWITCHES_PER_ROUTER]!, next.nics[SWITCHES_PER_ROUTER + 1]!);
    for (let lan = 0; lan < SWITCHES_PER_ROUTER; lan++) {
      const hosts = Array.from({ length: HOSTS_PER_SWITCH }, (_, i) =>
        host(world, number * SWITCHES_PER_ROUTER + lan, i),
      );
      for (const each of hosts) {
        each.start('echo', udpEcho());
        const startNs = LINK_UP_NS + prng.below(INTERVAL_NS);
        each.start(
          'client',
          client(startNs, () => prng.below(HOSTS), counts),
        );
      }
      const jacks = [router.nics[lan]!, ...hosts.map(({ nics }) => nics[0]!)];
      world.switch(`switch${number * SWITCHES_PER_ROUTER + lan}`, jacks);
    }
  }
}

function host(world: World, network: number, index: number): Computer {
  const nic: NicOptions = { address: `${addressOf(network, index)}/24`, gateway: `10.0.${network}.1`, ...HOST_RINGS };
  return world.computer(`host${network}-${index}`, { nics: [nic], memoryMib: HOST_MEMORY_MIB, costs: FREE });
}

/** A socket for each datagram: an answer that comes late is not taken for that to another. */
function client(startNs: number, draw: () => number, counts: { answers: number }): Program {
  return function* (sys) {
    yield* sys.sleep(startNs);
    const bytes = new Uint8Array(DATAGRAM_BYTES);
    for (let i = 0; i < DATAGRAMS_PER_HOST; i++) {
      const other = draw();
      const network = Math.floor(other / HOSTS_PER_SWITCH);
      const socket = sys.socket('udp');
      sys.sendto(socket, bytes, parseIpv4(addressOf(network, other % HOSTS_PER_SWITCH)), ECHO_PORT);
      if ((yield* sys.recvfrom(socket, PATIENCE_NS)) !== null) counts.answers += 1;
      sys.close(socket);
      yield* sys.sleep(INTERVAL_NS);
    }
  };
}

const addressOf = (network: number, index: number): string => `10.0.${network}.${index + 2}`;

/** Its networks, then the ring: to the next router, and to the one before. */
function nicsOfRouter(number: number): readonly NicOptions[] {
  const lans = Array.from({ length: SWITCHES_PER_ROUTER }, (_, lan) => number * SWITCHES_PER_ROUTER + lan);
  const before = (number + ROUTERS - 1) % ROUTERS;
  return [
    ...lans.map(network => ({ address: `10.0.${network}.1/24` })),
    { address: `172.16.${number}.1/30` },
    { address: `172.16.${before}.2/30` },
  ];
}

/** The shorter way round the ring to the networks of each of the others. */
function routesOf(number: number): readonly RouteOptions[] {
  const before = (number + ROUTERS - 1) % ROUTERS;
  return Array.from({ length: ROUTERS - 1 }, (_, i) => i + 1).flatMap(distance => {
    const gateway = distance <= ROUTERS / 2 ? `172.16.${number}.2` : `172.16.${before}.1`;
    const other = (number + distance) % ROUTERS;
    return Array.from({ length: SWITCHES_PER_ROUTER }, (_, lan) => ({
      destination: `10.0.${other * SWITCHES_PER_ROUTER + lan}.0/24`,
      gateway,
    }));
  });
}
