/** Every register against the manual: offset, reset value, and what reads and writes do. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E1000, REGISTER_SPACE_BYTES } from '../../../../../hw/nic/e1000/registers.ts';
import { E1000Rig, Recorder } from '../../../../support/e1000-rig.ts';

/**
 * Offset, reset value, count, stride. CTRL is as the EEPROM of the bench leaves it: FRCSPD cleared by word 0Ah, SLU set
 * by word 24h. RAL0 and RAH0 hold its address.
 */
// biome-ignore format: a table
const MANUAL: Readonly<Record<string, readonly [at: number, reset: number, count?: number, stride?: number]>> = {
  CTRL: [0x0000, 0x0249], STATUS: [0x0008, 0x81], EECD: [0x0010, 0x118], EERD: [0x0014, 0], CTRL_EXT: [0x0018, 0],
  FLA: [0x001c, 0], MDIC: [0x0020, 0], FCAL: [0x0028, 0], FCAH: [0x002c, 0], FCT: [0x0030, 0], VET: [0x0038, 0x8100],
  ICR: [0x00c0, 0], ITR: [0x00c4, 0], ICS: [0x00c8, 0], IMS: [0x00d0, 0], IMC: [0x00d8, 0],
  RCTL: [0x0100, 0], FCTTV: [0x0170, 0], TXCW: [0x0178, 0], RXCW: [0x0180, 0], TCTL: [0x0400, 0], TIPG: [0x0410, 0],
  AIT: [0x0458, 0], LEDCTL: [0x0e00, 0x07068302], PBA: [0x1000, 0x00100030], FCRTL: [0x2160, 0], FCRTH: [0x2168, 0],
  RDFH: [0x2410, 0], RDFT: [0x2418, 0], RDFHS: [0x2420, 0], RDFTS: [0x2428, 0], RDFPC: [0x2430, 0],
  RDBAL: [0x2800, 0], RDBAH: [0x2804, 0], RDLEN: [0x2808, 0], RDH: [0x2810, 0], RDT: [0x2818, 0], RDTR: [0x2820, 0],
  RXDCTL: [0x2828, 0x01010000], RADV: [0x282c, 0], RSRPD: [0x2c00, 0], TXDMAC: [0x3000, 0],
  TDFH: [0x3410, 0], TDFT: [0x3418, 0], TDFHS: [0x3420, 0], TDFTS: [0x3428, 0], TDFPC: [0x3430, 0],
  TDBAL: [0x3800, 0], TDBAH: [0x3804, 0], TDLEN: [0x3808, 0], TDH: [0x3810, 0], TDT: [0x3818, 0], TIDV: [0x3820, 0],
  TXDCTL: [0x3828, 0], TADV: [0x382c, 0], TSPMT: [0x3830, 0x01000400],
  CRCERRS: [0x4000, 0], ALGNERRC: [0x4004, 0], SYMERRS: [0x4008, 0], RXERRC: [0x400c, 0], MPC: [0x4010, 0],
  SCC: [0x4014, 0], ECOL: [0x4018, 0], MCC: [0x401c, 0], LATECOL: [0x4020, 0], COLC: [0x4028, 0], DC: [0x4030, 0],
  TNCRS: [0x4034, 0], SEC: [0x4038, 0], CEXTERR: [0x403c, 0], RLEC: [0x4040, 0], XONRXC: [0x4048, 0],
  XONTXC: [0x404c, 0], XOFFRXC: [0x4050, 0], XOFFTXC: [0x4054, 0], FCRUC: [0x4058, 0], PRC64: [0x405c, 0],
  PRC127: [0x4060, 0], PRC255: [0x4064, 0], PRC511: [0x4068, 0], PRC1023: [0x406c, 0], PRC1522: [0x4070, 0],
  GPRC: [0x4074, 0], BPRC: [0x4078, 0], MPRC: [0x407c, 0], GPTC: [0x4080, 0], GORCL: [0x4088, 0], GORCH: [0x408c, 0],
  GOTCL: [0x4090, 0], GOTCH: [0x4094, 0], RNBC: [0x40a0, 0], RUC: [0x40a4, 0], RFC: [0x40a8, 0], ROC: [0x40ac, 0],
  RJC: [0x40b0, 0], MGTPRC: [0x40b4, 0], MGTPDC: [0x40b8, 0], MGTPTC: [0x40bc, 0], TORL: [0x40c0, 0], TORH: [0x40c4, 0],
  TOTL: [0x40c8, 0], TOTH: [0x40cc, 0], TPR: [0x40d0, 0], TPT: [0x40d4, 0], PTC64: [0x40d8, 0], PTC127: [0x40dc, 0],
  PTC255: [0x40e0, 0], PTC511: [0x40e4, 0], PTC1023: [0x40e8, 0], PTC1522: [0x40ec, 0], MPTC: [0x40f0, 0],
  BPTC: [0x40f4, 0], TSCTC: [0x40f8, 0], TSCTFC: [0x40fc, 0],
  RXCSUM: [0x5000, 0], MTA: [0x5200, 0, 128, 4], RAL: [0x5400, 0x12005452, 16, 8], RAH: [0x5404, 0x80005634, 16, 8],
  VFTA: [0x5600, 0, 128, 4], WUC: [0x5800, 0], WUFC: [0x5808, 0], WUS: [0x5810, 0], MANC: [0x5820, 0x00222300],
  IPAV: [0x5838, 0], IP4AT: [0x5840, 0, 4, 8], IP6AT: [0x5880, 0, 4, 4], WUPL: [0x5900, 0], WUPM: [0x5a00, 0, 32, 4],
  SWSM: [0x5b50, 0], SW_FW_SYNC: [0x5b5c, 0], FFLT: [0x5f00, 0, 4, 8], FFMT: [0x9000, 0, 128, 8],
  FFVT: [0x9800, 0, 128, 8], PBM: [0x10000, 0, 16_384, 4],
};

