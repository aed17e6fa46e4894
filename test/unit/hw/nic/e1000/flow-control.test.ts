import { describe, expect, it } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, E1000Rig, FAR_MAC, frameTo, NIC_MAC, octetsTo, Recorder } from '../../../../support/e1000-rig.ts';

const { CTRL, FCAH, FCAL, FCRTH, FCRTL, FCRUC, FCT, FCTTV, GPTC, RCTL, RDFPC, RDT, STATUS, TCTL } = E1000;
const { XOFFRXC, XOFFTXC, XONRXC, XONTXC } = E1000;
const PAUSE_ADDRESS = Uint8Array.of(0x01, 0x80, 0xc2, 0x00, 0x00, 0x01);

function pauseFrame(quanta: number, destination: Uint8Array = PAUSE_ADDRESS, opcode = 1): Frame {
  const octets = new Uint8Array(60);
  octets.set(destination);
  octets.set(FAR_MAC, 6);
  octets.set([0x88, 0x08, 0, opcode, quanta >> 8, quanta & 255], 12);
  return Frame.withFcs(octets);
}

function rigWith(ctrl: number): E1000Rig {
  const rig = new E1000Rig().openTx(64).openRx(64, RCTL.BAM | RCTL.MPE);
  rig.write(FCAL.at, 0x00c28001);
  rig.write(FCAH.at, 0x0100);
  rig.write(FCT.at, 0x8808);
  rig.write(FCTTV.at, 0x0680);
  rig.write(CTRL.at, rig.read(CTRL.at) | ctrl);
  return rig;
}

describe('received PAUSE frames, 82540EM manual 8.8', () => {
  it('with RFCE stop the transmitter for so many quanta of 512 bit times', () => {
    const rig = rigWith(CTRL.RFCE);
    rig.arrive(pauseFrame(200));
    expect([rig.read(STATUS.at) & STATUS.TXOFF, rig.read(XOFFRXC.at)]).toEqual([STATUS.TXOFF, 1]);
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.pass(80_000);
    expect(rig.txStatus(0)).toBe(0);
    rig.pass(30_000);
    expect([rig.txStatus(0), rig.read(STATUS.at) & STATUS.TXOFF]).toEqual([1, 0]);
    expect(rig.far.arrivals[0]!.startNs).toBeGreaterThanOrEqual(200 * 512);
  });

  it('a pause of zero quanta lets it go on', () => {
    const rig = rigWith(CTRL.RFCE);
    rig.arrive(pauseFrame(0xffff));
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.arrive(pauseFrame(0));
    rig.pass(10_000);
    expect([rig.txStatus(0), rig.read(XOFFRXC.at), rig.read(XONRXC.at)]).toEqual([1, 1, 1]);
  });

  it('addressed to this station count as well', () => {
    const rig = rigWith(CTRL.RFCE);
    rig.arrive(pauseFrame(0xffff, NIC_MAC));
    expect(rig.read(XOFFRXC.at)).toBe(1);
  });

  it('are recognized whatever the address filter lets in, for FCAL and FCAH are compared by themselves', () => {
    const rig = rigWith(CTRL.RFCE);
    rig.write(RCTL.at, RCTL.EN | RCTL.BAM);
    rig.arrive(pauseFrame(0xffff));
    expect([rig.read(STATUS.at) & STATUS.TXOFF, rig.read(XOFFRXC.at)]).toEqual([STATUS.TXOFF, 1]);
    rig.arrive(pauseFrame(0, Uint8Array.of(0x01, 0x80, 0xc2, 0, 0, 2)));
    rig.arrive(pauseFrame(0, FAR_MAC));
    expect([rig.read(XONRXC.at), rig.read(FCRUC.at), rig.read(E1000.RDH.at)]).toEqual([0, 0, 0]);
  });

  it('without RFCE, or with another opcode, are counted in FCRUC and do nothing', () => {
    const rig = rigWith(0);
    rig.arrive(pauseFrame(0xffff));
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.RFCE);
    rig.arrive(pauseFrame(0xffff, PAUSE_ADDRESS, 2));
    expect([rig.read(STATUS.at) & STATUS.TXOFF, rig.read(FCRUC.at), rig.read(XOFFRXC.at)]).toEqual([0, 2, 0]);
  });

  it('are not for software, unless RCTL.PMCF says so; DPF drops PAUSE even then', () => {
    const rig = rigWith(CTRL.RFCE);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.arrive(pauseFrame(0));
    expect([rig.read(E1000.RDH.at), record.drops]).toEqual([0, ['flow control']]);
    rig.write(RCTL.at, RCTL.EN | RCTL.MPE | RCTL.PMCF);
    rig.arrive(pauseFrame(0));
    expect(rig.read(E1000.RDH.at)).toBe(1);
    rig.write(RCTL.at, RCTL.EN | RCTL.MPE | RCTL.PMCF | RCTL.DPF);
    rig.arrive(pauseFrame(0));
    expect(rig.read(E1000.RDH.at)).toBe(1);
  });

  it('before FCT is written there is no flow control: nothing is taken for it', () => {
    const rig = new E1000Rig().openRx(8, RCTL.MPE);
    rig.arrive(pauseFrame(5));
    expect([rig.read(E1000.RDH.at), rig.read(FCRUC.at)]).toEqual([1, 0]);
  });
});

