import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { E1000Rig, frameTo, NIC_MAC, PCI_COMMAND, PCI_ENABLE, Recorder } from '../../../../support/e1000-rig.ts';

const { ICR, ICS, IMC, IMS, ITR, RADV, RDTR, RSRPD } = E1000;
const US = 1024;

/** Times at which INTA rose, from now on. */
function rises(rig: E1000Rig): number[] {
  const times: number[] = [];
  rig.line.tap = level => {
    if (level) times.push(rig.clock.nowNs);
  };
  return times;
}

describe('interrupts, 82540EM manual 13.4.17 to 13.4.21', () => {
  it('causes latch in ICR whether or not they are enabled', () => {
    const rig = new E1000Rig();
    rig.write(ICS.at, ICR.TXDW | ICR.RXT0);
    expect([rig.read(ICR.at), rig.line.level]).toEqual([ICR.TXDW | ICR.RXT0, false]);
  });

  it('reading ICR clears all of it, masked bits too', () => {
    const rig = new E1000Rig();
    rig.write(IMS.at, ICR.RXT0);
    rig.write(ICS.at, ICR.TXDW | ICR.RXT0);
    expect([rig.line.level, rig.read(ICR.at), rig.read(ICR.at), rig.line.level]).toEqual([true, 0x81, 0, false]);
  });

  it('writing ones to ICR clears those bits, zeros leave the others', () => {
    const rig = new E1000Rig();
    rig.write(IMS.at, ICR.RXT0);
    rig.write(ICS.at, ICR.TXDW | ICR.RXT0);
    rig.write(ICR.at, 0);
    expect(rig.line.level).toBe(true);
    rig.write(ICR.at, ICR.RXT0);
    expect([rig.line.level, rig.read(ICR.at)]).toEqual([false, ICR.TXDW]);
  });

  it('setting a mask bit whose cause stands raises the pin at once, IMC lowers it at once', () => {
    const rig = new E1000Rig();
    rig.write(ICS.at, ICR.LSC);
    rig.write(IMS.at, ICR.LSC);
    expect(rig.line.level).toBe(true);
    rig.write(IMC.at, ICR.LSC);
    expect([rig.line.level, rig.read(IMS.at), rig.read(IMC.at)]).toEqual([false, 0, 0]);
  });

  it('IMS sets what is written and keeps the rest; a zero does nothing', () => {
    const rig = new E1000Rig();
    rig.write(IMS.at, ICR.LSC);
    rig.write(IMS.at, ICR.RXT0);
    rig.write(IMS.at, 0);
    expect(rig.read(IMS.at)).toBe(ICR.LSC | ICR.RXT0);
  });

  it('ICS reads as ICR without clearing it', () => {
    const rig = new E1000Rig();
    rig.write(ICS.at, ICR.LSC);
    expect([rig.read(ICS.at), rig.read(ICS.at), rig.read(ICR.at)]).toEqual([ICR.LSC, ICR.LSC, ICR.LSC]);
  });

  it("the PCI command register's Interrupt Disable masks the pin, the status register shows the condition", () => {
    const rig = new E1000Rig();
    rig.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE | 0x400);
    rig.write(IMS.at, ICR.LSC);
    rig.write(ICS.at, ICR.LSC);
    expect([rig.line.level, rig.nic.pci.configRead(6, 2) & 8]).toEqual([false, 8]);
    rig.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE);
    expect(rig.line.level).toBe(true);
  });

  it('tells an observer the causes raised, ICR and IMS', () => {
    const rig = new E1000Rig();
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(ICS.at, ICR.LSC);
    expect(record.raised).toEqual([ICR.LSC]);
  });
});