const REGISTERS = Object.entries(E1000);
const offsets = REGISTERS.flatMap(([, { at, count, stride }]) =>
  Array.from({ length: count }, (_, i) => at + i * stride),
);
/** Every register alike; the packet buffer memory as often as one of them. */
const anyOffset = fc.oneof(
  { weight: offsets.length - E1000.PBM.count, arbitrary: fc.constantFrom(...offsets.filter(at => at < E1000.PBM.at)) },
  { weight: 1, arbitrary: fc.nat(E1000.PBM.count - 1).map(i => E1000.PBM.at + 4 * i) },
);
const anyWord = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('registers, 82540EM manual chapter 13', () => {
  it('are those of the manual, at its offsets', () => {
    const declared = REGISTERS.map(([name, { at, count, stride }]) => [name, at, count, count > 1 ? stride : 4]);
    const typed = Object.entries(MANUAL).map(([name, [at, , count = 1, stride = 4]]) => [name, at, count, stride]);
    expect(new Map(declared.map(row => [row[0], row]))).toEqual(new Map(typed.map(row => [row[0], row])));
  });

  it.each(Object.entries(MANUAL))('%s resets as the manual says', (_name, [at, reset, count = 1, stride = 4]) => {
    const rig = new E1000Rig({ link: false });
    expect(rig.peek(at)).toBe(reset);
    expect(rig.read(at)).toBe(reset);
    for (let i = 1; i < count; i++) if (rig.read(at + i * stride) !== 0) expect.fail(`[${i}] is not zero`);
  });

  it.each(Object.entries(MANUAL))(
    '%s is back at that value after CTRL.RST',
    (name, [at, reset, count = 1, stride = 4]) => {
      if (E1000[name as keyof typeof E1000].sticky) return;
      const rig = new E1000Rig({ link: false });
      for (let i = 0; i < count; i++) rig.write(at + i * stride, name === 'CTRL' ? -1 & ~E1000.CTRL.RST : -1);
      rig.write(E1000.CTRL.at, E1000.CTRL.RST);
      expect(rig.peek(at)).toBe(reset);
      for (let i = 1; i < count; i++) expect(rig.peek(at + i * stride)).toBe(0);
    },
  );

  it('read zero and ignore writes where the manual has none', () => {
    const rig = new E1000Rig({ link: false });
    const claimed = new Set(offsets);
    for (let offset = 0; offset < REGISTER_SPACE_BYTES; offset += 4) {
      if (claimed.has(offset)) continue;
      rig.write(offset, -1);
      if (rig.read(offset) !== 0) expect.fail(`offset ${offset.toString(16)} is not empty`);
    }
  });

  it('keep what is written to storage, and nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...REGISTERS), anyWord, ([name, register], word) => {
        if (name === 'CTRL' || name === 'EECD' || name === 'PBA' || name === 'ICS') return;
        const rig = new E1000Rig({ link: false });
        const before = rig.peek(register.at);
        rig.write(register.at, word);
        let expected = 0;
        for (const [access, hi, lo] of Object.values(register.fields)) {
          const mask = ((2 ** (hi - lo + 1) - 1) * 2 ** lo) | 0;
          if (access === 'rw') expected |= word & mask;
          else if (access === 'w1s') expected |= (before | word) & mask;
          else if (access === 'sc' || access === 'wo' || access === 'rc/w1c' || access === 'w1c') expected |= 0;
          else expected |= before & mask;
        }
        if (name === 'MDIC') expected &= ~(E1000.MDIC.R | E1000.MDIC.E);
        expect(rig.peek(register.at)).toBe(expected >>> 0);
      }),
      { numRuns: 400 },
    );
  });

  it('are not changed by a peek, and no access throws', () => {
    const rig = new E1000Rig();
    fc.assert(
      fc.property(anyOffset, anyWord, anyOffset, (written, word, peeked) => {
        rig.write(written, word);
        const first = rig.peek(peeked);
        expect(rig.peek(peeked)).toBe(first);
        if (peeked !== E1000.ICS.at) expect(rig.read(peeked)).toBe(first);
        rig.pass(2000);
      }),
      { numRuns: 2000 },
    );
  });

  it('read-clear counters and causes are zero at the next read', () => {
    const rig = new E1000Rig();
    rig.write(E1000.ICS.at, -1);
    expect(rig.read(E1000.ICR.at)).toBe(0x1f6df);
    expect(rig.read(E1000.ICR.at)).toBe(0);
  });

  it('take whole words: a narrower write is ignored, a narrower read gives its part of the word', () => {
    const rig = new E1000Rig({ link: false });
    const record = new Recorder();
    rig.nic.taps = record;
    rig.nic.write(E1000.VET.at, 1, 0x12);
    expect(rig.peek(E1000.VET.at)).toBe(0x8100);
    expect([rig.nic.read(E1000.VET.at + 1, 1), rig.nic.read(E1000.VET.at, 2)]).toEqual([0x81, 0x8100]);
    expect(record.suspicions).toHaveLength(3);
  });

  it('report a one written to a bit that is reserved or not implemented', () => {
    const rig = new E1000Rig({ link: false });
    const record = new Recorder();
    rig.nic.taps = record;
    rig.write(E1000.CTRL_EXT.at, E1000.CTRL_EXT.RO_DIS);
    rig.write(E1000.ITR.at, 0x1_0000);
    expect(record.suspicions.map(text => text.split(':')[0])).toEqual(['CTRL_EXT', 'ITR']);
  });

  it('have names, with an index in arrays', () => {
    const { nic } = new E1000Rig({ link: false });
    expect([nic.nameAt(0), nic.nameAt(0x540c), nic.nameAt(0x4024)]).toEqual([
      'CTRL',
      'RAH[1]',
      '0x04024 (no register)',
    ]);
  });
});

