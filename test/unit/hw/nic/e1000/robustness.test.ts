/**
 * Drivers that do what no driver should: each case must end in bounded work, touch no memory but that which was named,
 * and throw nothing. Afterwards the NIC works for a driver that behaves. The last block goes through what has gone wrong
 * in emulations of this family before.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { writeLe32 } from '../../../../../src/lib/bytes.ts';
import {
  BROADCAST,
  CMD,
  E1000Rig,
  frameTo,
  NIC_MAC,
  octetsTo,
  RAM_BASE,
  Recorder,
  RX_BUFFER_STRIDE,
  RX_BUFFERS,
  RX_RING,
  SEND,
  TX_RING,
} from '../../../../support/e1000-rig.ts';

const { CTRL, GPTC, RCTL, RDBAH, RDH, RDLEN, RDT, TCTL, TDBAH, TDBAL, TDH, TDLEN, TDT } = E1000;
/** Events after which a NIC that should have stopped has not. */
const EVENT_LIMIT = 20_000;

/** Runs until nothing happens any more, but for the PHYs' own timers. */
function settle(rig: E1000Rig, ns = 20_000_000): void {
  const before = rig.clock.eventCount;
  rig.pass(ns);
  expect(rig.clock.eventCount - before).toBeLessThan(EVENT_LIMIT);
}

/** A driver that behaves resets the chip, sends a frame and receives one. */
function expectAlive(rig: E1000Rig): void {
  rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.RST);
  rig.openTx().openRx();
  rig.far.arrivals.length = 0;
  rig.send(0, octetsTo(BROADCAST, 100));
  rig.arrive(frameTo(NIC_MAC, 100));
  settle(rig);
  expect([rig.far.arrivals.length, rig.txStatus(0), rig.rxDescriptor(0).status & 3]).toEqual([1, 1, 3]);
}

describe('pointers outside the ring', () => {
  it.each([
    ['TDT', TDT.at, 5000],
    ['TDH', TDH.at, 100],
  ])('%s: nothing is sent until it is put right', (_name, register, value) => {
    const rig = new E1000Rig().openTx(8);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 100));
    for (let i = 0; i < 8; i++) rig.txLegacy(i, address, 100, SEND);
    rig.write(register, value);
    rig.write(register === TDT.at ? TDH.at : TDT.at, 0);
    settle(rig);
    expect(rig.read(GPTC.at)).toBe(0);
    rig.write(TDH.at, 0);
    rig.write(TDT.at, 3);
    settle(rig);
    expect(rig.read(GPTC.at)).toBe(3);
  });

  it.each([
    ['RDT', RDT.at],
    ['RDH', RDH.at],
  ])('%s: frames wait in the FIFO until it is put right', (_name, register) => {
    const rig = new E1000Rig().openRx(8);
    rig.write(register, 5000);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(rig.read(E1000.RDFPC.at)).toBe(1);
    rig.write(RDH.at, 0);
    rig.write(RDT.at, 7);
    settle(rig);
    expect([rig.read(E1000.RDFPC.at), rig.read(RDH.at)]).toEqual([0, 1]);
  });

  it('are told to the observer', () => {
    const rig = new E1000Rig().openTx(8).openRx(8);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(TDT.at, 8);
    rig.write(RDT.at, 9);
    expect(record.suspicions).toEqual([
      'TDT 8 lies outside a ring of 8 descriptors',
      'RDT 9 lies outside a ring of 8 descriptors',
    ]);
  });

  it('a tail that moves backwards past what the chip holds still ends', () => {
    const rig = new E1000Rig().openTx(16);
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1000));
    for (let i = 0; i < 16; i++) rig.txLegacy(i, address, 1000, SEND);
    rig.write(TDT.at, 10);
    rig.pass(12_000);
    rig.write(TDT.at, 0);
    settle(rig);
    expect(rig.read(TDH.at)).toBe(0);
  });
});

