/**
 * What the whole machine promises, whatever the traffic and the timing: datagrams come once, intact and in order, none
 * goes without a counter that says why, and no buffer is left behind.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AccessCosts, FREE, PCI_LIKE } from '../../../src/world/computer.ts';
import { type Books, type Burst, type HostPlan, Traffic, type TrafficPlan } from '../../support/traffic.ts';

const MS = 1_000_000;
/** A world takes tens of milliseconds. */
const SOME = { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 5) };
/** After the last datagram: three ARP requests a second apart, and what a slow reader has left. */
const SETTLE_NS = 5_000 * MS;

const accessNs = fc.integer({ min: 0, max: 2_000 });
const access = fc.record({ readNs: accessNs, writeNs: accessNs });
const costs: fc.Arbitrary<AccessCosts> = fc.oneof(
  fc.constant(FREE),
  fc.constant(PCI_LIKE),
  fc.record({ local: access, pci: access, config: access, trapNs: accessNs }),
);
const descriptors = fc.integer({ min: 1, max: 32 }).map(eights => 8 * eights);
const sizeBytes = fc.oneof(fc.integer({ min: 0, max: 1472 }), fc.constantFrom(0, 1, 17, 18, 19, 1471, 1472));
const anyBurst = fc.record({
  delayNs: fc.oneof(fc.nat(2_000), fc.nat(20 * MS)),
  count: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 250 })),
  sizeBytes,
});

const features = fc.record({
  checksumOffload: fc.boolean(),
  segmentation: fc.boolean(),
  moderation: fc.boolean(),
  multicastFilter: fc.boolean(),
  vlan: fc.boolean(),
});

const host = (over: Partial<{ [K in keyof HostPlan]: fc.Arbitrary<HostPlan[K]> }> = {}): fc.Arbitrary<HostPlan> =>
  fc.record({
    txDescriptors: descriptors,
    rxDescriptors: descriptors,
    costs,
    memoryMib: fc.constantFrom(null, null, 1),
    bursts: fc.array(anyBurst, { maxLength: 4 }),
    readPauseNs: fc.constantFrom(0, 0, 1_000, 100_000),
    features,
    itr: fc.oneof(fc.constant(0), fc.nat(4_000)),
    ...over,
  });
const plan = (
  each: fc.Arbitrary<HostPlan>,
  bitErrorRate: fc.Arbitrary<number> = fc.constant(0),
): fc.Arbitrary<TrafficPlan> =>
  fc.record({
    seed: fc.string({ maxLength: 4 }),
    lengthMetres: fc.integer({ min: 0, max: 2_000 }),
    bitErrorRate,
    hosts: fc.tuple(each, each),
  });

/** More than there is room for, everywhere: in queues, FIFO, socket buffer, and in the memory of host 1. */
const OVERLOAD: TrafficPlan = (() => {
  const slow = { readNs: 2_000, writeNs: 2_000 };
  const first: Burst = { delayNs: 0, count: 1, sizeBytes: 100 };
  const bursts = [first, ...Array.from({ length: 16 }, () => ({ delayNs: 2 * MS, count: 150, sizeBytes: 1472 }))];
  const each = { txDescriptors: 8, bursts, readPauseNs: 5 * MS, features: { moderation: false }, itr: 0 };
  return {
    seed: '',
    lengthMetres: 100,
    bitErrorRate: 0,
    hosts: [
      {
        ...each,
        rxDescriptors: 8,
        memoryMib: null,
        costs: { local: slow, pci: slow, config: slow, trapNs: 2_000 },
        itr: 4_000,
      },
      { ...each, rxDescriptors: 256, memoryMib: 1, costs: FREE },
    ],
  };
})();

/** Whether `received` is what is left of `sent` when some are taken out. */
function isWhatIsLeft(received: readonly Uint8Array[], sent: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const bytes of received) {
    while (at < sent.length && Buffer.compare(sent[at]!, bytes) !== 0) at += 1;
    if (at++ === sent.length) return false;
  }
  return true;
}

/** What holds in every run. */
function expectPromises(traffic: Traffic): void {
  for (const [from, to] of [[0, 1] as const, [1, 0] as const]) {
    const { sent, ...ends } = traffic.books(from);
    expect(
      Object.values(ends).reduce((sum, each) => sum + each, 0),
      JSON.stringify(ends),
    ).toBe(sent);
    expect(Object.values(ends).filter(each => each < 0)).toEqual([]);
    expect(isWhatIsLeft(traffic.hosts[to].received, traffic.hosts[from].sent)).toBe(true);
    expect(traffic.hosts[to].drops.other).toBe(0);
    expect(traffic.hosts[to].statistics['rxErrors']).toBe(0);
  }
  expect(traffic.ledgers).toEqual(traffic.atRest);
  expect(traffic.world.failedPrograms()).toEqual([]);
}

