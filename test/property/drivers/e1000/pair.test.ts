/**
 * Two drivers on two real 82540EMs: whatever the cost of accesses, the bursts, the packets that run out and the damage
 * on the cable, frames arrive in order and intact, each accepted one is accounted for, and no packet is lost.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broadcast, E1000Pair, type Side, tagOf } from '../../../support/e1000-pair.ts';

const sizes = fc.constantFrom(8, 16, 32);

const step = fc.oneof(
  fc.record({
    do: fc.constant('burst' as const),
    end: fc.constantFrom('left' as const, 'right' as const),
    count: fc.integer({ min: 1, max: 20 }),
    length: fc.integer({ min: 60, max: 1514 }),
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
  readNs: fc.constantFrom(0, 100, 1000),
  writeNs: fc.constantFrom(0, 60, 500),
  bitErrorRate: fc.constantFrom(0, 0, 1e-5),
  seed: fc.string({ maxLength: 4 }),
  steps: fc.array(step, { maxLength: 30 }),
});

const PACKETS = 96;

/** One direction: what was accepted for sending, and what came of it. */
function account(from: Side, to: Side, accepted: readonly number[]): void {
  const received = to.iface.frames.map(tagOf);
  expect(received).toEqual(accepted.filter(tag => received.includes(tag)));
  const sent = from.iface.ops.statistics();
  const got = to.iface.ops.statistics();
  expect(sent['TPT']).toBe(accepted.length);
  const lost = got['CRCERRS']! + got['RXERRC']! + got['MPC']! + got['rxNoBuffer']! + got['rxErrors']!;
  expect(received.length + lost).toBe(accepted.length);
}

describe('two drivers on two 82540EMs, whatever happens', () => {
  it('account for every frame, keep the order, and hold no packet in the end', () => {
    fc.assert(
      fc.property(scenario, ({ steps, ...options }) => {
        const pair = new E1000Pair({ ...options, packets: PACKETS });
        pair.bringUp();
        const accepted = { left: [] as number[], right: [] as number[] };
        const lengths = new Map<number, number>();
        const hoard = { left: [] as unknown[], right: [] as unknown[] };
        let tag = 0;
        for (const each of steps) {
          if (each.do === 'wait') pair.run(each.ns);
          else if (each.do === 'burst') {
            for (let i = 0; i < each.count; i++, tag++) {
              lengths.set(tag, each.length);
              if (pair[each.end].iface.send(broadcast(tag, each.length)) === true) accepted[each.end].push(tag);
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
          for (const bytes of iface.frames) expect(bytes).toEqual(broadcast(tagOf(bytes), lengths.get(tagOf(bytes))!));
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
