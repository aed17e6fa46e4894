/** When descriptors are fetched ahead and written back: TXDCTL and RXDCTL. 82540EM manual, 3.2.4, 3.2.5, 3.4.1, 3.4.2. */
import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, CMD, E1000Rig, frameTo, NIC_MAC, octetsTo, Recorder, SEND } from '../../../../support/e1000-rig.ts';

const { GPTC, ICR, RADV, RDH, RDT, RDTR, RXDCTL, TADV, TDH, TDT, TIDV, TXDCTL } = E1000;
const { GRAN } = TXDCTL;
const FRAME_NS = 30_000;
const IDE = SEND | CMD.IDE;
const CACHE_LINE_SIZE = 0x0c;

const wthresh = (descriptors: number) => GRAN | (descriptors << 16);
const statuses = (rig: E1000Rig, count: number) => Array.from({ length: count }, (_, i) => rig.txStatus(i));
const received = (rig: E1000Rig, count: number) =>
  Array.from({ length: count }, (_, i) => rig.rxDescriptor(i).status & 1);

/** Sends frames with these commands, from descriptor 0 on, and waits until they have left. */
function sendAll(rig: E1000Rig, ...commands: number[]): void {
  commands.forEach((command, i) => {
    rig.txLegacy(i, rig.txBuffer(0, octetsTo(BROADCAST, 100)), 100, command);
  });
  rig.write(TDT.at, commands.length);
  rig.pass(FRAME_NS);
  expect(rig.read(GPTC.at)).toBe(commands.length);
}

function txRig(control: number): E1000Rig {
  const rig = new E1000Rig().openTx(32);
  rig.write(TXDCTL.at, control);
  return rig;
}

function rxRig(control: number, count = 16): E1000Rig {
  const rig = new E1000Rig();
  rig.write(RXDCTL.at, control);
  return rig.openRx(count);
}

