/**
 * Half duplex driven by hand and half duplex driven by two drivers through two 82540EMs are the same on the wire: what
 * the NICs hand to their MACs is handed, at the same times, to bare MACs with the same seeds, and every transmission,
 * collision and backoff has to repeat to the nanosecond.
 */
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { Frame } from '../../../../hw/ethernet/frame.ts';
import { Mac, type MacClient } from '../../../../hw/ethernet/mac/mac.ts';
import { Cable } from '../../../../hw/ethernet/medium/cable.ts';
import { AttachmentUnit } from '../../../../hw/ethernet/phy/attachment-unit.ts';
import { Clock } from '../../../../hw/sim/clock.ts';
import { Prng } from '../../../../hw/sim/prng.ts';
import { broadcast, E1000Pair, tagOf } from '../../../support/e1000-pair.ts';
import { forcedControl } from '../../../support/ethernet.ts';

interface Handover {
  readonly end: number;
  readonly frame: Frame;
  readonly atNs: number;
}

/** A client that hands over what it is given, as soon as its MAC is idle. */
class Client implements MacClient {
  readonly #mac: Mac;
  readonly #queue: Frame[] = [];

  constructor(clock: Clock, unit: AttachmentUnit) {
    this.#mac = new Mac(clock, unit, this);
  }

  send(frame: Frame): void {
    this.#queue.push(frame);
    if (this.#mac.idle) this.transmitted();
  }

  transmitted(): void {
    const frame = this.#queue.shift();
    if (frame !== undefined) this.#mac.transmit(frame);
  }

  received(): void {}
  linkChanged(): void {}
}

/** What has gone over a cable, each transmission as it ended. */
function watch(cable: Cable): string[] {
  const seen: string[] = [];
  cable.onFrame = (end, { frame, startNs, endNs, jamNs, aborted }, _, arrived) => {
    const outcome = `${startNs} to ${endNs}, ${aborted ? `jam from ${jamNs}` : 'whole'}`;
    seen.push(`end ${end}: ${tagOf(frame.octets)} from ${outcome}, ${arrived?.wireBytes ?? 'no'} octets arrive`);
  };
  return seen;
}

/** The same frames, at the same times, on bare MACs. */
function bareRun(
  handovers: readonly Handover[],
  speed: 10 | 100,
  metres: number,
  seed: string,
  endNs: number,
): string[] {
  const clock = new Clock();
  const prng = new Prng(seed);
  const cable = new Cable(clock, prng.fork('cable'), metres);
  const clients = (['left', 'right'] as const).map((name, end) => {
    const unit = new AttachmentUnit(clock, prng.fork(name).fork('phy'), speed);
    cable.connect(end as 0 | 1, unit);
    return new Client(clock, unit);
  });
  const seen = watch(cable);
  for (const { end, frame, atNs } of handovers) clock.timer(() => clients[end]!.send(frame)).armAt(atNs);
  clock.run(endNs);
  return seen;
}

const original = Mac.prototype.transmit;

afterEach(() => vi.restoreAllMocks());

const burst = fc.record({
  end: fc.constantFrom('left' as const, 'right' as const),
  count: fc.integer({ min: 1, max: 12 }),
  length: fc.integer({ min: 60, max: 1514 }),
  waitNs: fc.constantFrom(0, 0, 10_000, 1_000_000),
});

test('two drivers in half duplex and two bare MACs put the same on the wire', () => {
  let collisions = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(10 as const, 100 as const),
      fc.integer({ min: 0, max: 100 }),
      fc.string({ maxLength: 4 }),
      fc.array(burst, { minLength: 1, maxLength: 8 }),
      (speed, metres, seed, bursts) => {
        const pair = new E1000Pair({ metres, seed, txDescriptors: 16, rxDescriptors: 16 });
        for (const { nic } of pair.sides) nic.phy.writeRegister(0, forcedControl(speed, false));
        const handovers: Handover[] = [];
        vi.spyOn(Mac.prototype, 'transmit').mockImplementation(function (this: Mac, frame: Frame) {
          handovers.push({ end: frame.octets[18]!, frame, atNs: pair.clock.nowNs });
          return original.call(this, frame);
        });
        pair.bringUp();
        const seen = watch(pair.cable);
        let tag = 0;
        for (const { end, count, length, waitNs } of bursts) {
          for (let i = 0; i < count; i++) {
            const bytes = broadcast(tag++, length);
            bytes[18] = end === 'left' ? 0 : 1;
            pair[end].iface.send(bytes);
          }
          pair.run(waitNs);
        }
        pair.run(1_000_000_000);
        vi.restoreAllMocks();
        expect(bareRun(handovers, speed, metres, seed, pair.clock.nowNs)).toEqual(seen);
        collisions += pair.sides.reduce((sum, { iface }) => sum + iface.ops.statistics()['COLC']!, 0);
      },
    ),
    { numRuns: 40 },
  );
  expect(collisions).toBeGreaterThan(100);
});
