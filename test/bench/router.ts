/**
 * What a router costs: frames per CPU-second through its two e1000 ports, and lookups in a full routing table. Bare
 * stations at the far ends of its wires send and count, so that next to all of the time is the router's.
 */
import { performance } from 'node:perf_hooks';
import type { Frame } from '../../hw/ethernet/frame.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { isClassDOrE, maskOf } from '../../kernel/net/ipv4/address.ts';
import { type NewRoute, RouteTable } from '../../kernel/net/route.ts';
import { readBe32, writeBe16, writeBe32 } from '../../src/lib/bytes.ts';
import type { AccessCosts } from '../../src/world/computer.ts';
import { World } from '../../src/world/world.ts';

const LINK_UP_NS = 2_500_000_000;
const BURST_FRAMES = 32;
/** Preamble, FCS and gap: what a frame takes on the wire beyond its own octets. */
const WIRE_OVERHEAD_BYTES = 8 + 4 + 12;
const FCS_BYTES = 4;
const SOURCE = 0x0a00_0102;
const SINK = 0x0a00_0202;
const STATION_MAC = [0x52, 0x54, 0x00, 0xff, 0x00, 0x01];

export interface ForwardingResult {
  readonly frames: number;
  readonly cpuSeconds: number;
  readonly eventCount: number;
}

/** Forwards `frames` frames of `frameBytes` octets (DA to FCS) from one port to the other. Throws when one is lost. */
export function forwarding(frameBytes: number, frames: number, costs: AccessCosts): ForwardingResult {
  const world = new World('bench');
  const router = world.computer('router', {
    nics: [{ address: '10.0.1.1/24' }, { address: '10.0.2.1/24' }],
    forwarding: true,
    costs,
  });
  const left = world.openWire('left', router.nics[0]!).station;
  const right = world.openWire('right', router.nics[1]!).station;
  let received = 0;
  right.onReceive = frame => {
    if (frame.octets[12] === 0x08 && frame.octets[13] === 0x06) right.send(arpReply(frame));
    else received += 1;
  };
  world.run(LINK_UP_NS);
  const octets = datagram(router.kernel.net.interfaces[0]!.mac, frameBytes - FCS_BYTES);
  left.send(octets);
  world.run(world.clock.nowNs + 10_000_000);
  const burstNs = BURST_FRAMES * (frameBytes - FCS_BYTES + WIRE_OVERHEAD_BYTES) * 8;
  const began = process.cpuUsage();
  const eventsBefore = world.clock.eventCount;
  for (let sent = 0; sent < frames; sent += BURST_FRAMES) {
    for (let i = 0; i < BURST_FRAMES; i++) left.send(octets);
    world.run(world.clock.nowNs + burstNs);
  }
  world.run(world.clock.nowNs + 10_000_000);
  const used = process.cpuUsage(began);
  if (received < frames) throw new Error(`${frames - received} of ${frames} frames were lost`);
  return { frames, cpuSeconds: (used.user + used.system) / 1e6, eventCount: world.clock.eventCount - eventsBefore };
}

/** A UDP datagram in a frame without FCS, from the left station to the right one by way of the router. */
function datagram(routerMac: Uint8Array, bytes: number): Uint8Array {
  const octets = new Uint8Array(bytes);
  octets.set(routerMac);
  octets.set(STATION_MAC, 6);
  octets.set([0x08, 0x00, 0x45, 0x00], 12);
  writeBe16(octets, 16, bytes - 14);
  octets.set([64, 17], 22);
  writeBe32(octets, 26, SOURCE);
  writeBe32(octets, 30, SINK);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += octets[at]! * 256 + octets[at + 1]!;
  writeBe16(octets, 24, ~((sum & 0xffff) + (sum >>> 16)));
  return octets;
}

/** What the station answers to the request in `frame`. */
function arpReply({ octets: request }: Frame): Uint8Array {
  const octets = request.slice(0, 42);
  octets.copyWithin(0, 6, 12);
  octets.set(STATION_MAC, 6);
  octets[21] = 2;
  octets.copyWithin(32, 22, 32);
  octets.set(STATION_MAC, 22);
  writeBe32(octets, 28, readBe32(request, 38));
  return octets;
}

/** Lengths of prefixes and how many of a thousand have them, roughly as in the Internet's full table. */
const PREFIXES_PER_MILLE: readonly (readonly [prefixLength: number, count: number])[] = [
  [24, 600],
  [23, 95],
  [22, 110],
  [21, 50],
  [20, 45],
  [19, 30],
  [18, 15],
  [17, 8],
  [16, 15],
  [15, 4],
  [14, 2],
  [12, 2],
  [28, 12],
  [32, 12],
];
const LOOKUPS = 2 ** 20;
const NEIGHBOURS = 8;

export interface FullTableResult {
  readonly routes: number;
  readonly loadSeconds: number;
  readonly memoryMib: number;
  /** Of addresses that are in the table, in no order. */
  readonly lookupsPerSecond: number;
  /** Time of one route taken out, or put in. */
  readonly editMicroseconds: number;
}

/** A table of `count` prefixes, which is loaded, asked, and edited. */
export function fullTable(count: number): FullTableResult {
  const prng = new Prng('full table');
  const routes = prefixes(count, prng);
  const table = new RouteTable();
  const beganMs = performance.now();
  table.edit(routes.map(route => ({ action: 'add', route })));
  const loadSeconds = (performance.now() - beganMs) / 1000;
  const addresses = Int32Array.from({ length: LOOKUPS }, () => {
    const { destination, prefixLength } = routes[prng.below(count)]!;
    return destination | (prng.word() & ~maskOf(prefixLength));
  });
  const lookupUs = leastCpuMicroseconds(() => {
    for (let i = 0; i < LOOKUPS; i++) table.find(addresses[i]!);
  });
  const edited = Array.from({ length: 10_000 }, () => routes[prng.below(count)]!);
  const editUs = leastCpuMicroseconds(() => {
    for (const route of edited) {
      table.remove(route);
      table.add(route);
    }
  });
  return {
    routes: table.size,
    loadSeconds,
    memoryMib: table.memoryBytes / 2 ** 20,
    lookupsPerSecond: (LOOKUPS * 1e6) / lookupUs,
    editMicroseconds: editUs / (2 * edited.length),
  };
}

/** Different unicast prefixes by way of a few neighbours. */
function prefixes(count: number, prng: Prng): NewRoute[] {
  const link = new World('bench').computer('router', { nics: [{ address: '10.0.1.1/24' }] }).kernel.net.links[0]!;
  const lengths = PREFIXES_PER_MILLE.flatMap(([prefixLength, each]) => new Array<number>(each).fill(prefixLength));
  const found = new Map<number, NewRoute>();
  while (found.size < count) {
    const prefixLength = lengths[prng.below(lengths.length)]!;
    const destination = (prng.word() & maskOf(prefixLength)) >>> 0;
    const key = destination * 64 + prefixLength;
    if (isClassDOrE(destination) || found.has(key)) continue;
    found.set(key, { destination, prefixLength, link, gateway: 0x0a00_0102 + prng.below(NEIGHBOURS) });
  }
  return [...found.values()];
}

/** Of a few rounds. */
function leastCpuMicroseconds(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const began = process.cpuUsage();
    run();
    const used = process.cpuUsage(began);
    least = Math.min(least, used.user + used.system);
  }
  return least;
}
