/**
 * The profile `qemu72`, without QEMU: what measurements on QEMU 7.2.22 gave, row by row of docs/e1000-profiles.md. The
 * programs are in the op language of the differential test.
 */
import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { writeLe16, writeLe32 } from '../../../../../src/lib/bytes.ts';
import { ARENA_BASE, MAC, type Op, type Size } from '../../../../differential/ops.ts';
import { runOnRingtail } from '../../../../differential/ringtail-target.ts';

const { RCTL, TCTL } = E1000;

const TX_RING = ARENA_BASE;
const RX_RING = ARENA_BASE + 0x800;
const TX_BUFFERS = ARENA_BASE + 0x1000;
const RX_BUFFERS = ARENA_BASE + 0x5000;
const EOP = 1;
const RS = 8;
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const SETTLED: Op = { op: 'pass', ns: 1_001_000_000 };

interface Located {
  readonly at: number;
}

const w = ({ at }: Located, value: number, size: Size = 4, lane = 0): Op => ({
  ...{ op: 'write', at: at + lane, size },
  value: value >>> 0,
});
const r = ({ at }: Located, size: Size = 4, lane = 0): Op => ({ op: 'read', at: at + lane, size });
const pass = (ns: number): Op => ({ op: 'pass', ns });
const frame = (bytes: number, destination: ArrayLike<number> = MAC, fill = 0x40): Op => {
  const octets = new Uint8Array(bytes).fill(fill);
  octets.set(Array.from(destination).slice(0, bytes));
  return { op: 'frame', octets };
};

/** What the reads of a program gave, the frames that left, and the edges of the pin. */
function run(...ops: readonly (Op | readonly Op[])[]) {
  const { run, program } = runOnRingtail(ops.flat());
  const reads = run.outcomes.filter((_, i) => /read|load/.test(program[i]!.op)).map(({ value }) => value);
  return { reads, frames: run.frames, edges: run.outcomes.map(({ edges }) => edges.join(' ')) };
}

/** The values of the reads of a program. */
const reads = (...ops: readonly (Op | readonly Op[])[]): readonly string[] => run(...ops).reads;

/** A transmit ring of eight, open. */
const txRing: readonly Op[] = [w(E1000.TDBAL, TX_RING), w(E1000.TDLEN, 128), w(E1000.TCTL, TCTL.EN | TCTL.PSP)];

/** Descriptor `index`, of the legacy format unless `words` says otherwise, with `bytes` counting up behind a header. */
function tx(
  index: number,
  bytes: number,
  cmd = EOP | RS,
  rest: { cso?: number; css?: number; special?: number } = {},
): Op[] {
  const descriptor = new Uint8Array(16);
  const address = TX_BUFFERS + index * 0x400;
  writeLe32(descriptor, 0, address);
  writeLe16(descriptor, 8, bytes);
  descriptor[10] = rest.cso ?? 0;
  descriptor[11] = cmd;
  descriptor[13] = rest.css ?? 0;
  writeLe16(descriptor, 14, rest.special ?? 0);
  return [
    { op: 'store', address: TX_RING + 16 * index, data: descriptor },
    { op: 'store', address, data: Uint8Array.from({ length: bytes }, (_, i) => (i < 6 ? 2 : i)) },
  ];
}

/** A receive ring of eight with the buffers behind one another, open and settled. */
function rxRing(rctl: number, given = 7): Op[] {
  const ring = new Uint8Array(128);
  for (let i = 0; i < 8; i++) writeLe32(ring, 16 * i, RX_BUFFERS + 0x800 * i);
  return [
    { op: 'store', address: RX_RING, data: ring },
    w(E1000.RDBAL, RX_RING),
    w(E1000.RDLEN, 128),
    w(E1000.RDT, given),
    w(E1000.RCTL, RCTL.EN | rctl),
    SETTLED,
  ];
}

/** Length, status and errors of receive descriptor `index`. */
const rxResult = (index: number): Op => ({ op: 'load', address: RX_RING + 16 * index + 8, bytes: 8 });
const txStatus = (index: number): Op => ({ op: 'load', address: TX_RING + 16 * index + 12, bytes: 1 });

