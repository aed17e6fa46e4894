import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { E1000Rig } from '../../../../support/e1000-rig.ts';
import { forcedControl } from '../../../../support/ethernet.ts';

const { CTRL, CTRL_EXT, ICR, MDIC, RDT, STATUS, TDBAL } = E1000;
const OP_WRITE = 1 << 26;
const OP_READ = 2 << 26;
const PHY_1 = 1 << 21;

function mdic(rig: E1000Rig, command: number): number {
  rig.write(MDIC.at, command);
  rig.pass(70_000);
  return rig.read(MDIC.at);
}

describe('MDIC, 82540EM manual 13.4.7', () => {
  it('reads the identifier of the PHY', () => {
    const rig = new E1000Rig({ link: false });
    expect(mdic(rig, OP_READ | PHY_1 | (2 << 16)) & MDIC.DATA).toBe(0x0141);
    expect(mdic(rig, OP_READ | PHY_1 | (3 << 16)) & 0xfff0).toBe(0x0c20);
  });

  it('takes the time of 64 bits at 1 MHz: R is clear until then', () => {
    const rig = new E1000Rig({ link: false });
    rig.write(MDIC.at, OP_READ | PHY_1 | (2 << 16) | MDIC.R);
    rig.pass(63_000);
    expect(rig.read(MDIC.at) & MDIC.R).toBe(0);
    rig.pass(2000);
    expect(rig.read(MDIC.at) & (MDIC.R | MDIC.E)).toBe(MDIC.R);
  });

  it('writes a register of the PHY', () => {
    const rig = new E1000Rig({ link: false });
    expect(mdic(rig, OP_WRITE | PHY_1 | (20 << 16) | 0x0170) & (MDIC.R | MDIC.E)).toBe(MDIC.R);
    expect(mdic(rig, OP_READ | PHY_1 | (20 << 16)) & MDIC.DATA).toBe(0x0170);
  });

  it('sets E where no PHY answers', () => {
    const rig = new E1000Rig({ link: false });
    expect(mdic(rig, OP_READ | (2 << 21) | (2 << 16)) & (MDIC.R | MDIC.E | MDIC.DATA)).toBe(MDIC.R | MDIC.E | 0xffff);
    expect(mdic(rig, PHY_1) & MDIC.E).toBe(MDIC.E);
  });

  it('raises MDAC when I is set, and only then', () => {
    const rig = new E1000Rig({ link: false });
    mdic(rig, OP_READ | PHY_1);
    expect(rig.read(ICR.at) & ICR.MDAC).toBe(0);
    mdic(rig, OP_READ | PHY_1 | MDIC.I);
    expect(rig.read(ICR.at) & ICR.MDAC).toBe(ICR.MDAC);
  });

  it('raises PHYINT for a cause that is enabled in the PHY', () => {
    const rig = new E1000Rig();
    mdic(rig, OP_WRITE | PHY_1 | (18 << 16) | 0x0400); // link status changed
    rig.cable.cut();
    rig.pass(200_000_000);
    expect(rig.read(ICR.at)).toBe(ICR.PHYINT | ICR.LSC);
  });
});

describe('the link, 82540EM manual 8.4 to 8.6', () => {
  it('comes up by auto-negotiation: LU, 1000 Mb/s, full duplex, LSC', () => {
    const rig = new E1000Rig({ link: false });
    expect(rig.read(STATUS.at) & STATUS.LU).toBe(0);
    rig.pass(5_000_000_000);
    expect(rig.read(STATUS.at) & (STATUS.LU | STATUS.SPEED | STATUS.FD)).toBe(STATUS.LU | STATUS.FD | (2 << 6));
    expect(rig.read(ICR.at) & ICR.LSC).toBe(ICR.LSC);
  });

  it.each([
    [10, 0],
    [100, 1],
    [1000, 2],
  ] as const)('STATUS.SPEED shows what the PHY has: %i', (speed, code) => {
    const rig = new E1000Rig({ link: false });
    rig.linkUp(speed);
    expect((rig.read(STATUS.at) & STATUS.SPEED) >> 6).toBe(code);
    rig.write(CTRL_EXT.at, CTRL_EXT.ASDCHK);
    expect((rig.read(STATUS.at) & STATUS.ASDV) >> 8).toBe(code);
    expect(rig.read(CTRL_EXT.at)).toBe(0);
  });

  it('LSC is raised when the link goes and when it comes back', () => {
    const rig = new E1000Rig();
    rig.cable.cut();
    rig.pass(200_000_000);
    expect([rig.read(STATUS.at) & STATUS.LU, rig.read(ICR.at)]).toEqual([0, ICR.LSC]);
    rig.cable.repair();
    rig.pass(2_000_000_000);
    expect([rig.read(STATUS.at) & STATUS.LU, rig.read(ICR.at)]).toEqual([STATUS.LU, ICR.LSC]);
  });

  it('a forced speed that is not that of the PHY gives no link', () => {
    const rig = new E1000Rig();
    rig.write(CTRL.at, CTRL.SLU | CTRL.FRCSPD | (1 << 8));
    expect(rig.read(STATUS.at) & STATUS.LU).toBe(0);
    rig.write(CTRL.at, CTRL.SLU | CTRL.FRCSPD | (2 << 8));
    expect(rig.read(STATUS.at) & STATUS.LU).toBe(STATUS.LU);
  });

  it('FRCDPLX makes STATUS.FD that of CTRL', () => {
    const rig = new E1000Rig();
    rig.write(CTRL.at, CTRL.SLU | CTRL.FRCDPLX);
    expect(rig.read(STATUS.at) & STATUS.FD).toBe(0);
    rig.write(CTRL.at, CTRL.SLU);
    expect(rig.read(STATUS.at) & STATUS.FD).toBe(STATUS.FD);
  });
});

