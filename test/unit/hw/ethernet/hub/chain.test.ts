/** Hubs in a row: what the 5-4-3 rule of IEEE 802.3 clause 13 is for. */
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { Hub } from '../../../../../hw/ethernet/hub/hub.ts';
import { Mac } from '../../../../../hw/ethernet/mac/mac.ts';
import { Cable } from '../../../../../hw/ethernet/medium/cable.ts';
import { AttachmentUnit } from '../../../../../hw/ethernet/phy/attachment-unit.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';

const SEGMENT_METRES = 100;
const FRAME_BYTES = 512;
const RUN_NS = 500_000_000;

/** Late collisions between two saturated stations at the ends of a chain of `hubCount` hubs at 10 Mb/s. */
function lateCollisions(hubCount: number): number {
  const clock = new Clock();
  const prng = new Prng(`chain of ${hubCount}`);
  const frame = Frame.withFcs(new Uint8Array(FRAME_BYTES - 4));
  const stations = [0, 1].map(i => {
    const unit = new AttachmentUnit(clock, prng.fork(`station${i}`), 10);
    const mac: Mac = new Mac(clock, unit, {
      transmitted: () => mac.transmit(frame),
      received: () => {},
      linkChanged: () => {},
    });
    return { unit, mac };
  });
  const hubs = Array.from({ length: hubCount }, () => new Hub(clock, 2, 10));
  const sockets = [stations[0]!.unit, ...hubs.flatMap(hub => hub.ports), stations[1]!.unit];
  for (let i = 0; i < sockets.length; i += 2) {
    const cable = new Cable(clock, prng.fork(`cable${i}`), SEGMENT_METRES);
    cable.connect(0, sockets[i]!);
    cable.connect(1, sockets[i + 1]!);
  }
  for (const { mac } of stations) mac.transmit(frame);
  clock.run(RUN_NS);
  return stations.reduce((sum, { mac }) => sum + mac.counters.lateCollisions, 0);
}

describe('five segments and four repeaters', () => {
  test.each([1, 2, 3, 4])('with %i hubs between them two stations never collide late', hubCount => {
    expect(lateCollisions(hubCount)).toBe(0);
  });

  test('far beyond the limit late collisions appear', () => {
    expect(lateCollisions(16)).toBeGreaterThan(0);
  });
});