/** A transaction with the PHY, and its result. */
const mdic = (op: number, register: number, data = 0, phy = 1): Op[] => [
  w(E1000.MDIC, (op << 26) | (phy << 21) | (register << 16) | data),
  r(E1000.MDIC),
];

describe('registers under qemu72', () => {
  it('have its values at power-on', () => {
    const powerOn = [E1000.CTRL, E1000.STATUS, E1000.EECD, E1000.LEDCTL, E1000.PBA, E1000.MANC, E1000.RAL, E1000.RAH];
    expect(reads(powerOn.map(register => r(register)))).toEqual([
      ...['00140240', '80080783', '00000188', '00000602', '00100030', '00222300', '12005452', '80005634'],
    ]);
  });

  it('survive CTRL.RST, which only clears itself (row 1)', () => {
    const ops = [w(E1000.TDBAL, 0x1230), w(E1000.IMS, 5), w(E1000.CTRL, 0x0414_0240)];
    expect(reads(ops, r(E1000.CTRL), r(E1000.TDBAL), r(E1000.IMS))).toEqual(['00140240', '00001230', '00000005']);
  });

  it('do not follow SLU or a forced speed in STATUS (row 3)', () => {
    expect(reads(w(E1000.CTRL, 0x0000_0900), r(E1000.STATUS))).toEqual(['80080783']);
  });

  it('that it lacks ignore writes (rows 8, 15)', () => {
    const absent = [
      ...[E1000.CTRL_EXT, E1000.FLA, E1000.FCAL, E1000.FCAH, E1000.FCT, E1000.FCTTV, E1000.FCRTL, E1000.FCRTH],
      ...[E1000.TIPG, E1000.TIDV, E1000.RXDCTL, E1000.TSPMT, E1000.RSRPD, E1000.TXDMAC, E1000.RXCSUM, E1000.SW_FW_SYNC],
    ];
    expect(new Set(reads(absent.flatMap(register => [w(register, -1), r(register)])))).toEqual(new Set(['00000000']));
  });

  it('are as wide as it makes them (rows 16, 28)', () => {
    const wide = [E1000.RDTR, E1000.RDLEN, E1000.TDLEN, E1000.PBA, E1000.TXDCTL, E1000.VET, E1000.IMS, E1000.ICS];
    expect(reads(wide.flatMap(register => [w(register, -1), r(register)]))).toEqual([
      ...['0000ffff', '000fff80', '000fff80', 'ffffffff', 'ffffffff', 'ffffffff', 'ffffffff', 'ffffffff'],
    ]);
  });

  it('take a part of a word for the whole, wherever it lies (row 17)', () => {
    const ops = [r(E1000.VET, 1, 1), r(E1000.VET, 2, 2), w(E1000.VET, 0x12, 1, 1), r(E1000.VET)];
    expect(reads(ops)).toEqual(['00', '8100', '00000012']);
  });

  it('count missed packets without clearing at a read (row 7)', () => {
    const overrun = [...rxRing(RCTL.LPE | (3 << 16), 1), frame(1000), pass(200)];
    expect(reads(overrun, r(E1000.MPC), r(E1000.MPC), r(E1000.RNBC))).toEqual(['00000001', '00000001', '00000001']);
  });

  it('keep SWXOFF and PHY_RST as plain bits (row 29)', () => {
    const ops = [w(E1000.TCTL, TCTL.SWXOFF), r(E1000.TCTL), w(E1000.CTRL, 0x8000_0000), r(E1000.CTRL), r(E1000.STATUS)];
    expect(reads(ops)).toEqual(['00400000', '80000000', '80080783']);
  });
});