describe('rings that are none', () => {
  it('of no length own nothing', () => {
    const rig = new E1000Rig().openTx().openRx();
    rig.write(TDLEN.at, 0);
    rig.write(RDLEN.at, 0);
    rig.write(TDT.at, 3);
    rig.arrive(frameTo(NIC_MAC, 100));
    settle(rig);
    expect([rig.read(TDH.at), rig.read(RDH.at), rig.read(E1000.RNBC.at)]).toEqual([0, 0, 1]);
    expectAlive(rig);
  });

  it('of all zero descriptors end at the tail', () => {
    const rig = new E1000Rig().openTx(64).openRx(64);
    rig.memory(TX_RING, 1024).fill(0);
    rig.memory(RX_RING, 1024).fill(0);
    rig.write(TDT.at, 63);
    rig.arrive(frameTo(NIC_MAC, 100));
    settle(rig);
    expect([rig.read(TDH.at), rig.read(RDH.at), rig.read(E1000.RDFPC.at)]).toEqual([63, 63, 1]);
    expectAlive(rig);
  });

  it('outside memory read as zeros and write nothing', () => {
    const rig = new E1000Rig().openTx(64).openRx(64);
    const before = rig.ram.bytes.slice();
    rig.write(TDBAL.at, 0x4000_0000);
    rig.write(E1000.RDBAL.at, 0xffff_fff0);
    rig.write(TDBAH.at, -1);
    rig.write(RDBAH.at, 0x7fff_ffff);
    rig.write(TDT.at, 63);
    rig.arrive(frameTo(NIC_MAC, 100));
    settle(rig);
    expect(Buffer.compare(rig.ram.bytes, before)).toBe(0);
    expectAlive(rig);
  });

  it('whose buffers lie outside memory, above 4 GiB or across its end, change nothing there', () => {
    const rig = new E1000Rig().openTx(8).openRx(8);
    const end = RAM_BASE + rig.ram.bytes.length;
    [0x1000, 0xffff_f000, end - 10, RAM_BASE - 10, 0x0200_0000].forEach((address, i) => {
      rig.rxBuffer(i, address);
      rig.txLegacy(i, address, 100, SEND);
    });
    writeLe32(rig.memory(RX_RING, 16), 4, 1);
    writeLe32(rig.memory(TX_RING, 16), 4, -1);
    const before = rig.ram.bytes.slice();
    rig.write(TDT.at, 5);
    rig.arrive(...Array.from({ length: 5 }, () => frameTo(NIC_MAC, 100)));
    settle(rig);
    expect([rig.read(TDH.at), rig.read(RDH.at)]).toEqual([5, 5]);
    rig.memory(TX_RING, 0x2000).set(before.subarray(TX_RING - RAM_BASE, TX_RING - RAM_BASE + 0x2000));
    expect(Buffer.compare(rig.ram.bytes, before)).toBe(0);
    for (const { frame } of rig.far.arrivals) expect(frame.octets.slice(0, 90)).toEqual(new Uint8Array(90));
    expectAlive(rig);
  });
});

describe('packets that never end', () => {
  it('of descriptors without EOP are given back, and dropped when they are too long', () => {
    const rig = new E1000Rig().openTx(128);
    const record = new Recorder();
    rig.nic.taps = record;
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 1000));
    for (let i = 0; i < 127; i++) rig.txLegacy(i, address, 1000, CMD.RS);
    rig.write(TDT.at, 127);
    settle(rig);
    expect([rig.read(TDH.at), rig.txStatus(126), rig.far.arrivals.length]).toEqual([127, 1, 0]);
    rig.txLegacy(127, address, 100, SEND);
    rig.write(TDT.at, 0);
    settle(rig);
    expect([rig.txStatus(127), rig.far.arrivals.length]).toEqual([1, 0]);
    expect(record.drops).toEqual(['too long for the transmit FIFO']);
    expectAlive(rig);
  });

  it('of more descriptors than the chip holds are sent whole', () => {
    const rig = new E1000Rig().openTx(256);
    const octets = octetsTo(BROADCAST, 1000);
    const address = rig.txBuffer(0, octets);
    for (let i = 0; i < 200; i++) rig.txLegacy(i, address + 5 * i, 5, i === 199 ? SEND : CMD.RS);
    rig.write(TDT.at, 200);
    settle(rig);
    expect(rig.far.arrivals.map(({ frame }) => frame.octets)).toEqual([octets]);
    expect([rig.txStatus(0), rig.txStatus(199)]).toEqual([1, 1]);
  });

  it('that fit no transmit FIFO that PBA leaves are dropped', () => {
    const rig = new E1000Rig();
    rig.write(E1000.PBA.at, 64);
    rig.write(CTRL.at, CTRL.RST);
    rig.openTx();
    rig.send(0, octetsTo(BROADCAST, 100));
    settle(rig);
    expect([rig.txStatus(0), rig.far.arrivals.length]).toEqual([1, 0]);
  });
});

/** Context descriptor `index`: its first two words, and PAYLEN with TUCMD, HDRLEN and MSS. */
function context(rig: E1000Rig, index: number, offsets: readonly [number, number], rest: readonly number[]): void {
  const bytes = rig.memory(TX_RING + index * 16, 16).fill(0);
  const [payload = 0, header = 0, segment = 0, command = 0] = rest;
  writeLe32(bytes, 0, offsets[0]);
  writeLe32(bytes, 4, offsets[1]);
  writeLe32(bytes, 8, payload | ((command | CMD.DEXT | CMD.RS) << 24));
  writeLe32(bytes, 12, (header << 8) | (segment << 16));
}