describe('configuration space, 82540EM manual 4.1', () => {
  it('identifies an 82540EM with memory and I/O BARs and INTA', () => {
    const { pci } = new E1000Rig({ link: false }).nic;
    expect(pci.configRead(0x00, 4) >>> 0).toBe(0x100e_8086);
    expect(pci.configRead(0x08, 4) >>> 0).toBe(0x0200_0003);
    expect(pci.configRead(0x3d, 1)).toBe(1);
    const sizes = [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24].map(bar => {
      pci.configWrite(bar, 4, -1);
      return pci.configRead(bar, 4) >>> 0;
    });
    expect(sizes).toEqual([0xfffe_0000, 0xffff_ffc1, 0, 0, 0, 0]);
  });
});

describe('the I/O window, 82540EM manual 13.2.2', () => {
  it('reads and writes the register that IOADDR names through IODATA', () => {
    const rig = new E1000Rig({ link: false });
    const io = rig.nic.pci.bars[1]!.device;
    io.write(0, 4, E1000.VET.at);
    io.write(4, 4, 0x1234);
    expect([io.read(0, 4), io.read(4, 4), rig.peek(E1000.VET.at)]).toEqual([E1000.VET.at, 0x1234, 0x1234]);
  });

  it('resets the chip', () => {
    const rig = new E1000Rig({ link: false });
    const io = rig.nic.pci.bars[1]!.device;
    rig.write(E1000.TDBAL.at, 0x8000_0000);
    io.write(0, 4, E1000.CTRL.at);
    io.write(4, 4, io.read(4, 4) | E1000.CTRL.RST);
    expect(rig.peek(E1000.TDBAL.at)).toBe(0);
  });

  it('reaches nothing beyond the registers', () => {
    const rig = new E1000Rig({ link: false });
    const io = rig.nic.pci.bars[1]!.device;
    for (const address of [REGISTER_SPACE_BYTES, -4, 2, 0x7fff_fffc]) {
      io.write(0, 4, address);
      io.write(4, 4, -1);
      expect(io.read(4, 4)).toBe(0);
    }
  });
});
