/**
 * The registers as QEMU 7.2 stores them, measured by writing all ones, zeros and patterns to every offset. They stand in
 * the slots of E1000, so that the units address both in the same way; what is not named here is as E1000 has it. Much of
 * what the manual reserves is storage here, and much of what it stores reads zero.
 */
import { type Access, type Declaration, type RegisterMap, registers } from '../../../bus/registers.ts';
import { GENERAL } from '../registers/general.ts';
import { INTERRUPT } from '../registers/interrupt.ts';
import { RECEIVE } from '../registers/receive.ts';
import { STATISTICS } from '../registers/statistics.ts';
import { TRANSMIT } from '../registers/transmit.ts';

type Kind = readonly [access: Access, hi: number, lo: number, reset: number];

const WORD: Kind = ['rw', 31, 0, 0];
const HALF: Kind = ['rw', 15, 0, 0];
const FIFO: Kind = ['rw', 12, 0, 0];
const LENGTH: Kind = ['rw', 19, 7, 0];
/** Reads zero, and ignores writes. */
const ABSENT: Kind = ['ro', 31, 0, 0];

const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  CTRL: [
    ['rw', 25, 0, 0x0014_0240],
    ['sc', 26, 26, 0],
    ['rw', 31, 27, 0],
  ],
  STATUS: [['ro', 31, 0, 0x8008_0783]],
  EECD: [
    ['rw', 2, 0, 0],
    ['rw', 6, 4, 0],
  ],
  EERD: [WORD],
  CTRL_EXT: [ABSENT],
  FLA: [ABSENT],
  MDIC: [WORD],
  FCAL: [ABSENT],
  FCAH: [ABSENT],
  FCT: [ABSENT],
  VET: [['rw', 31, 0, 0x8100]],
  FCTTV: [ABSENT],
  TXCW: [ABSENT],
  RXCW: [ABSENT],
  LEDCTL: [['rw', 31, 0, 0x0602]],
  PBA: [['rw', 31, 0, 0x0010_0030]],
  FCRTL: [ABSENT],
  FCRTH: [ABSENT],
  WUC: [WORD],
  WUFC: [WORD],
  WUS: [WORD],
  MANC: [['ro', 31, 0, 0x0022_2300]],
  IPAV: [WORD],
  WUPM: [WORD],
  SWSM: [WORD],
  SW_FW_SYNC: [ABSENT],
  ICR: [['rc/w1c', 31, 0, 0]],
  ICS: [['wo', 31, 0, 0]],
  IMS: [['w1s', 31, 0, 0]],
  IMC: [['wo', 31, 0, 0]],
  RCTL: [WORD],
  RDBAL: [WORD],
  RDLEN: [LENGTH],
  RDTR: [HALF],
  RXDCTL: [ABSENT],
  RSRPD: [ABSENT],
  RDFH: [FIFO],
  RDFT: [FIFO],
  RDFHS: [FIFO],
  RDFTS: [FIFO],
  RDFPC: [FIFO],
  RXCSUM: [ABSENT],
  RAH: [WORD],
  TCTL: [WORD],
  TIPG: [ABSENT],
  TXDMAC: [ABSENT],
  TDFH: [['rw', 10, 0, 0]],
  TDFT: [['rw', 10, 0, 0]],
  TDFHS: [FIFO],
  TDFTS: [FIFO],
  TDFPC: [FIFO],
  TDBAL: [WORD],
  TDLEN: [LENGTH],
  TIDV: [ABSENT],
  TXDCTL: [WORD],
  TSPMT: [ABSENT],
  FCRUC: [WORD],
  MPC: [['ro', 31, 0, 0]],
  RNBC: [['ro', 31, 0, 0]],
};

/** The odd words of tables whose entries the manual has at every second one: storage too. */
const GAPS: Readonly<Record<string, Declaration>> = {
  IP4AT_GAP: [0x5844, 'Storage', { WORD: [...WORD, 'Storage'] }, { count: 3, stride: 8 }],
  FFLT_GAP: [0x5f04, 'Storage', { WORD: ['rw', 10, 0, 0, 'Storage'] }, { count: 3, stride: 8 }],
  FFMT_GAP: [0x9004, 'Storage', { WORD: ['rw', 3, 0, 0, 'Storage'] }, { count: 127, stride: 8 }],
  FFVT_GAP: [0x9804, 'Storage', { WORD: [...WORD, 'Storage'] }, { count: 127, stride: 8 }],
};

export const QEMU72_REGISTERS: RegisterMap = registers({
  ...restyled({ ...GENERAL, ...INTERRUPT, ...RECEIVE, ...TRANSMIT, ...STATISTICS }),
  ...GAPS,
});

/** The same registers in the same order, with the fields that KINDS gives them. */
function restyled(spec: Readonly<Record<string, Declaration>>): Record<string, Declaration> {
  const entries = Object.entries(spec).map(([name, declaration]) => {
    const kinds = KINDS[name];
    if (kinds === undefined) return [name, declaration];
    const [at, doc, , layout = {}] = declaration;
    const fields = kinds.map(([access, hi, lo, reset], i) => [
      `FIELD${i}`,
      [access, hi, lo, reset >>> lo, 'As in QEMU'],
    ]);
    return [name, [at, doc, Object.fromEntries(fields), layout]];
  });
  return Object.fromEntries(entries);
}