const lostOnTheWire = ({ lost, damaged, misaddressed }: Books): number => lost + damaged + misaddressed;

test('each datagram is delivered once, intact, in order, or a counter says where it was dropped; nothing leaks', () => {
  const seen = { delivered: 0, droppedOut: 0, overrun: 0, droppedIn: 0, refused: 0 };
  fc.assert(
    fc.property(plan(host()), drawn => {
      const traffic = new Traffic(drawn);
      traffic.world.run(traffic.lastNs + SETTLE_NS);
      expectPromises(traffic);
      for (const from of [0, 1] as const) {
        const books = traffic.books(from);
        expect(lostOnTheWire(books)).toBe(0);
        seen.delivered += books.delivered;
        seen.droppedOut += books.droppedOut;
        seen.overrun += books.overrun;
        seen.droppedIn += books.droppedIn;
        seen.refused += traffic.hosts[from].refused;
      }
    }),
    { ...SOME, examples: [[OVERLOAD]] },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

test('below capacity every datagram is delivered', () => {
  // One datagram for ARP; then bursts that fit into the receiver's FIFO, a millisecond or more apart.
  const first: Burst = { delayNs: 0, count: 1, sizeBytes: 100 };
  const burst = fc.record({
    delayNs: fc.integer({ min: 2 * MS, max: 20 * MS }),
    count: fc.integer({ min: 1, max: 24 }),
    sizeBytes,
  });
  const bursts = fc.array(burst, { maxLength: 8 }).map(rest => [first, ...rest]);
  const gentle = host({
    bursts,
    memoryMib: fc.constant(null),
    readPauseNs: fc.constantFrom(0, 1_000),
    itr: fc.nat(400),
  });
  fc.assert(
    fc.property(plan(gentle), drawn => {
      const traffic = new Traffic(drawn);
      traffic.world.run(traffic.lastNs + SETTLE_NS);
      expectPromises(traffic);
      for (const [from, to] of [[0, 1] as const, [1, 0] as const]) {
        expect(traffic.hosts[from].refused).toBe(0);
        expect(traffic.hosts[to].received.length).toBe(traffic.hosts[from].sent.length);
      }
    }),
    SOME,
  );
});

test('of frames that bit errors damage, each is counted by the NIC that receives it, and none is delivered', () => {
  const rate = fc.constantFrom(1e-6, 1e-5, 1e-4, 1e-3);
  let damaged = 0;
  fc.assert(
    fc.property(plan(host(), rate), drawn => {
      const traffic = new Traffic(drawn);
      traffic.world.run(traffic.lastNs + SETTLE_NS);
      expectPromises(traffic);
      damaged += traffic.books(0).damaged + traffic.books(1).damaged;
    }),
    SOME,
  );
  expect(damaged).toBeGreaterThan(0);
});

test('a cable that is pulled out and plugged in again loses datagrams, and does no other harm', () => {
  const cut = fc.record({
    /** After the first datagram. */
    pulledNs: fc.nat(30 * MS),
    end: fc.constantFrom(0 as const, 1 as const),
    outNs: fc.oneof(fc.nat(1_000), fc.nat(100 * MS), fc.constant(2_000 * MS)),
  });
  // The last burst comes when the link has had time to come back.
  const last: Burst = { delayNs: 10_000 * MS, count: 3, sizeBytes: 200 };
  const bursts = fc.array(anyBurst, { maxLength: 4 }).map(rest => [...rest, last]);
  let lost = 0;
  fc.assert(
    fc.property(plan(host({ bursts, memoryMib: fc.constant(null) })), cut, (drawn, { pulledNs, end, outNs }) => {
      const traffic = new Traffic(drawn);
      const { world, cable, hosts } = traffic;
      world.run(world.clock.nowNs + MS + pulledNs);
      cable.unplug(end);
      world.run(world.clock.nowNs + outNs);
      cable.connect(end, hosts[end].computer.nics[0]!.device.phy);
      world.run(traffic.lastNs + SETTLE_NS);
      expectPromises(traffic);
      for (const [from, to] of [[0, 1] as const, [1, 0] as const]) {
        expect(hosts[to].received.slice(-last.count)).toEqual(hosts[from].sent.slice(-last.count));
        lost += lostOnTheWire(traffic.books(from));
      }
    }),
    SOME,
  );
  expect(lost).toBeGreaterThan(0);
});
