/**
 * Two drivers on two real 82540EMs: whatever the features that each of them uses, the cost of accesses, the bursts, the
 * packets that run out and the damage on the cable, frames arrive in order and intact, each accepted one is accounted
 * for, and no packet is lost.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broadcast, E1000Pair, type Side } from '../../../support/e1000-pair.ts';
import { datagram, plain, type Request, stream, submit, tagged } from '../../../support/offload-frames.ts';

const sizes = fc.constantFrom(8, 16, 32);

const features = fc.record({
  checksumOffload: fc.boolean(),
  segmentation: fc.boolean(),
  moderation: fc.boolean(),
  multicastFilter: fc.boolean(),
  vlan: fc.boolean(),
});

const step = fc.oneof(
  fc.record({
    do: fc.constant('burst' as const),
    end: fc.constantFrom('left' as const, 'right' as const),
    kind: fc.constantFrom('plain' as const, 'plain' as const, 'datagram' as const, 'stream' as const),
    count: fc.integer({ min: 1, max: 20 }),
    length: fc.integer({ min: 60, max: 1514 }),
    segmentBytes: fc.integer({ min: 50, max: 1460 }),
    bufferBytes: fc.integer({ min: 100, max: 1900 }),
    vlanTag: fc.option(fc.integer({ min: 0, max: 0xffff }), { freq: 2 }),
  }),
  fc.record({ do: fc.constant('wait' as const), ns: fc.integer({ min: 0, max: 60_000 }) }),
  fc.record({
    do: fc.constantFrom('hoard' as const, 'release' as const, 'blind' as const, 'see' as const),
    end: fc.constantFrom('left' as const, 'right' as const),
  }),
);

const scenario = fc.record({
  txDescriptors: sizes,
  rxDescriptors: sizes,
  features,
  rightFeatures: features,
  readNs: fc.constantFrom(0, 100, 1000),
  writeNs: fc.constantFrom(0, 60, 500),
  bitErrorRate: fc.constantFrom(0, 0, 1e-5),
  seed: fc.string({ maxLength: 4 }),
  steps: fc.array(step, { maxLength: 30 }),
});

const PACKETS = 96;

type Burst = Extract<typeof step extends fc.Arbitrary<infer T> ? T : never, { do: 'burst' }>;

/** The `number`th request of a run, which has the number in its data. */
function requestOf({ kind, length, segmentBytes, vlanTag }: Burst, number: number): Request {
  const octets = broadcast(number, length);
  if (kind === 'plain') return plain(octets, vlanTag);
  const data = octets.subarray(14);
  return kind === 'datagram' ? datagram(data.subarray(0, 1472), vlanTag) : stream(data, segmentBytes, { vlanTag });
}

/** What a side received, tags put back where they were on the wire. */
const arrived = ({ iface }: Side): Uint8Array[] =>
  iface.frames.map((octets, i) => tagged(octets, iface.findings[i]!.vlanTag));

/** One direction: what was accepted for sending, and what came of it. Padding is no part of what was sent. */
function account(from: Side, to: Side, accepted: readonly Uint8Array[]): void {
  const received = arrived(to);
  let at = 0;
  for (const octets of received) {
    while (at < accepted.length && Buffer.compare(accepted[at]!, octets.subarray(0, accepted[at]!.length)) !== 0) at++;
    expect(at).toBeLessThan(accepted.length);
    expect(octets.length).toBe(Math.max(accepted[at]!.length, 60));
    at += 1;
  }
  const sent = from.iface.ops.statistics();
  const got = to.iface.ops.statistics();
  expect(sent['TPT']).toBe(accepted.length);
  const lost = got['CRCERRS']! + got['RXERRC']! + got['MPC']! + got['rxNoBuffer']! + got['rxErrors']!;
  expect(received.length + lost).toBe(accepted.length);
  expect(got['rxChecksumErrors']).toBe(0);
}

describe('two drivers on two 82540EMs, whatever happens', () => {
  it('account for every frame, keep the order, and hold no packet in the end', () => {
    fc.assert(
      fc.property(scenario, ({ steps, ...options }) => {
        const pair = new E1000Pair({ ...options, packets: PACKETS });
        pair.bringUp();
        const accepted = { left: [] as Uint8Array[], right: [] as Uint8Array[] };
        const hoard = { left: [] as unknown[], right: [] as unknown[] };
        let number = 0;
        for (const each of steps) {
          if (each.do === 'wait') pair.run(each.ns);
          else if (each.do === 'burst') {
            for (let i = 0; i < each.count; i++, number++) {
              const frames = submit(pair[each.end].platform, requestOf(each, number), each.bufferBytes);
              accepted[each.end].push(...frames);
            }
          } else if (each.do === 'hoard') {
            const { packets } = pair[each.end].platform;
            for (let packet = packets.allocate(); packet !== null; packet = packets.allocate())
              hoard[each.end].push(packet);
          } else if (each.do === 'release') {
            for (const packet of hoard[each.end].splice(0)) pair[each.end].platform.packets.free(packet as never);
          } else pair[each.end].platform.interruptsEnabled = each.do === 'see';
        }
        for (const { platform } of pair.sides) platform.interruptsEnabled = true;
        pair.run(10_000_000);
        account(pair.left, pair.right, accepted.left);
        account(pair.right, pair.left, accepted.right);
        for (const { iface, platform, suspicions } of pair.sides) {
          expect(platform.packets.count('device')).toBe(options.rxDescriptors - 1);
          iface.ops.close();
          expect(platform.packets.count('device')).toBe(0);
          expect(suspicions).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
