/**
 * Drivers that do what no driver should: each case must end in bounded work, touch no memory but that which was named,
 * and throw nothing. Afterwards the NIC works for a driver that behaves.
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