describe('resets, 82540EM manual 4.3 and 13.4.1', () => {
  it('CTRL.RST clears itself and leaves PCI configuration, PHY and link alone', () => {
    const rig = new E1000Rig();
    rig.nic.pci.configWrite(0x10, 4, 0x4000_0000);
    rig.write(TDBAL.at, 0x8000_0000);
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.RST);
    expect([rig.read(CTRL.at) & CTRL.RST, rig.read(TDBAL.at)]).toEqual([0, 0]);
    expect(rig.nic.pci.configRead(0x10, 4) >>> 0).toBe(0x4000_0000);
    expect(rig.nic.pci.configRead(4, 2) & 7).toBe(7);
    expect([rig.read(STATUS.at) & STATUS.LU, rig.read(ICR.at)]).toEqual([STATUS.LU, 0]);
  });

  it('CTRL.RST lowers the pin and ends what was under way', () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, new Uint8Array(1514));
    rig.write(E1000.IMS.at, ICR.LSC);
    rig.write(E1000.ICS.at, ICR.LSC);
    rig.pass(8000);
    rig.write(CTRL.at, CTRL.RST);
    expect(rig.line.level).toBe(false);
    rig.pass(100_000);
    expect([rig.txStatus(0), rig.read(ICR.at), rig.read(E1000.GPTC.at)]).toEqual([0, 0, 0]);
  });

  it('a NIC works after CTRL.RST as after power-on', () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, new Uint8Array(100));
    rig.write(CTRL.at, CTRL.RST);
    rig.openTx();
    rig.send(0, new Uint8Array(100));
    rig.pass(30_000);
    expect(rig.txStatus(0)).toBe(1);
  });

  it('PBA takes effect at the next reset, which it survives', () => {
    const rig = new E1000Rig();
    rig.write(E1000.PBA.at, 8);
    expect(rig.read(E1000.PBA.at)).toBe(8 | (56 << 16));
    rig.write(CTRL.at, CTRL.RST);
    expect(rig.read(E1000.PBA.at)).toBe(8 | (56 << 16));
  });

  it('CTRL.PHY_RST holds the PHY in reset while it is set; the link drops and negotiates again', () => {
    const rig = new E1000Rig();
    rig.write(CTRL.at, CTRL.SLU | CTRL.PHY_RST);
    expect(rig.read(CTRL.at) & CTRL.PHY_RST).not.toBe(0);
    rig.pass(10_000);
    rig.write(CTRL.at, CTRL.SLU);
    expect([rig.read(STATUS.at) & STATUS.LU, rig.read(ICR.at) & ICR.LSC]).toEqual([0, ICR.LSC]);
    rig.far.phy.writeRegister(0, 0x9140);
    rig.pass(5_000_000_000);
    expect(rig.read(STATUS.at) & STATUS.LU).toBe(STATUS.LU);
  });

  it('the registers of a reset ring own nothing: a doorbell does nothing', () => {
    const rig = new E1000Rig().openRx();
    rig.write(CTRL.at, CTRL.RST);
    rig.write(RDT.at, 5);
    rig.pass(100_000);
    expect(rig.read(E1000.RDH.at)).toBe(0);
  });

  it('forcing the PHY is up to software', () => {
    const rig = new E1000Rig({ link: false });
    mdic(rig, OP_WRITE | PHY_1 | forcedControl(100, true));
    rig.far.phy.writeRegister(0, forcedControl(100, true));
    rig.pass(2_000_000_000);
    expect(rig.read(STATUS.at) & (STATUS.LU | STATUS.SPEED | STATUS.FD)).toBe(STATUS.LU | STATUS.FD | (1 << 6));
  });
});