describe('transmit descriptor write-back, 82540EM manual 3.4.2', () => {
  it.each([0, wthresh(0), wthresh(1)])(
    'TXDCTL %d: a descriptor that has RS set is written back when it is ready',
    c => {
      const rig = txRig(c);
      sendAll(rig, SEND, SEND & ~CMD.RS, IDE);
      expect(statuses(rig, 3)).toEqual([1, 0, 1]);
    },
  );

  it('with WTHRESH > 0 waits until WTHRESH descriptors have accumulated; TDH does not wait', () => {
    const rig = txRig(wthresh(4));
    sendAll(rig, SEND, SEND, SEND);
    expect([statuses(rig, 3), rig.read(TDH.at), rig.read(ICR.at) & ICR.TXDW]).toEqual([[0, 0, 0], 3, 0]);
    rig.send(3, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect([statuses(rig, 4), rig.read(ICR.at) & ICR.TXDW]).toEqual([[1, 1, 1, 1], ICR.TXDW]);
  });

  it('starts accumulating after a descriptor with RS, and then writes back those without it too', () => {
    const rig = txRig(wthresh(3));
    const plain = SEND & ~CMD.RS;
    sendAll(rig, plain, plain, SEND, plain, plain);
    expect(statuses(rig, 5)).toEqual([0, 0, 1, 1, 1]);
  });

  it.each([
    ['TIDV', 100, 0],
    ['TADV', 60_000, 100],
  ])('%s expires: any accumulated descriptors are flushed, with TXDW', (_name, relative, absolute) => {
    const rig = txRig(wthresh(8));
    rig.write(TIDV.at, relative);
    rig.write(TADV.at, absolute);
    sendAll(rig, IDE, IDE);
    expect([statuses(rig, 2), rig.peek(ICR.at) & ICR.TXDW]).toEqual([[0, 0], 0]);
    rig.pass(110 * 1024);
    expect([statuses(rig, 2), rig.peek(ICR.at) & ICR.TXDW]).toEqual([[1, 1], ICR.TXDW]);
  });

  it('at the threshold leaves the interrupt of IDE descriptors to the timer', () => {
    const rig = txRig(wthresh(2));
    rig.write(TIDV.at, 1000);
    sendAll(rig, IDE, IDE);
    expect([statuses(rig, 2), rig.peek(ICR.at) & ICR.TXDW]).toEqual([[1, 1], 0]);
    rig.pass(1100 * 1024);
    expect(rig.peek(ICR.at) & ICR.TXDW).toBe(ICR.TXDW);
  });

  it('GRAN = 0 counts cache lines, as long as PCI configuration says', () => {
    const rig = txRig(1 << 16);
    rig.nic.pci.configWrite(CACHE_LINE_SIZE, 1, 16);
    sendAll(rig, SEND, SEND, SEND);
    expect(statuses(rig, 3)).toEqual([0, 0, 0]);
    rig.send(3, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect(statuses(rig, 4)).toEqual([1, 1, 1, 1]);
  });

  it('forgets what has accumulated when the ring moves', () => {
    const rig = txRig(wthresh(2));
    sendAll(rig, SEND);
    rig.write(TDH.at, 1);
    rig.send(1, octetsTo(BROADCAST, 100));
    rig.pass(FRAME_NS);
    expect(statuses(rig, 2)).toEqual([0, 0]);
  });

  it('survives a snapshot', () => {
    const rig = txRig(wthresh(2));
    sendAll(rig, SEND);
    rig.nic.load(rig.nic.save());
    rig.send(1, octetsTo(BROADCAST, 100), SEND & ~CMD.RS);
    rig.pass(FRAME_NS);
    expect([statuses(rig, 2), rig.read(ICR.at) & ICR.TXDW]).toEqual([[1, 1], ICR.TXDW]);
  });
});

describe('receive descriptor packing, 82540EM manual 3.2.5', () => {
  it('writes back when RXDCTL.WTHRESH descriptors have been used; RDH does not wait', () => {
    const rig = rxRig(wthresh(3));
    rig.write(RDTR.at, 60_000);
    rig.arrive(frameTo(NIC_MAC, 100), frameTo(NIC_MAC, 100));
    expect([received(rig, 2), rig.read(RDH.at)]).toEqual([[0, 0], 2]);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect([received(rig, 3), rig.peek(ICR.at) & ICR.RXT0]).toEqual([[1, 1, 1], 0]);
  });

  it.each([
    ['RDTR', 100, 0],
    ['RADV', 60_000, 100],
  ])('%s expires: used descriptors are written back before the interrupt', (_name, relative, absolute) => {
    const rig = rxRig(wthresh(8));
    rig.write(RDTR.at, relative);
    rig.write(RADV.at, absolute);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(received(rig, 1)).toEqual([0]);
    rig.pass(110 * 1024);
    expect([received(rig, 1), rig.peek(ICR.at) & ICR.RXT0]).toEqual([[1], ICR.RXT0]);
  });

  it('RDTR.FPD writes back at once', () => {
    const rig = rxRig(wthresh(8));
    rig.write(RDTR.at, 60_000);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(received(rig, 1)).toEqual([0]);
    rig.write(RDTR.at, 60_000 | RDTR.FPD);
    expect([received(rig, 1), rig.peek(ICR.at) & ICR.RXT0]).toEqual([[1], ICR.RXT0]);
  });

  it('without a delay every frame is written back before its interrupt', () => {
    const rig = rxRig(wthresh(8));
    rig.arrive(frameTo(NIC_MAC, 100));
    expect([received(rig, 1), rig.peek(ICR.at) & ICR.RXT0]).toEqual([[1], ICR.RXT0]);
  });

  it('writes back when no descriptor is left, for which software may wait', () => {
    const rig = rxRig(wthresh(20), 8);
    rig.write(RDTR.at, 60_000);
    rig.arrive(...Array.from({ length: 7 }, () => frameTo(NIC_MAC, 100)));
    expect(received(rig, 8)).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
  });
});

describe('descriptor prefetch, 82540EM manual 3.2.4 and 3.4.1', () => {
  const fetches = (record: Recorder, ring: string) =>
    record.descriptors.filter(({ action, ring: of }) => action === 'fetch' && of === ring).map(({ index }) => index);

  it('with PTHRESH 0 fetches receive descriptors when a frame needs one', () => {
    const rig = rxRig(GRAN);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(RDT.at, 15);
    rig.pass(FRAME_NS);
    expect(fetches(record, 'rx')).toEqual([]);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(fetches(record, 'rx')).toHaveLength(15);
  });

  it('with fewer than PTHRESH on chip fetches them as soon as software gives them', () => {
    const rig = rxRig(GRAN | 4);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(RDT.at, 15);
    rig.pass(FRAME_NS);
    expect(fetches(record, 'rx')).toHaveLength(15);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(rig.rxDescriptor(0).status & 1).toBe(1);
  });

  it('with fewer than HTHRESH in memory leaves them there', () => {
    const rig = rxRig(GRAN | 4 | (16 << 8));
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(RDT.at, 15);
    rig.pass(FRAME_NS);
    expect(fetches(record, 'rx')).toEqual([]);
  });

  it.each([
    ['0', GRAN, 0],
    ['63', GRAN | 63, 1],
  ])('with PTHRESH %s fetches while frames wait for room in the transmit FIFO, or does not', (_, control, more) => {
    const rig = new E1000Rig().openTx(256);
    rig.write(TXDCTL.at, control);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1514));
    for (let i = 0; i < 100; i++) rig.txLegacy(i, address, 1514, SEND);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(TDT.at, 100);
    rig.pass(300_000);
    expect(fetches(record, 'tx').length > 64 ? 1 : 0).toBe(more);
    rig.pass(1_500_000);
    expect(rig.read(GPTC.at)).toBe(100);
  });
});
