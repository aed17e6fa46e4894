/**
 * The 82540EM's registers are typed twice: by the hardware, as a declaration, and by the driver, as constants. Here both
 * are held against a third typing, from the manual (chapter 13), so that a slip shared by two of them still shows.
 */
import { describe, expect, it } from 'vitest';
import * as driver from '../../../drivers/e1000/registers.ts';
import type { Register } from '../../../hw/bus/registers.ts';
import { E1000 } from '../../../hw/nic/e1000/registers.ts';

/** Register, offset, and its fields as `NAME hi:lo` or `NAME bit`. */
const MANUAL: readonly (readonly [register: string, offset: number, fields: string])[] = [
  [
    'CTRL',
    0x00000,
    'LRST 3, ASDE 5, SLU 6, ILOS 7, FRCSPD 11, FRCDPLX 12, RST 26, RFCE 27, TFCE 28, VME 30, PHY_RST 31',
  ],
  ['STATUS', 0x00008, 'FD 0, LU 1, SPEED 7:6'],
  ['EERD', 0x00014, 'START 0, DONE 4, ADDR 15:8, DATA 31:16'],
  ['MDIC', 0x00020, 'DATA 15:0, REGADD 20:16, PHYADD 25:21, OP 27:26, R 28, E 30'],
  ['FCAL', 0x00028, ''],
  ['FCAH', 0x0002c, ''],
  ['FCT', 0x00030, ''],
  ['FCTTV', 0x00170, ''],
  ['FCRTL', 0x02160, 'XONE 31'],
  ['FCRTH', 0x02168, ''],
  ['ICR', 0x000c0, 'TXDW 0, LSC 2, RXDMT0 4, RXO 6, RXT0 7'],
  ['ICS', 0x000c8, ''],
  ['IMS', 0x000d0, ''],
  ['IMC', 0x000d8, ''],
  ['ITR', 0x000c4, ''],
  ['RCTL', 0x00100, 'EN 1, MPE 4, BAM 15, SECRC 26'],
  ['TCTL', 0x00400, 'EN 1, PSP 3, CT 11:4, COLD 21:12'],
  ['TIPG', 0x00410, 'IPGT 9:0, IPGR1 19:10, IPGR2 29:20'],
  ['RDBAL', 0x02800, ''],
  ['RDBAH', 0x02804, ''],
  ['RDLEN', 0x02808, ''],
  ['RDH', 0x02810, ''],
  ['RDT', 0x02818, ''],
  ['TDBAL', 0x03800, ''],
  ['TDBAH', 0x03804, ''],
  ['TDLEN', 0x03808, ''],
  ['TDH', 0x03810, ''],
  ['TDT', 0x03818, ''],
  ['TIDV', 0x03820, ''],
  ['TADV', 0x0382c, ''],
  ['RXCSUM', 0x05000, 'TUOFL 9'],
  ['MTA', 0x05200, ''],
  ['RAL', 0x05400, ''],
  ['RAH', 0x05404, 'AV 31'],
];

/** 13.7; the low half where a counter has 64 bits. */
const MANUAL_COUNTERS: Readonly<Record<string, number>> = {
  CRCERRS: 0x4000,
  ALGNERRC: 0x4004,
  RXERRC: 0x400c,
  MPC: 0x4010,
  SCC: 0x4014,
  ECOL: 0x4018,
  MCC: 0x401c,
  LATECOL: 0x4020,
  COLC: 0x4028,
  DC: 0x4030,
  TNCRS: 0x4034,
  CEXTERR: 0x403c,
  RLEC: 0x4040,
  XONRXC: 0x4048,
  XONTXC: 0x404c,
  XOFFRXC: 0x4050,
  XOFFTXC: 0x4054,
  FCRUC: 0x4058,
  PRC64: 0x405c,
  PRC127: 0x4060,
  PRC255: 0x4064,
  PRC511: 0x4068,
  PRC1023: 0x406c,
  PRC1522: 0x4070,
  GPRC: 0x4074,
  BPRC: 0x4078,
  MPRC: 0x407c,
  GPTC: 0x4080,
  GORCL: 0x4088,
  GOTCL: 0x4090,
  RNBC: 0x40a0,
  RUC: 0x40a4,
  RFC: 0x40a8,
  ROC: 0x40ac,
  RJC: 0x40b0,
  TORL: 0x40c0,
  TOTL: 0x40c8,
  TPR: 0x40d0,
  TPT: 0x40d4,
  PTC64: 0x40d8,
  PTC127: 0x40dc,
  PTC255: 0x40e0,
  PTC511: 0x40e4,
  PTC1023: 0x40e8,
  PTC1522: 0x40ec,
  MPTC: 0x40f0,
  BPTC: 0x40f4,
  TSCTC: 0x40f8,
  TSCTFC: 0x40fc,
};

