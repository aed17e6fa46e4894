import { describe, expect, it } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import {
  BROADCAST,
  E1000Rig,
  FAR_MAC,
  frameTo,
  NIC_MAC,
  octetsTo,
  PCI_COMMAND,
  PCI_ENABLE,
  Recorder,
  RX_BUFFER_STRIDE,
  RX_BUFFERS,
} from '../../../../support/e1000-rig.ts';

const { CRCERRS, GPRC, ICR, MPC, PRC64, RCTL, RDFPC, RDH, RDT, RFC, RJC, RLEC, RNBC, ROC, RUC, TPR } = E1000;
const DD = 1;
const EOP = 2;
const IXSM = 4;

/** A frame whose FCS is wrong; `wireBytes` from DA to FCS. */
function badFrame(wireBytes: number): Frame {
  const wire = frameTo(NIC_MAC, wireBytes).wire();
  wire[wireBytes - 1]! ^= 1;
  return Frame.raw(wire);
}

describe('receive, 82540EM manual 3.2', () => {
  it('puts a frame into the buffer of the descriptor at RDH, and writes that back with DD and EOP', () => {
    const rig = new E1000Rig().openRx();
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(rig.rxDescriptor(0)).toMatchObject({ length: 96, status: DD | EOP | IXSM, errors: 0, special: 0 });
    expect(rig.rxData(0)).toEqual(octetsTo(NIC_MAC, 96));
    expect([rig.read(RDH.at), rig.read(ICR.at)]).toEqual([1, ICR.RXT0]);
  });

  it('takes time: the frame is not in memory when its last bit arrives', () => {
    const rig = new E1000Rig().openRx();
    rig.far.send(frameTo(NIC_MAC, 1518));
    rig.pass(1526 * 8);
    expect([rig.rxDescriptor(0).status, rig.read(RDFPC.at)]).toEqual([0, 1]);
    rig.pass(20_000);
    expect([rig.rxDescriptor(0).status & DD, rig.read(RDFPC.at)]).toEqual([DD, 0]);
  });

  it('without SECRC stores the FCS behind the data and counts it in LENGTH', () => {
    const rig = new E1000Rig().openRx(8, RCTL.BAM);
    const frame = frameTo(NIC_MAC, 100);
    rig.arrive(frame);
    expect(rig.rxData(0)).toEqual(frame.wire());
  });

  it.each([
    [0, 2048],
    [1 << 16, 1024],
    [2 << 16, 512],
    [3 << 16, 256],
    [RCTL.BSEX | (1 << 16), 16_384],
    [RCTL.BSEX | (2 << 16), 8192],
    [RCTL.BSEX | (3 << 16), 4096],
  ])('spreads a frame over buffers of the size that BSIZE and BSEX %i give: %i', (bsize, bufferBytes) => {
    const rig = new E1000Rig().openRx(64, RCTL.LPE | bsize);
    const addresses = [0x8004_0000, 0x8004_8000, 0x8005_0000, 0x8005_8000, 0x8006_0000, 0x8006_8000];
    for (let i = 0; i < 63; i++) rig.rxBuffer(i, addresses[i % 6]! + 0x1000 * Math.floor(i / 6));
    const lengthBytes = Math.min(bufferBytes + 100, 16_384);
    const frame = frameTo(NIC_MAC, lengthBytes);
    rig.arrive(frame);
    const lengths = bufferBytes < lengthBytes ? [bufferBytes, lengthBytes - bufferBytes] : [lengthBytes];
    lengths.forEach((length, i) => {
      const last = i === lengths.length - 1;
      expect(rig.rxDescriptor(i)).toMatchObject({ length, status: DD | IXSM | (last ? EOP : 0) });
    });
    expect(rig.read(RDH.at)).toBe(lengths.length);
    const first = rig.memory(addresses[0]!, lengths[0]!);
    expect(first).toEqual(frame.wire().slice(0, lengths[0]));
    if (lengths.length === 2) expect(rig.memory(addresses[1]!, lengths[1]!)).toEqual(frame.wire().slice(lengths[0]));
  });

  it('splits data and FCS between two buffers, octet by octet', () => {
    for (const wireBytes of [256, 257, 258, 259, 260, 261]) {
      const rig = new E1000Rig().openRx(8, 3 << 16);
      const frame = frameTo(NIC_MAC, wireBytes);
      rig.arrive(frame);
      const stored = [...rig.memory(RX_BUFFERS, 256), ...rig.memory(RX_BUFFERS + RX_BUFFER_STRIDE, wireBytes - 256)];
      expect(stored).toEqual([...frame.wire()]);
    }
  });

  it('marks a null address done and goes on to the next descriptor', () => {
    const rig = new E1000Rig().openRx();
    rig.rxBuffer(0, 0);
    rig.arrive(frameTo(NIC_MAC, 100));
    expect([rig.rxDescriptor(0).status, rig.rxDescriptor(0).length]).toEqual([DD, 0]);
    expect(rig.rxDescriptor(1)).toMatchObject({ length: 96, status: DD | EOP | IXSM });
  });

  it('keeps frames in the FIFO while there is no descriptor, and counts RNBC', () => {
    const rig = new E1000Rig().openRx(8);
    rig.write(RDT.at, 0);
    rig.arrive(frameTo(NIC_MAC, 100, 1), frameTo(NIC_MAC, 100, 2));
    expect([rig.read(RNBC.at), rig.read(RDFPC.at), rig.read(RDH.at), rig.read(MPC.at)]).toEqual([2, 2, 0, 0]);
    rig.write(RDT.at, 4);
    rig.pass(20_000);
    expect([rig.read(RDFPC.at), rig.read(RDH.at)]).toEqual([0, 2]);
    expect(rig.rxData(1)).toEqual(octetsTo(NIC_MAC, 96, 2));
  });

  it('loses frames when the 48 KiB of FIFO are full: MPC, RXO', () => {
    const rig = new E1000Rig().openRx(8);
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(RDT.at, 0);
    rig.arrive(...Array.from({ length: 40 }, (_, i) => frameTo(NIC_MAC, 1518, i)));
    const kept = rig.read(RDFPC.at);
    expect(kept).toBe(Math.floor((48 * 1024) / 1536));
    expect([rig.read(MPC.at), rig.read(GPRC.at)]).toEqual([40 - kept, kept]);
    expect(rig.read(ICR.at) & ICR.RXO).toBe(ICR.RXO);
    expect(record.drops).toEqual(new Array(40 - kept).fill('receive FIFO full'));
  });

  it('stops in the middle of a frame that needs more descriptors than there are, and goes on with new ones', () => {
    const rig = new E1000Rig().openRx(8, RCTL.SECRC | (3 << 16));
    rig.write(RDT.at, 2);
    rig.arrive(frameTo(NIC_MAC, 1018));
    expect([rig.read(RDH.at), rig.rxDescriptor(1).status & EOP]).toEqual([2, 0]);
    rig.write(RDT.at, 7);
    rig.pass(20_000);
    expect([0, 1, 2, 3].map(i => rig.rxDescriptor(i).length)).toEqual([256, 256, 256, 246]);
    expect(rig.rxDescriptor(3).status & EOP).toBe(EOP);
  });

  it('raises RXDMT0 once, when the free descriptors become the fraction that RDMTS gives', () => {
    const rig = new E1000Rig().openRx(8, RCTL.SECRC | (1 << 8));
    const causes: number[] = [];
    for (let i = 0; i < 7; i++) {
      rig.arrive(frameTo(NIC_MAC, 64));
      causes.push(rig.read(ICR.at) & ICR.RXDMT0);
    }
    expect(causes).toEqual([0, 0, 0, 0, ICR.RXDMT0, 0, 0]); // 2 of 8 left after the fifth
  });

  it('drops everything while RCTL.EN is off', () => {
    const rig = new E1000Rig().openRx();
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(RCTL.at, RCTL.BAM);
    rig.arrive(frameTo(NIC_MAC, 64));
    expect([record.drops, rig.read(TPR.at)]).toEqual([['receiver disabled'], 0]);
  });

  it('without bus mastering keeps frames in the FIFO', () => {
    const rig = new E1000Rig().openRx();
    rig.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE & ~4);
    rig.arrive(frameTo(NIC_MAC, 64));
    expect(rig.read(RDFPC.at)).toBe(1);
    rig.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE);
    rig.pass(20_000);
    expect([rig.read(RDFPC.at), rig.rxDescriptor(0).status & DD]).toEqual([0, DD]);
  });

  it('uses the ring round and round', () => {
    const rig = new E1000Rig().openRx(8);
    for (let i = 0; i < 30; i++) {
      rig.rxBuffer(i % 8, RX_BUFFERS + (i % 8) * RX_BUFFER_STRIDE);
      rig.arrive(frameTo(NIC_MAC, 64 + i, i));
      expect(rig.rxData(i % 8)).toEqual(octetsTo(NIC_MAC, 60 + i, i));
      rig.write(RDT.at, i % 8);
    }
  });
});