describe('ITR, 82540EM manual 13.4.18', () => {
  it('keeps rises of the pin at least the interval apart', () => {
    const rig = new E1000Rig().openRx(64);
    rig.write(ITR.at, 500); // 128 us
    rig.write(IMS.at, ICR.RXT0);
    const times = rises(rig);
    for (let i = 0; i < 30; i++) {
      rig.arrive(frameTo(NIC_MAC, 64));
      rig.pass(15_000);
      if (rig.line.level) rig.read(ICR.at);
    }
    expect(times.length).toBeGreaterThan(3);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(128_000);
  });

  it('lets the first one through at once, and the next as soon as the interval is over', () => {
    const rig = new E1000Rig();
    rig.write(ITR.at, 500);
    rig.write(IMS.at, ICR.LSC);
    const times = rises(rig);
    const startNs = rig.clock.nowNs;
    rig.write(ICS.at, ICR.LSC);
    rig.read(ICR.at);
    rig.pass(1000);
    rig.write(ICS.at, ICR.LSC);
    rig.pass(500_000);
    expect(times).toEqual([startNs, startNs + 128_000]);
  });

  it('zero is no limit', () => {
    const rig = new E1000Rig();
    rig.write(IMS.at, ICR.LSC);
    const times = rises(rig);
    for (let i = 0; i < 3; i++) {
      rig.write(ICS.at, ICR.LSC);
      rig.read(ICR.at);
    }
    expect(times).toHaveLength(3);
  });

  it('a cause that is taken back in the gap raises nothing', () => {
    const rig = new E1000Rig();
    rig.write(ITR.at, 500);
    rig.write(IMS.at, ICR.LSC);
    const times = rises(rig);
    for (let i = 0; i < 2; i++) {
      rig.write(ICS.at, ICR.LSC);
      rig.read(ICR.at);
    }
    rig.pass(500_000);
    expect(times).toHaveLength(1);
  });
});

describe('receive timers, 82540EM manual 3.2.7.1', () => {
  it('RDTR raises RXT0 after that much silence', () => {
    const rig = new E1000Rig().openRx(64);
    rig.write(RDTR.at, 100);
    rig.arrive(frameTo(NIC_MAC, 64));
    rig.pass(60 * US);
    rig.arrive(frameTo(NIC_MAC, 64));
    rig.pass(60 * US);
    expect(rig.peek(ICR.at) & ICR.RXT0).toBe(0);
    rig.pass(40 * US);
    expect(rig.peek(ICR.at) & ICR.RXT0).toBe(ICR.RXT0);
  });

  it('RADV bounds the wait from the first frame', () => {
    const rig = new E1000Rig().openRx(64);
    rig.write(RDTR.at, 100);
    rig.write(RADV.at, 150);
    for (let i = 0; i < 3; i++) {
      rig.arrive(frameTo(NIC_MAC, 64));
      rig.pass(50 * US);
    }
    expect(rig.peek(ICR.at) & ICR.RXT0).toBe(ICR.RXT0);
    rig.read(ICR.at);
    rig.pass(500 * US);
    expect(rig.read(ICR.at)).toBe(0); // its expiry has cancelled RDTR
  });

  it('FPD raises RXT0 now', () => {
    const rig = new E1000Rig().openRx(64);
    rig.write(RDTR.at, 1000);
    rig.arrive(frameTo(NIC_MAC, 64));
    rig.write(RDTR.at, 1000 | RDTR.FPD);
    expect([rig.read(ICR.at) & ICR.RXT0, rig.read(RDTR.at)]).toEqual([ICR.RXT0, 1000]);
  });

  it('frames of up to RSRPD octets raise SRPD and RXT0 at once', () => {
    const rig = new E1000Rig().openRx(64);
    rig.write(RDTR.at, 1000);
    rig.write(RSRPD.at, 60);
    rig.arrive(frameTo(NIC_MAC, 65));
    expect(rig.read(ICR.at)).toBe(0);
    rig.arrive(frameTo(NIC_MAC, 64));
    expect(rig.read(ICR.at)).toBe(ICR.SRPD | ICR.RXT0);
    rig.pass(2000 * US);
    expect(rig.read(ICR.at)).toBe(0);
  });
});