describe('sent PAUSE frames, 82540EM manual 8.8', () => {
  it('XOFF when the receive FIFO rises above FCRTH, XON when it has drained to FCRTL', () => {
    const rig = rigWith(CTRL.TFCE);
    rig.write(FCRTH.at, 8000);
    rig.write(FCRTL.at, 4000 | FCRTL.XONE);
    rig.write(RDT.at, 0);
    rig.arrive(...Array.from({ length: 9 }, () => frameTo(NIC_MAC, 1518)));
    rig.pass(10_000);
    expect(rig.far.arrivals.map(({ frame }) => frame.octets)).toEqual([pauseOctets(0x0680)]);
    rig.write(RDT.at, 40);
    rig.pass(100_000);
    expect(rig.far.arrivals.map(({ frame }) => frame.octets)).toEqual([pauseOctets(0x0680), pauseOctets(0)]);
    expect([rig.read(XOFFTXC.at), rig.read(XONTXC.at), rig.read(GPTC.at), rig.read(RDFPC.at)]).toEqual([1, 1, 0, 0]);
  });

  it('TCTL.SWXOFF sends one XOFF, before the frames that wait', () => {
    const rig = rigWith(0);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1514));
    for (let i = 0; i < 6; i++) rig.txLegacy(i, address, 1514, 11);
    rig.write(E1000.TDT.at, 6);
    rig.pass(15_000);
    rig.write(TCTL.at, TCTL.EN | TCTL.PSP | TCTL.SWXOFF);
    expect(rig.read(TCTL.at)).toBe(TCTL.EN | TCTL.PSP);
    rig.pass(200_000);
    const kinds = rig.far.arrivals.map(({ frame }) => (frame.octets.length === 60 ? 'pause' : 'data'));
    expect(kinds).toEqual(['data', 'pause', 'data', 'data', 'data', 'data', 'data']);
    expect([0, 5].map(i => rig.txStatus(i))).toEqual([1, 1]);
  });

  function pauseOctets(quanta: number): Uint8Array {
    const octets = new Uint8Array(60);
    octets.set(PAUSE_ADDRESS);
    octets.set(NIC_MAC, 6);
    octets.set([0x88, 0x08, 0, 1, quanta >> 8, quanta & 255], 12);
    return octets;
  }
});

describe('MAC loopback, 82540EM manual 13.4.22', () => {
  it('brings what is sent back into the receive ring, and puts nothing on the wire', () => {
    const rig = new E1000Rig({ link: false }).openTx().openRx(8, RCTL.BAM | RCTL.SECRC | (1 << 6));
    const octets = octetsTo(BROADCAST, 300);
    rig.send(0, octets);
    rig.pass(30_000);
    expect([rig.txStatus(0), rig.rxDescriptor(0).status & 3]).toEqual([1, 3]);
    expect(rig.rxData(0)).toEqual(octets);
    expect(rig.far.arrivals).toEqual([]);
  });

  it('takes the time of a gigabit wire', () => {
    const rig = new E1000Rig().openTx().openRx(8, RCTL.BAM | (1 << 6));
    rig.send(0, octetsTo(BROADCAST, 1514));
    rig.pass(12_000);
    expect(rig.txStatus(0)).toBe(0);
    rig.pass(20_000);
    expect(rig.txStatus(0)).toBe(1);
  });

  it('hears nothing of the wire', () => {
    const rig = new E1000Rig().openRx(8, RCTL.BAM | (1 << 6));
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(rig.read(E1000.TPR.at)).toBe(0);
  });
});
