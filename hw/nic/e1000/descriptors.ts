/**
 * The 16-byte descriptors, little-endian, as they lie in memory. 82540EM manual, sections 3.2.3 (receive) and 3.3.3 to
 * 3.3.7 (transmit). Field positions are byte offsets within a descriptor; the bits of one-byte fields are constants.
 */
import { readLe32, writeLe16 } from '../../../src/lib/bytes.ts';

/** Receive: STATUS. */
export const RX_STATUS = { DD: 1, EOP: 2, IXSM: 4, VP: 8, TCPCS: 0x20, IPCS: 0x40, PIF: 0x80 } as const;
/** Receive: ERRORS. */
export const RX_ERRORS = { CE: 1, TCPE: 0x20, IPE: 0x40, RXE: 0x80 } as const;
/** Transmit: CMD of the legacy format, DCMD of the data format. They differ in bit 2. */
export const TX_CMD = { EOP: 1, IFCS: 2, IC: 4, TSE: 4, RS: 8, DEXT: 0x20, VLE: 0x40, IDE: 0x80 } as const;
/** Transmit: STA. */
export const TX_STA = { DD: 1, EC: 2, LC: 4 } as const;
/** Transmit: TUCMD of the context format; RS, DEXT and IDE are where CMD has them. */
export const TX_TUCMD = { TCP: 1, IP: 2, TSE: 4 } as const;
/** Transmit: POPTS of the data format. */
export const TX_POPTS = { IXSM: 1, TXSM: 2 } as const;
/** Transmit: values of DTYP. */
export const DTYP_CONTEXT = 0;
export const DTYP_DATA = 1;

/** Byte offsets. */
export const RX_AT = { LENGTH: 8, PCSUM: 10, STATUS: 12, ERRORS: 13, SPECIAL: 14 } as const;
export const TX_AT = { LENGTH: 8, CSO: 10, DTYP: 10, CMD: 11, STA: 12, CSS: 13, POPTS: 13, SPECIAL: 14 } as const;

/** The buffer address: a whole number, exact where any memory can be. */
export const bufferAddress = (bytes: Uint8Array, at: number): number =>
  (readLe32(bytes, at) >>> 0) + (readLe32(bytes, at + 4) >>> 0) * 0x1_0000_0000;

/** Legacy format: LENGTH. */
export const txLength = (bytes: Uint8Array, at: number): number => bytes[at + 8]! | (bytes[at + 9]! << 8);

/** Data format: DTALEN, 20 bits. Also PAYLEN of the context format, which stands in the same place. */
export const txDataLength = (bytes: Uint8Array, at: number): number => readLe32(bytes, at + 8) & 0xf_ffff;

/** Fills in what the hardware writes of a receive descriptor. */
export function writeRxResult(
  bytes: Uint8Array,
  at: number,
  length: number,
  checksum: number,
  status: number,
  errors: number,
  special: number,
): void {
  writeLe16(bytes, at + RX_AT.LENGTH, length);
  writeLe16(bytes, at + RX_AT.PCSUM, checksum);
  bytes[at + RX_AT.STATUS] = status;
  bytes[at + RX_AT.ERRORS] = errors;
  writeLe16(bytes, at + RX_AT.SPECIAL, special);
}
