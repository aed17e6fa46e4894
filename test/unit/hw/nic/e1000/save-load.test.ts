/** A snapshot at any time, loaded into a fresh NIC, goes on as the one that it was taken of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, CMD, E1000Rig, frameTo, NIC_MAC, octetsTo, SEND } from '../../../../support/e1000-rig.ts';

/** Sends and receives a mixture that keeps every unit busy for some 300 us. */
function load(rig: E1000Rig): void {
  rig.openTx(32).openRx(16, E1000.RCTL.BAM | (3 << 16));
  rig.write(E1000.RDTR.at, 20);
  rig.write(E1000.RADV.at, 50);
  rig.write(E1000.TIDV.at, 30);
  rig.write(E1000.ITR.at, 100);
  rig.write(E1000.IMS.at, -1);
  for (let i = 0; i < 20; i++) {
    const octets = octetsTo(BROADCAST, 100 + 60 * i, i);
    rig.txLegacy(i, rig.txBuffer(i, octets), octets.length, SEND | (i % 2 === 0 ? CMD.IDE : 0));
  }
  rig.write(E1000.TDT.at, 20);
  rig.write(E1000.EERD.at, 0x0301);
  rig.write(E1000.MDIC.at, (2 << 26) | (1 << 21) | (2 << 16) | E1000.MDIC.I);
  for (let i = 0; i < 12; i++) rig.far.send(frameTo(NIC_MAC, 80 + 90 * i, i));
}

/** Everything that the two can differ in. */
const observed = (rig: E1000Rig) => ({
  state: rig.nic.save(),
  line: rig.line.level,
  arrivals: rig.far.arrivals.map(({ frame, startNs }) => [startNs, frame.octets]),
});

describe('save and load', () => {
  it('go on exactly where the snapshot was taken', () => {
    fc.assert(
      fc.property(fc.nat(300_000), at => {
        const original = new E1000Rig();
        load(original);
        original.pass(at);
        const copy = new E1000Rig();
        const far = { phy: original.far.phy.save(), mac: original.far.mac.save(), queue: [...original.far.queue] };
        copy.clock.load(original.clock.save());
        copy.ram.load(original.ram.save());
        copy.nic.load(original.nic.save());
        copy.far.phy.load(far.phy);
        copy.far.mac.load(far.mac);
        copy.far.queue.push(...far.queue);
        copy.cable.load(original.cable.save());
        copy.far.arrivals.push(...original.far.arrivals);
        for (let step = 0; step < 4; step++) {
          expect(observed(copy)).toEqual(observed(original));
          expect(Buffer.compare(copy.ram.bytes, original.ram.bytes)).toBe(0);
          for (const rig of [original, copy]) {
            rig.pass(60_000);
            if (step === 1) rig.read(E1000.ICR.at);
            if (step === 2) rig.write(E1000.RDT.at, 8);
          }
        }
      }),
      { numRuns: 10 },
    );
  });
});
