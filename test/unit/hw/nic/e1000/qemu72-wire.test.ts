/** The profile `qemu72` on a real cable: to software all is done at once, on the wire everything takes its time. */
import { describe, expect, it } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { QEMU72 } from '../../../../../hw/nic/e1000/profile.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, E1000Rig, FAR_MAC, frameTo, NIC_MAC, octetsTo, SEND } from '../../../../support/e1000-rig.ts';

const { STATUS } = E1000;
/** Longer than nothing is received after a write to RCTL. */
const SETTLE_NS = 1_001_000_000;

const rigOf = (link = true) => new E1000Rig({ link, profile: QEMU72 });

/** A rig whose receiver takes frames, with `given` of eight descriptors. */
function receiving(given = 7): E1000Rig {
  const rig = rigOf().openRx();
  rig.write(E1000.RDT.at, given);
  rig.pass(SETTLE_NS);
  return rig;
}

describe('a NIC with the profile qemu72 on a cable', () => {
  it('has its frames on the wire one after the other, with preamble, FCS and gap', () => {
    const rig = rigOf().openTx();
    for (let i = 0; i < 3; i++) rig.txLegacy(i, rig.txBuffer(i, octetsTo(FAR_MAC, 100, i)), 100, SEND);
    rig.write(E1000.TDT.at, 3);
    expect([rig.read(E1000.TDH.at), rig.txStatus(2)]).toEqual([3, 1]);
    expect(rig.far.arrivals).toEqual([]);
    rig.pass(10_000);
    const starts = rig.far.arrivals.map(({ startNs }) => startNs);
    expect([starts[1]! - starts[0]!, starts[2]! - starts[1]!]).toEqual([992, 992]);
    expect(rig.far.arrivals.every(({ frame }) => frame.fcsGood && frame.wireBytes === 104)).toBe(true);
  });

  it('sends nothing shorter than the minimum', () => {
    const rig = rigOf().openTx();
    rig.send(0, octetsTo(FAR_MAC, 20));
    rig.pass(10_000);
    expect(rig.far.arrivals.map(({ frame }) => frame.wireBytes)).toEqual([64]);
    expect(rig.read(E1000.GOTCL.at)).toBe(24);
  });

  it('keeps what it sends until the wire has a link for the first time', () => {
    const rig = rigOf(false).openTx();
    expect(rig.read(STATUS.at) & STATUS.LU).not.toBe(0);
    rig.send(0, octetsTo(FAR_MAC, 60));
    rig.linkUp();
    expect(rig.far.arrivals).toHaveLength(1);
  });

  it('leaves frames that a full ring has no room for waiting, and loses none', () => {
    const rig = receiving();
    rig.arrive(...Array.from({ length: 12 }, (_, i) => frameTo(BROADCAST, 64, i)));
    expect([rig.read(E1000.RDH.at), rig.read(E1000.MPC.at), rig.read(E1000.RNBC.at)]).toEqual([7, 0, 0]);
    rig.write(E1000.RDT.at, 5);
    expect(rig.read(E1000.RDH.at)).toBe(4);
    expect([rig.read(E1000.TPR.at), rig.read(E1000.MPC.at)]).toEqual([12, 0]);
  });

  it('never sees a frame that came in damaged', () => {
    const rig = receiving();
    const wire = frameTo(NIC_MAC, 64).wire();
    wire[20]! ^= 1;
    rig.arrive(Frame.raw(wire), frameTo(NIC_MAC, 64));
    expect([rig.read(E1000.TPR.at), rig.read(E1000.CRCERRS.at)]).toEqual([1, 0]);
  });

  it('tells of a cable that is pulled, and half a second after it is back', () => {
    const rig = rigOf();
    rig.cable.unplug(1);
    rig.pass(1_000_000_000);
    expect([rig.read(STATUS.at) & STATUS.LU, rig.read(E1000.ICR.at)]).toEqual([0, E1000.ICR.LSC]);
    rig.cable.connect(1, rig.far.phy);
    rig.pass(3_000_000_000);
    expect([rig.read(STATUS.at) & STATUS.LU, rig.read(E1000.ICR.at)]).toEqual([STATUS.LU, E1000.ICR.LSC]);
  });

  it('goes on exactly where a snapshot was taken', () => {
    const busy = () => {
      const rig = receiving().openTx();
      rig.write(E1000.IMS.at, -1);
      for (let i = 0; i < 6; i++) rig.send(i, octetsTo(FAR_MAC, 400, i));
      return rig;
    };
    const original = busy();
    original.pass(5_000);
    const copy = new E1000Rig({ link: false, profile: QEMU72 });
    copy.clock.load(original.clock.save());
    copy.ram.load(original.ram.save());
    copy.nic.load(original.nic.save());
    copy.far.phy.load(original.far.phy.save());
    copy.far.mac.load(original.far.mac.save());
    copy.cable.load(original.cable.save());
    expect(copy.nic.save()).toEqual(original.nic.save());
    for (const rig of [original, copy]) {
      rig.write(E1000.EERD.at, 1);
      rig.read(E1000.ICR.at);
      rig.write(E1000.ICS.at, 4);
      rig.pass(200_000);
    }
    expect(copy.line.level).toBe(true);
    expect(copy.nic.save()).toEqual(original.nic.save());
  });
});