describe('receive under qemu72', () => {
  it('begins a second after RCTL was written (row 2)', () => {
    const closed = rxRing(RCTL.SECRC).slice(0, -1);
    const late = [frame(60), pass(999_000_000), r(E1000.RDH), frame(60), pass(1_000_100), r(E1000.RDH)];
    expect(reads(closed, late)).toEqual(['00000000', '00000001']);
  });

  it('adds four octets to LENGTH for the FCS and writes none (row 4)', () => {
    const stale: Op = { op: 'store', address: RX_BUFFERS, data: new Uint8Array(70).fill(0xee) };
    const end: Op = { op: 'load', address: RX_BUFFERS + 58, bytes: 8 };
    const [result, octets] = reads(rxRing(0), stale, frame(60), pass(200), rxResult(0), end);
    expect(result).toBe('4000000007000000');
    expect(octets).toBe('4040eeeeeeeeeeee');
  });

  it('pads a short frame to 60 octets and counts no runt (row 5)', () => {
    const ops = [frame(20), pass(200), rxResult(0), r(E1000.RUC), r(E1000.GPRC)];
    expect(reads(rxRing(RCTL.SECRC), ops)).toEqual(['3c00000007000000', '00000000', '00000001']);
  });

  it('lets the hash decide on single stations and broadcast too (row 11)', () => {
    const other = [0x52, 0x54, 0, 0x65, 0x43, 0x21];
    const hash = ((0x2143 >>> 4) & 0xfff) | 0;
    const table = w({ at: E1000.MTA.at + 4 * (hash >>> 5) }, 1 << (hash & 31));
    const all = w({ at: E1000.MTA.at + 4 * 127 }, 1 << 31);
    const ops = [frame(60, other), frame(60, BROADCAST), pass(200), r(E1000.RDH), r(E1000.MPRC), r(E1000.BPRC)];
    expect(reads(rxRing(RCTL.SECRC), table, all, ops)).toEqual(['00000002', '00000002', '00000000']);
  });

  it('drops frames that have waited when RDT moves, but not far enough for them', () => {
    const frames = Array.from({ length: 7 }, () => frame(60));
    const ops = [...frames, w(E1000.RDT, 3), r(E1000.RDH), r(E1000.MPC), r(E1000.RNBC), r(E1000.ICR)];
    expect(reads(rxRing(RCTL.SECRC, 0), ops)).toEqual(['00000003', '00000004', '00000004', '000000d0']);
  });

  it('raises RXDMT0 at each frame while descriptors are few (row 14)', () => {
    const one = [frame(60), pass(200), r(E1000.ICR)];
    expect(reads(rxRing(RCTL.SECRC, 5), one, one, one)).toEqual(['00000090', '00000090', '00000090']);
  });

  it('strips a tag, and gives it in SPECIAL (row 21)', () => {
    const octets = new Uint8Array(64).fill(0x40);
    octets.set([...MAC, ...MAC, 0x81, 0x00, 0x12, 0x34]);
    const ops: Op[] = [w(E1000.CTRL, 0x4014_0240), { op: 'frame', octets }, pass(200), rxResult(0)];
    expect(reads(rxRing(RCTL.SECRC), ops)).toEqual(['3c0000000f003412']);
  });

  it('sorts frames by the length they have in memory (row 23)', () => {
    const ops = [frame(60), frame(64), frame(65), pass(200), r(E1000.PRC64), r(E1000.PRC127)];
    expect(reads(rxRing(RCTL.SECRC), ops)).toEqual(['00000001', '00000001']);
  });

  it('takes 1522 octets and not 1523, FCS aside (row 30)', () => {
    const ops = [frame(1522), frame(1523), pass(200), r(E1000.RDH), r(E1000.ROC)];
    expect(reads(rxRing(RCTL.SECRC), ops)).toEqual(['00000001', '00000001']);
  });
});

