import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import {
  BROADCAST,
  CMD,
  E1000Rig,
  octetsTo,
  PCI_COMMAND,
  PCI_ENABLE,
  Recorder,
  SEND,
  TX_BUFFERS,
} from '../../../../support/e1000-rig.ts';

const { CTRL, GPTC, ICR, TCTL, TDFPC, TDH, TDT, TIDV, TADV, TXDCTL } = E1000;
const FRAME_NS = 30_000;

const sentBy = (rig: E1000Rig) => rig.far.arrivals.map(({ frame }) => frame);

describe('transmit, 82540EM manual 3.3 and 3.4', () => {
  it('sends the octets that a descriptor names', () => {
    const rig = new E1000Rig().openTx();
    const octets = octetsTo(BROADCAST, 100);
    rig.send(0, octets);
    rig.pass(FRAME_NS);
    expect(sentBy(rig).map(frame => frame.octets)).toEqual([octets]);
    expect(sentBy(rig)[0]!.fcsGood).toBe(true);
  });

  it('writes DD back when the frame has left the wire, not before', () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, octetsTo(BROADCAST, 1514));
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 0]);
    rig.pass(1518 * 8);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 0]);
    rig.pass(FRAME_NS);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([1, 1]);
    expect(rig.read(ICR.at) & (ICR.TXDW | ICR.TXQE)).toBe(ICR.TXDW | ICR.TXQE);
  });

  it('takes ten times as long at 100 Mb/s', () => {
    const rig = new E1000Rig({ link: false }).openTx();
    rig.linkUp(100);
    rig.send(0, octetsTo(BROADCAST, 1514));
    rig.pass(1518 * 80);
    expect(rig.txStatus(0)).toBe(0);
    rig.pass(FRAME_NS);
    expect(rig.txStatus(0)).toBe(1);
  });

  it('gathers a packet from descriptors up to EOP', () => {
    const rig = new E1000Rig().openTx();
    const octets = octetsTo(BROADCAST, 200);
    const address = rig.txBuffer(0, octets);
    rig.txLegacy(0, address, 14, CMD.RS);
    rig.txLegacy(1, address + 14, 86, CMD.RS);
    rig.txLegacy(2, address + 100, 100, SEND);
    rig.write(TDT.at, 3);
    rig.pass(FRAME_NS);
    expect(sentBy(rig).map(frame => frame.octets)).toEqual([octets]);
    expect([0, 1, 2].map(i => rig.txStatus(i))).toEqual([1, 1, 1]);
  });

  it('sends frames in the order of the ring, across its end, gap by gap', () => {
    const rig = new E1000Rig().openTx(8);
    const frames = Array.from({ length: 20 }, (_, i) => octetsTo(BROADCAST, 100 + i, i));
    frames.forEach((octets, i) => {
      rig.send(i % 8, octets);
      rig.pass(i % 3 === 0 ? FRAME_NS : 0);
    });
    rig.pass(FRAME_NS);
    expect(sentBy(rig).map(frame => frame.octets)).toEqual(frames);
  });

  it('fills the wire: the next frame follows after the inter-frame gap', () => {
    const rig = new E1000Rig().openTx(64);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1514));
    for (let i = 0; i < 63; i++) rig.txLegacy(i, address, 1514, SEND);
    rig.write(TDT.at, 63);
    rig.pass(64 * 12_304);
    const starts = rig.far.arrivals.map(({ startNs }) => startNs);
    expect(starts).toHaveLength(63);
    expect(new Set(starts.slice(1).map((ns, i) => ns - starts[i]!))).toEqual(new Set([(1518 + 8 + 12) * 8]));
  });

  it('without RS sends but writes nothing back', () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, octetsTo(BROADCAST, 100), CMD.EOP | CMD.IFCS);
    rig.pass(FRAME_NS);
    expect(sentBy(rig)).toHaveLength(1);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 1]);
    expect(rig.read(ICR.at) & (ICR.TXDW | ICR.TXQE)).toBe(ICR.TXQE);
  });

  it('without IFCS sends the bytes as they are, so that the last four stand in the place of the FCS', () => {
    const rig = new E1000Rig().openTx();
    const record = new Recorder();
    rig.nic.taps = record;
    const octets = octetsTo(BROADCAST, 100);
    rig.send(0, octets, CMD.EOP | CMD.RS);
    rig.pass(FRAME_NS);
    const [frame] = sentBy(rig);
    expect(frame!.wire()).toEqual(octets);
    expect(frame!.fcsGood).toBe(false);
    expect(record.suspicions.some(text => text.includes('IFCS'))).toBe(true);
  });

  it('with PSP pads short packets to 64 octets, FCS included', () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, octetsTo(BROADCAST, 42));
    rig.send(1, octetsTo(BROADCAST, 42), CMD.EOP | CMD.RS);
    rig.pass(FRAME_NS);
    expect(sentBy(rig).map(frame => frame.wireBytes)).toEqual([64, 64]);
    expect(sentBy(rig)[0]!.octets.slice(42)).toEqual(new Uint8Array(18));
  });

  it('without PSP sends a short packet short', () => {
    const rig = new E1000Rig().openTx();
    rig.write(TCTL.at, TCTL.EN);
    rig.send(0, octetsTo(BROADCAST, 42));
    rig.pass(FRAME_NS);
    expect(sentBy(rig).map(frame => frame.wireBytes)).toEqual([46]);
  });

  it('moves no data for a null address or zero length, and still writes DD', () => {
    const rig = new E1000Rig().openTx();
    rig.txLegacy(0, 0, 100, SEND);
    rig.txLegacy(1, TX_BUFFERS, 0, SEND);
    rig.write(TDT.at, 2);
    rig.pass(FRAME_NS);
    expect([rig.txStatus(0), rig.txStatus(1), rig.read(TDH.at)]).toEqual([1, 1, 2]);
    expect(sentBy(rig)).toHaveLength(0);
  });

  it('without TCTL.EN leaves the descriptors where they are', () => {
    const rig = new E1000Rig().openTx();
    rig.write(TCTL.at, TCTL.PSP);
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect([sentBy(rig).length, rig.read(TDH.at)]).toEqual([0, 0]);
    rig.write(TCTL.at, TCTL.EN | TCTL.PSP);
    rig.pass(FRAME_NS);
    expect([sentBy(rig).length, rig.read(TDH.at)]).toEqual([1, 1]);
  });

  it('waits for the link, and goes on by itself when it comes', () => {
    const rig = new E1000Rig({ link: false }).openTx();
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 0]);
    rig.linkUp();
    expect([rig.txStatus(0), sentBy(rig).length]).toEqual([1, 1]);
  });

  it('stops on CTRL.SLU = 0: the MAC does not see the link', () => {
    const rig = new E1000Rig().openTx();
    rig.write(CTRL.at, rig.read(CTRL.at) & ~CTRL.SLU);
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect(sentBy(rig)).toHaveLength(0);
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.SLU);
    rig.pass(FRAME_NS);
    expect(sentBy(rig)).toHaveLength(1);
  });

  it('without bus mastering waits, and goes on when the command register allows it', () => {
    const rig = new E1000Rig().openTx();
    rig.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE & ~4);
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 0]);
    rig.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE);
    rig.pass(FRAME_NS);
    expect([rig.txStatus(0), sentBy(rig).length]).toEqual([1, 1]);
  });

  it("writes the status octet alone: the rest of the descriptor is software's", () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, octetsTo(BROADCAST, 1514));
    rig.pass(8000);
    rig.txLegacy(0, 0x1234, 77, 0x55, { special: 0xabcd });
    const before = rig.memory(0x8000_1000, 16).slice();
    rig.pass(FRAME_NS);
    before[12]! |= 1;
    expect(rig.memory(0x8000_1000, 16)).toEqual(before);
  });

  it('with IDE delays TXDW until TIDV has passed since the last, or TADV since the first', () => {
    const rig = new E1000Rig().openTx();
    rig.write(TIDV.at, 100);
    rig.write(TADV.at, 150);
    rig.send(0, octetsTo(BROADCAST, 100), SEND | CMD.IDE);
    rig.pass(90 * 1024);
    rig.send(1, octetsTo(BROADCAST, 100), SEND | CMD.IDE);
    rig.pass(50 * 1024);
    expect([rig.txStatus(1), rig.peek(ICR.at) & ICR.TXDW]).toEqual([1, 0]);
    rig.pass(15 * 1024);
    expect(rig.peek(ICR.at) & ICR.TXDW).toBe(ICR.TXDW);
  });

  it('without IDE interrupts at once, also for what was delayed', () => {
    const rig = new E1000Rig().openTx();
    rig.write(TIDV.at, 60_000);
    rig.send(0, octetsTo(BROADCAST, 100), SEND | CMD.IDE);
    rig.send(1, octetsTo(BROADCAST, 100), SEND);
    rig.pass(FRAME_NS);
    expect(rig.read(ICR.at) & ICR.TXDW).toBe(ICR.TXDW);
    rig.pass(70_000_000);
    expect(rig.read(ICR.at)).toBe(0);
  });

  it('gathers each of many packets whole', () => {
    const rig = new E1000Rig().openTx(8);
    for (let i = 0; i < 60; i++) {
      const octets = octetsTo(BROADCAST, 1500, i);
      const address = rig.txBuffer(0, octets);
      const index = (2 * i) % 8;
      rig.txLegacy(index, address, 1000, CMD.RS);
      rig.txLegacy(index + 1, address + 1000, 500, SEND);
      rig.write(TDT.at, (index + 2) % 8);
      rig.pass(FRAME_NS);
      expect(Buffer.compare(sentBy(rig)[i]!.octets, octets)).toBe(0);
    }
  });

  it('raises TXQE when the hardware owns no descriptor any more, not before', () => {
    const rig = new E1000Rig().openTx();
    const record = new Recorder();
    rig.nic.taps = record;
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1000));
    for (let i = 0; i < 3; i++) rig.txLegacy(i, address, 1000, SEND);
    rig.write(TDT.at, 3);
    rig.pass(2 * FRAME_NS);
    expect(record.raised.filter(bits => (bits & ICR.TXQE) !== 0)).toHaveLength(1);
    expect(record.raised.filter(bits => (bits & ICR.TXDW) !== 0)).toHaveLength(3);
  });

  it('raises TXD_LOW when the descriptors left fall to 8 x LWTHRESH', () => {
    const rig = new E1000Rig().openTx(32);
    rig.write(TXDCTL.at, 1 << 25);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 100));
    for (let i = 0; i < 10; i++) rig.txLegacy(i, address, 100, SEND);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(TDT.at, 10);
    rig.pass(FRAME_NS);
    const low = record.raised.filter(bits => (bits & ICR.TXD_LOW) !== 0);
    expect([low.length, rig.read(GPTC.at)]).toEqual([1, 10]);
  });

  it('holds only as many frames in the FIFO as it has memory for', () => {
    const rig = new E1000Rig().openTx(64);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1514));
    for (let i = 0; i < 40; i++) rig.txLegacy(i, address, 1514, SEND);
    rig.write(TDT.at, 40);
    rig.pass(150_000);
    expect(rig.read(TDFPC.at)).toBeGreaterThan(2);
    expect(rig.read(TDFPC.at)).toBeLessThanOrEqual(10);
    rig.pass(400_000);
    expect([rig.read(TDFPC.at), rig.read(GPTC.at)]).toEqual([0, 40]);
  });

  it('tells an observer of fetch, data and write-back', () => {
    const rig = new E1000Rig().openTx();
    const record = new Recorder();
    rig.nic.taps = record;
    rig.send(0, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect(record.descriptors.map(({ ring, index, action, bytes }) => [ring, index, action, bytes[12]])).toEqual([
      ['tx', 0, 'fetch', 0],
      ['tx', 0, 'write-back', 1],
    ]);
    expect(record.transfers).toEqual([
      ['read', 0x8000_1000, 16],
      ['read', TX_BUFFERS, 100],
      ['write', 0x8000_100c, 1],
    ]);
    expect(record.registers).toEqual([[true, TDT.at, 1]]);
  });
});