/** Constants of the driver that are neither register nor field: descriptors (3.2.3, 3.3.3), MDI opcodes, PHY. */
const MANUAL_REST: Readonly<Record<string, number>> = {
  ICR_ALL: 0x0001_f6df, // bits 0 to 4, 6, 7, 9, 10, 12 to 16
  MDI_WRITE: 1,
  MDI_READ: 2,
  PHY_PCTRL: 0,
  PCTRL_SPEED_1000: 0x0040,
  PCTRL_FULL_DUPLEX: 0x0100,
  PCTRL_SPEED_100: 0x2000,
  PCTRL_RESET: 0x8000,
  PHY_ID1: 2,
  PHY_ID2: 3,
  PHY_ANA: 4,
  PHY_LPA: 5,
  PAUSE_SYMMETRIC: 0x0400,
  PAUSE_ASM_DIR: 0x0800,
  PHY_PSCON: 16,
  PSCON_ASSERT_CRS_ON_TX: 0x0800,
  DESCRIPTOR_BYTES: 16,
  TX_STA_AT: 12,
  TX_CMD_EOP: 0x0100_0000,
  TX_CMD_IFCS: 0x0200_0000,
  TX_CMD_TSE: 0x0400_0000,
  TX_CMD_RS: 0x0800_0000,
  TX_CMD_DEXT: 0x2000_0000,
  TX_CMD_VLE: 0x4000_0000,
  TX_CMD_IDE: 0x8000_0000 | 0,
  TX_TUCMD_TCP: 0x0100_0000,
  TX_TUCMD_IP: 0x0200_0000,
  TX_DTYP_DATA: 0x0010_0000,
  TX_POPTS_IXSM: 0x0100,
  TX_POPTS_TXSM: 0x0200,
  TX_SPECIAL: 0xffff_0000 | 0,
  TX_CSS: 0x0000_00ff,
  TX_CSO: 0x0000_ff00,
  TX_CSE: 0xffff_0000 | 0,
  TX_HDRLEN: 0x0000_ff00,
  TX_MSS: 0xffff_0000 | 0,
  TX_STA_DD: 0x01,
  TX_STA_EC: 0x02,
  TX_STA_LC: 0x04,
  RX_LENGTH_AT: 8,
  RX_STATUS_AT: 12,
  RX_ERRORS_AT: 13,
  RX_SPECIAL_AT: 14,
  RX_STATUS_DD: 0x01,
  RX_STATUS_EOP: 0x02,
  RX_STATUS_IXSM: 0x04,
  RX_STATUS_VP: 0x08,
  RX_STATUS_TCPCS: 0x20,
  RX_ERRORS_CE: 0x01,
  RX_ERRORS_TCPE: 0x20,
  RX_ERRORS_RXE: 0x80,
};

const hardware: Readonly<Record<string, Register>> = E1000;
const constants = new Map<string, number>(
  Object.entries(driver).filter((entry): entry is [string, never] => typeof entry[1] === 'number'),
);

/** `[name, mask]` of each field, as the manual's table says it. */
function fieldsOf(text: string): [name: string, mask: number][] {
  return text.split(', ').flatMap(item => {
    const parts = /^(\w+) (\d+)(?::(\d+))?$/.exec(item);
    if (parts === null) return [];
    const hi = Number(parts[2]);
    const lo = Number(parts[3] ?? hi);
    return [[parts[1]!, (2 ** (hi + 1) - 2 ** lo) | 0]];
  });
}

describe('the registers of the 82540EM', () => {
  it.each(MANUAL)('%s is at the same offset for manual, driver and hardware', (name, offset, fields) => {
    expect(constants.get(name)).toBe(offset);
    expect(hardware[name]?.at).toBe(offset);
    for (const [field, mask] of fieldsOf(fields)) {
      expect([field, constants.get(`${name}_${field}`)]).toEqual([field, mask]);
      expect([field, (hardware[name] as unknown as Record<string, number>)[field]]).toEqual([field, mask]);
    }
  });

  it('ICR has no cause but those that the driver masks', () => {
    const bits = Object.values(E1000.ICR.fields).reduce((all, [, hi, lo]) => all | (2 ** (hi + 1) - 2 ** lo), 0);
    expect(bits).toBe(driver.ICR_ALL);
  });

  it.each(['ICS', 'IMS', 'IMC'])('%s has the layout of ICR', name => {
    const layout = (register: Register | undefined) =>
      Object.entries(register?.fields ?? {}).map(([field, [, hi, lo]]) => [field, hi, lo]);
    expect(layout(hardware[name])).toEqual(layout(hardware['ICR']));
  });

  it('arrays have as many entries, at the same distance, as the driver takes for granted', () => {
    expect(hardware['MTA']).toMatchObject({ count: 128, stride: 4 });
    expect(hardware['RAL']).toMatchObject({ count: 16, stride: 8 });
  });

  it('the counters are those of the manual, cleared by reading', () => {
    expect({ ...driver.COUNTERS, ...driver.WIDE_COUNTERS }).toEqual(MANUAL_COUNTERS);
    for (const [name, offset] of Object.entries(MANUAL_COUNTERS))
      expect([name, hardware[name]?.at]).toEqual([name, offset]);
    for (const name of Object.keys(driver.COUNTERS))
      expect([name, hardware[name]?.fields['COUNT']?.[0]]).toEqual([name, 'rc']);
    for (const name of Object.keys(driver.WIDE_COUNTERS)) {
      const high = hardware[name.replace(/L$/, 'H')];
      expect([name, high?.at, high?.fields['COUNT']?.[0]]).toEqual([name, MANUAL_COUNTERS[name]! + 4, 'rc']);
    }
  });

  it('descriptor, MDI and PHY constants are those of the manual', () => {
    for (const [name, value] of Object.entries(MANUAL_REST)) expect([name, constants.get(name)]).toEqual([name, value]);
  });

  it('every constant of the driver is in one of these tables', () => {
    const known = MANUAL.flatMap(([name, , text]) => [name, ...fieldsOf(text).map(([field]) => `${name}_${field}`)]);
    expect([...constants.keys()].filter(name => !known.includes(name) && !(name in MANUAL_REST))).toEqual([]);
  });
});
