/**
 * Frames per CPU-second on a shared medium: saturated stations, bare MACs on one coaxial cable or around one hub, with
 * real collisions, jam and backoff. Events are those of the virtual clock; the growth with the number of stations is that
 * of the edges which have to be told to each.
 */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Hub } from '../../hw/ethernet/hub/hub.ts';
import { Mac } from '../../hw/ethernet/mac/mac.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { Coax } from '../../hw/ethernet/medium/coax.ts';
import { AttachmentUnit } from '../../hw/ethernet/phy/attachment-unit.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';

/** A coaxial cable of 500 m: 22 bit times from end to end. */
const COAX_METRES = 500;
const CABLE_METRES = 100;

export interface CsmaResult {
  readonly frames: number;
  readonly collisions: number;
  readonly cpuSeconds: number;
  readonly eventCount: number;
}

/** Lets `count` stations send frames of `frameBytes` octets (DA to FCS) as fast as they may, until `frames` are sent. */
export function csma(medium: 'coax' | 'hub', count: number, frameBytes: number, frames: number): CsmaResult {
  const clock = new Clock();
  const prng = new Prng('csma');
  const coax = new Coax(clock, COAX_METRES);
  const hub = new Hub(clock, count, 10);
  const frame = Frame.withFcs(new Uint8Array(frameBytes - 4));
  let sent = 0;
  const macs = Array.from({ length: count }, (_, i) => {
    const unit = new AttachmentUnit(clock, prng.fork(`station${i}`));
    const mac: Mac = new Mac(clock, unit, {
      transmitted: (_frame, outcome) => {
        if (outcome === 'sent') sent += 1;
        mac.transmit(frame);
      },
      received: () => {},
      linkChanged: () => {},
    });
    if (medium === 'coax') {
      coax.attach((COAX_METRES * i) / Math.max(1, count - 1), unit);
    } else {
      const cable = new Cable(clock, prng.fork(`cable${i}`), CABLE_METRES);
      cable.connect(0, unit);
      cable.connect(1, hub.ports[i]!);
    }
    return mac;
  });
  for (const mac of macs) mac.transmit(frame);
  const began = process.cpuUsage();
  clock.run(Number.MAX_SAFE_INTEGER, () => sent >= frames);
  const used = process.cpuUsage(began);
  const collisions = macs.reduce((sum, { counters }) => sum + counters.collisions, 0);
  return { frames: sent, collisions, cpuSeconds: (used.user + used.system) / 1e6, eventCount: clock.eventCount };
}