describe('what has gone wrong in emulations of this NIC', () => {
  const TSE = CMD.TSE;
  const EVERY = CMD.EOP | CMD.IFCS | CMD.RS;
  const CHECKSUMS = 3;

  it.each([
    ['3: MSS 0', [1000, 54, 0]],
    ['3: HDRLEN 0', [1000, 0, 100]],
    ['3: HDRLEN beyond the frame', [1000, 255, 100]],
    ['3: a segment longer than any frame', [0xf_ffff, 255, 0xffff]],
    ['9: PAYLEN 0', [0, 54, 100]],
    ['9: PAYLEN less than the data', [10, 54, 100]],
    ['9: PAYLEN more than the data', [60_000, 54, 100]],
  ])('%s: segmentation ends, and all its descriptors come back', (_name, rest) => {
    const rig = new E1000Rig().openTx();
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 200));
    context(rig, 0, [0, 0], [...rest, TSE]);
    rig.txData(1, address, 200, TSE | EVERY, CHECKSUMS);
    rig.txData(2, address, 0, TSE | EVERY, CHECKSUMS);
    rig.write(TDT.at, 3);
    settle(rig);
    expect([rig.read(TDH.at), rig.txStatus(0), rig.txStatus(1), rig.txStatus(2)]).toEqual([3, 1, 1, 1]);
    expectAlive(rig);
  });

  it('4: a TSE data descriptor before any context sends nothing', () => {
    const rig = new E1000Rig().openTx();
    rig.txData(0, rig.txBuffer(0, octetsTo(BROADCAST, 200)), 200, TSE | EVERY, CHECKSUMS);
    rig.write(TDT.at, 1);
    settle(rig);
    expect([rig.read(TDH.at), rig.read(GPTC.at)]).toEqual([1, 0]);
    expectAlive(rig);
  });

  it('6: an oversize frame is not stored without LPE and SBP; with them no octet leaves its buffers', () => {
    const rig = new E1000Rig().openRx(8, (3 << 16) | RCTL.BAM);
    const before = rig.ram.bytes.slice();
    rig.arrive(frameTo(NIC_MAC, 9000));
    expect([Buffer.compare(rig.ram.bytes, before), rig.read(RDH.at)]).toEqual([0, 0]);
    rig.write(RCTL.at, rig.read(RCTL.at) | RCTL.SBP);
    rig.arrive(frameTo(NIC_MAC, 1600));
    expect(rig.read(RDH.at)).toBe(7);
    for (let i = 0; i < 7; i++) expect(rig.rxDescriptor(i).length).toBe(i < 6 ? 256 : 64);
    expect(rig.memory(RX_BUFFERS + 256, RX_BUFFER_STRIDE - 256)).toEqual(new Uint8Array(RX_BUFFER_STRIDE - 256));
  });

  it('7: a ring of null buffers ends at RDH = RDT, and the frame waits', () => {
    const rig = new E1000Rig().openRx(8);
    for (let i = 0; i < 8; i++) rig.rxBuffer(i, 0);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect([rig.read(RDH.at), rig.read(RDT.at), rig.read(E1000.RDFPC.at)]).toEqual([7, 7, 1]);
  });

  it('8: a ring or a buffer in the own BAR reads zeros and changes no register, in loopback too', () => {
    const rig = new E1000Rig().openTx().openRx(8, RCTL.BAM | RCTL.UPE | (1 << 6));
    const bar = 0x4000_0000;
    rig.nic.pci.configWrite(0x10, 4, bar);
    for (let i = 0; i < 8; i++) rig.rxBuffer(i, bar + TDT.at - 4 * i);
    for (let i = 0; i < 4; i++) rig.txLegacy(i, bar + RDT.at - 60, 100, SEND);
    rig.write(TDT.at, 4);
    settle(rig);
    expect([rig.read(TDH.at), rig.read(TDT.at), rig.read(RDH.at), rig.read(RDT.at)]).toEqual([4, 4, 4, 7]);
    rig.write(TDBAL.at, bar + RDT.at);
    rig.write(TDT.at, 7);
    settle(rig);
    expect([rig.read(RDT.at), rig.read(E1000.RDBAL.at)]).toEqual([7, RX_RING]);
  });

  it('9: a context in the middle of a packet does not change the rules under it', () => {
    const rig = new E1000Rig().openTx();
    const address = rig.txBuffer(0, octetsTo(BROADCAST, 254));
    context(rig, 0, [0, 0], [200, 54, 100, TSE]);
    rig.txData(1, address, 100, TSE | CMD.IFCS, 0);
    context(rig, 2, [0, 0], [1, 255, 1, TSE]);
    rig.txData(3, address + 100, 154, TSE | EVERY, 0);
    rig.write(TDT.at, 4);
    settle(rig);
    expect(rig.far.arrivals.map(({ frame }) => frame.octets.length)).toEqual([154, 154]);
  });

  it.each([
    ['10: offsets beyond the packet', [0xffff_ffff, 0xffff_ffff]],
    ['10: an end before the start', [0x0010_2050, 0x0010_2050]],
    ['12: an end on the last octet, and one beyond it', [0x0063_1860, 0x0064_1860]],
  ] as const)('%s: the frame keeps its length', (_name, offsets) => {
    const rig = new E1000Rig().openTx();
    context(rig, 0, offsets, []);
    rig.txData(1, rig.txBuffer(0, octetsTo(BROADCAST, 100)), 100, EVERY, CHECKSUMS);
    rig.txLegacy(2, rig.txBuffer(1, octetsTo(BROADCAST, 100)), 100, SEND | CMD.IC, { cso: 255, css: 254 });
    rig.write(TDT.at, 3);
    settle(rig);
    expect(rig.far.arrivals.map(({ frame }) => frame.octets.length)).toEqual([100, 100]);
  });

  it('13: registers written while a transfer is under way: the unit starts again, or stops', () => {
    const rig = new E1000Rig().openTx(16).openRx(16);
    const record = new Recorder();
    let left = 50;
    record.dma = () => {
      if (left-- > 0) rig.write([TDT, RDT, TDH, RDH, TDLEN, RDLEN, TCTL, RCTL][left % 8]!.at, left % 3 === 0 ? 0 : 256);
    };
    for (let i = 0; i < 16; i++) rig.txLegacy(i, rig.txBuffer(0, octetsTo(BROADCAST, 100)), 100, SEND);
    rig.nic.taps = record;
    rig.write(TDT.at, 15);
    rig.arrive(frameTo(NIC_MAC, 100), frameTo(NIC_MAC, 100));
    settle(rig);
    rig.nic.taps = null;
    expectAlive(rig);
  });

  it('14: a descriptor that changes between fetch and write-back is done as it was fetched', () => {
    const rig = new E1000Rig().openTx();
    rig.txLegacy(0, rig.txBuffer(0, octetsTo(BROADCAST, 1000)), 1000, SEND);
    rig.txLegacy(1, rig.txBuffer(1, octetsTo(BROADCAST, 1000)), 1000, SEND);
    rig.write(TDT.at, 2);
    rig.pass(3000);
    rig.memory(TX_RING, 32).fill(0xff);
    settle(rig);
    expect([rig.far.arrivals.length, rig.read(TDH.at)]).toEqual([2, 2]);
  });

  it('16: the last of several buffers may hold a single octet', () => {
    const rig = new E1000Rig().openRx(8, RCTL.BAM | RCTL.SECRC | (3 << 16));
    rig.arrive(frameTo(NIC_MAC, 256 + 1 + 4));
    expect([0, 1].map(i => [rig.rxDescriptor(i).length, rig.rxDescriptor(i).status & 3])).toEqual([
      [256, 1],
      [1, 3],
    ]);
  });
});