describe('transmit under qemu72', () => {
  it('is over when the doorbell returns (row 25)', () => {
    const { reads, frames } = run(txRing, tx(0, 60), w(E1000.TDT, 1), r(E1000.TDH), txStatus(0), r(E1000.GPTC));
    expect(reads).toEqual(['00000001', '01', '00000001']);
    expect(frames.map(({ length }) => length)).toEqual([60]);
  });

  it('pads nothing and ignores IFCS (rows 5, 6)', () => {
    const { frames, reads } = run(txRing, tx(0, 20), w(E1000.TDT, 1), r(E1000.GOTCL), r(E1000.PTC64));
    expect(frames.map(({ length }) => length)).toEqual([20]);
    expect(reads).toEqual(['00000018', '00000000']);
  });

  it('inserts no checksum for a legacy descriptor (row 9)', () => {
    const { frames } = run(txRing, tx(0, 60, EOP | RS | 4, { css: 14, cso: 24 }), w(E1000.TDT, 1));
    expect([...frames[0]!.subarray(24, 26)]).toEqual([24, 25]);
  });

  it('goes to the wire in MAC loopback, and back in that of the PHY (row 10)', () => {
    const open = [...rxRing(RCTL.SECRC | RCTL.UPE | (1 << 6)), ...txRing, ...tx(0, 60)];
    const mac = run(open, w(E1000.TDT, 1), r(E1000.RDH));
    expect([mac.frames.length, mac.reads]).toEqual([1, ['00000000']]);
    const phy = run(open, mdic(1, 0, 0x5140).slice(0, 1), w(E1000.TDT, 1), r(E1000.RDH));
    expect([phy.frames.length, phy.reads]).toEqual([0, ['00000001']]);
  });

  it('raises TXQE at every doorbell, and TXDW with RS alone (row 14)', () => {
    const ops = [w(E1000.TDT, 0), r(E1000.ICR), w(E1000.TDT, 1), r(E1000.ICR), w(E1000.TDT, 2), r(E1000.ICR)];
    const values = reads(txRing, r(E1000.ICR), tx(0, 60), tx(1, 60, EOP), ops);
    expect(values).toEqual(['00000002', '00000002', '00000003', '00000002']);
  });

  it('inserts a tag for VLE if VME is set (row 21)', () => {
    const packet = tx(0, 60, EOP | 0x40, { special: 0x1234 });
    const { frames } = run(w(E1000.CTRL, 0x4014_0240), txRing, packet, w(E1000.TDT, 1));
    expect([...frames[0]!.subarray(12, 18)]).toEqual([0x81, 0x00, 0x12, 0x34, 12, 13]);
  });

  it('ends a segmentation on a multiple of MSS with a header of its own (row 22)', () => {
    const context = new Uint8Array(16);
    context.set([14, 24, 33, 0, 34, 50, 0, 0]);
    writeLe32(context, 8, 300 | (0x27 << 24));
    context[13] = 54;
    writeLe16(context, 14, 100);
    const data = new Uint8Array(16);
    writeLe32(data, 0, TX_BUFFERS);
    writeLe32(data, 8, 354 | (1 << 20) | ((EOP | 4 | 0x20) << 24));
    const stores: Op[] = [context, data].map((bytes, i) => ({ op: 'store', address: TX_RING + 16 * i, data: bytes }));
    const { frames, reads } = run(txRing, stores, w(E1000.TDT, 2), r(E1000.TSCTC));
    expect(frames.map(({ length }) => length)).toEqual([154, 154, 154, 54]);
    expect(reads).toEqual(['00000002']);
  });

  it('adds the length of a transport header behind the packet modulo 2^16 to the pseudo-header sum', () => {
    const context = new Uint8Array(16);
    // TUCSS 37 in a packet of 36 octets, TUCSO 34, and TUCSE in front of that, so that no checksum covers it up.
    context.set([14, 24, 0, 0, 37, 34, 20, 0]);
    writeLe32(context, 8, 0x24 << 24);
    writeLe16(context, 14, 100);
    const data = new Uint8Array(16);
    writeLe32(data, 0, TX_BUFFERS);
    writeLe32(data, 8, 36 | (1 << 20) | ((EOP | 4 | 0x20) << 24));
    data[13] = 2; // TXSM
    const octets = new Uint8Array(36);
    octets.set([0x30, 0x39], 34);
    const ops: Op[] = [
      { op: 'store', address: TX_RING, data: context },
      { op: 'store', address: TX_RING + 16, data },
      { op: 'store', address: TX_BUFFERS, data: octets },
    ];
    const { frames } = run(txRing, ops, w(E1000.TDT, 2));
    expect([...frames[0]!.subarray(34, 36)]).toEqual([0x30, 0x39]);
  });

  it('goes through the motions with bus mastering off (row 26)', () => {
    const off: Op = { op: 'config-write', at: 4, size: 2, value: 3 };
    const { frames, reads } = run(txRing, tx(0, 60), off, w(E1000.TDT, 1), r(E1000.TDH), txStatus(0));
    expect([frames, reads]).toEqual([[], ['00000001', '00']]);
  });

  it('throws a frame away while the link is down, with DD (row 27)', () => {
    const { frames, reads } = run({ op: 'link', up: false }, txRing, tx(0, 60), w(E1000.TDT, 1), txStatus(0));
    expect([frames, reads]).toEqual([[], ['01']]);
  });

  it('walks round a ring once when TDT lies outside it, and one step when TDH does', () => {
    const all = Array.from({ length: 8 }, (_, i) => tx(i, 60)).flat();
    expect(run(txRing, all, w(E1000.TDT, 5000), r(E1000.TDH))).toMatchObject({ reads: ['00000000'] });
    expect(run(txRing, all, w(E1000.TDT, 5000)).frames).toHaveLength(8);
    expect(run(txRing, all, w(E1000.TDH, 100), w(E1000.TDT, 5), r(E1000.TDH)).reads).toEqual(['00000000']);
  });
});