describe('bad frames, 82540EM manual 3.2.2 and 13.7', () => {
  const bad = [
    ['a bad FCS', () => badFrame(100), CRCERRS, 0x01],
    ['fewer than 64 octets', () => frameTo(NIC_MAC, 63), RUC, 0],
    ['a fragment', () => badFrame(40), RFC, 0x01],
    ['more than 1522 octets', () => frameTo(NIC_MAC, 1523), ROC, 0],
    ['jabber', () => badFrame(1600), RJC, 0x01],
  ] as const;

  it.each(bad)('are dropped and counted: %s', (_text, make, counter) => {
    const rig = new E1000Rig().openRx();
    rig.arrive(make());
    expect([rig.read(counter.at), rig.read(TPR.at), rig.read(GPRC.at), rig.read(RDH.at)]).toEqual([1, 1, 0, 0]);
  });

  it.each(bad)('are stored with SBP, marked in ERRORS: %s', (_text, make, _counter, errors) => {
    const rig = new E1000Rig().openRx(8, RCTL.SBP);
    const frame = make();
    rig.arrive(frame);
    expect(rig.rxDescriptor(0)).toMatchObject({ length: frame.wireBytes, errors });
    expect(rig.rxData(0)).toEqual(frame.wire());
    expect(rig.read(GPRC.at)).toBe(0);
  });

  it('ERRORS stand in the descriptor with EOP alone', () => {
    const rig = new E1000Rig().openRx(8, RCTL.SBP | (3 << 16));
    rig.arrive(badFrame(300));
    expect([rig.rxDescriptor(0), rig.rxDescriptor(1)]).toMatchObject([
      { errors: 0, length: 256 },
      { errors: 1, length: 44 },
    ]);
  });

  it('a frame with dribble bits and a bad FCS has an alignment error', () => {
    const rig = new E1000Rig().openRx();
    rig.arrive(Frame.raw(badFrame(100).wire(), { dribbleBits: 4, rxError: false }));
    expect([rig.read(E1000.ALGNERRC.at), rig.read(CRCERRS.at)]).toEqual([1, 0]);
  });

  it('a frame during which the PHY raised RX_ER is RXERRC, and RXE with SBP', () => {
    const rig = new E1000Rig().openRx(8, RCTL.SBP);
    rig.arrive(Frame.raw(frameTo(NIC_MAC, 100).wire(), { dribbleBits: 0, rxError: true }));
    expect([rig.read(E1000.RXERRC.at), rig.rxDescriptor(0).errors]).toEqual([1, 0x80]);
  });

  it('lengths out of range count in RLEC; 64 and 1522 are in range', () => {
    const rig = new E1000Rig().openRx();
    rig.arrive(frameTo(NIC_MAC, 63), frameTo(NIC_MAC, 64), frameTo(NIC_MAC, 1522), frameTo(NIC_MAC, 1523));
    expect([rig.read(RLEC.at), rig.read(PRC64.at), rig.read(GPRC.at)]).toEqual([2, 1, 2]);
  });

  it('with LPE frames of up to 16384 octets are in range', () => {
    const rig = new E1000Rig().openRx(64, RCTL.LPE);
    rig.arrive(frameTo(NIC_MAC, 16_384), frameTo(NIC_MAC, 16_385));
    expect([rig.read(GPRC.at), rig.read(ROC.at)]).toEqual([1, 1]);
  });

  it('frames for others are not counted, good or bad', () => {
    const rig = new E1000Rig().openRx(8, 0);
    rig.arrive(frameTo(FAR_MAC, 100), frameTo(BROADCAST, 30));
    expect([rig.read(TPR.at), rig.read(RUC.at)]).toEqual([0, 0]);
  });
});