describe('storms', () => {
  it('of interrupts with ITR 0 raise the pin once per acknowledgement', () => {
    const rig = new E1000Rig();
    rig.write(E1000.IMS.at, -1);
    let edges = 0;
    rig.line.tap = () => {
      edges += 1;
    };
    for (let i = 0; i < 1000; i++) rig.write(E1000.ICS.at, -1);
    expect(edges).toBe(1);
  });

  it('of any register writes and frames end, and touch no memory but rings and buffers', () => {
    const offsets = Object.values(E1000).map(({ at }) => at);
    const word = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.nat(300),
      fc.constantFrom(TX_RING, RX_RING),
    );
    const engine = fc.constantFrom(TDT.at, TDH.at, RDT.at, RDH.at, TDLEN.at, RDLEN.at, TCTL.at, RCTL.at);
    const step = fc.record({ offset: fc.oneof(fc.constantFrom(...offsets), engine), word, ns: fc.nat(20_000) });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 60 }),
        fc.uint8Array({ minLength: 512, maxLength: 512 }),
        (steps, noise) => {
          const rig = new E1000Rig().openTx(16).openRx(16);
          rig.memory(TX_RING, 512).set(noise);
          for (const { offset, word, ns } of steps) {
            rig.write(offset, word);
            rig.read(offset);
            rig.far.send(frameTo(NIC_MAC, 100));
            rig.pass(ns);
          }
          rig.write(CTRL.at, CTRL.RST);
          rig.pass(10_000_000);
          const idle = rig.clock.eventCount;
          rig.pass(1_000_000);
          expect(rig.clock.eventCount - idle).toBeLessThan(100);
        },
      ),
      { numRuns: 60 },
    );
  });
});