describe('interrupts under qemu72', () => {
  it('rise again after 128 us at the earliest, whatever ITR says (row 13)', () => {
    const again = [w(E1000.IMS, 4), w(E1000.ICS, 4), r(E1000.ICR), w(E1000.ICS, 4), pass(127_900), pass(200)];
    expect(run(again).edges).toEqual(['', 'raise', 'lower', '', '', 'raise']);
  });

  it('rise again after ITR if that is longer (row 13)', () => {
    const again = [w(E1000.ITR, 5000), w(E1000.IMS, 4), w(E1000.ICS, 4), r(E1000.ICR), w(E1000.ICS, 4)];
    expect(run(again, pass(1_279_900), pass(200)).edges).toEqual(['', '', 'raise', 'lower', '', '', 'raise']);
  });
});

describe('the management interfaces under qemu72', () => {
  it('answer an MDIC read at once (row 19)', () => {
    expect(reads(mdic(2, 2), mdic(2, 3), mdic(2, 1), mdic(2, 17))).toEqual([
      ...['18220141', '18230c20', '1821794d', '1831ac00'],
    ]);
  });

  it('give the latest MDIC with E for another PHY, and E for a register that it lacks (row 19)', () => {
    expect(reads(mdic(2, 2), mdic(2, 3, 0x4321, 2), mdic(2, 7, 0xabcd))).toEqual(['18220141', '58220141', '5827abcd']);
  });

  it('negotiate for half a second, and raise LSC in the end alone (rows 19, 27)', () => {
    const restart = [...mdic(1, 0, 0x1340), r(E1000.STATUS), r(E1000.ICR), ...mdic(2, 1)];
    const later = [pass(499_900_000), r(E1000.STATUS), pass(200_000), r(E1000.STATUS), r(E1000.ICR), ...mdic(2, 1)];
    expect(reads(restart, later)).toEqual([
      ...['14201340', '80080781', '00000000', '18217949'],
      ...['80080781', '80080783', '00000004', '1821796d'],
    ]);
  });

  it('tell of a link that goes, and negotiate when it comes (row 27)', () => {
    const down: Op[] = [{ op: 'link', up: false }, r(E1000.STATUS), r(E1000.ICR)];
    const up: Op[] = [{ op: 'link', up: true }, r(E1000.STATUS), pass(501_000_000), r(E1000.STATUS), r(E1000.ICR)];
    expect(reads(down, up)).toEqual(['80080781', '00000004', '80080781', '80080783', '00000004']);
  });

  it('give the EEPROM by EERD at once, and grant its pins unasked (row 20)', () => {
    expect(reads(w(E1000.EERD, 0x0001), r(E1000.EERD), w(E1000.EERD, 0x4001), r(E1000.EERD), r(E1000.EECD))).toEqual([
      ...['54520010', '00004010', '00000188'],
    ]);
  });
});
