/**
 * PHY and link. The PHY negotiates by itself from power-on, and the MAC takes speed and duplex from it, so there is
 * little to do: one bit for half duplex, and STATUS to be read whenever ICR.LSC says that the link changed.
 */

import type { LinkState, Platform } from '../../kernel/driver-api.ts';
import { getField, setField } from '../../src/lib/bits.ts';
import { hex } from '../../src/lib/bytes.ts';
import type { Mmio } from './mmio.ts';
import {
  MDI_READ,
  MDI_WRITE,
  MDIC,
  MDIC_DATA,
  MDIC_E,
  MDIC_OP,
  MDIC_PHYADD,
  MDIC_R,
  MDIC_REGADD,
  PCTRL_FULL_DUPLEX,
  PCTRL_RESET,
  PCTRL_SPEED_100,
  PCTRL_SPEED_1000,
  PHY_ID1,
  PHY_ID2,
  PHY_PCTRL,
  PHY_PSCON,
  PSCON_ASSERT_CRS_ON_TX,
  STATUS,
  STATUS_FD,
  STATUS_LU,
  STATUS_SPEED,
} from './registers.ts';

/** The internal PHY's address, the only one that answers. */
const PHY_ADDRESS = 1;
/** Identifier of the internal PHY; the last digit, its revision, is masked. */
const PHY_ID = 0x0141_0c20;
const REVISION_MASK = 0xf;
/** A transaction is 64 bits at 2.5 MHz, some 26 us. */
const POLL_LIMIT = 64;
const POLL_US = 10;
/** By STATUS.SPEED; both 2 and 3 are 1000 Mb/s (13.4.2). */
const SPEEDS_MBPS = [10, 100, 1000, 1000] as const;

export const LINK_DOWN: LinkState = { up: false, speedMbps: 0, fullDuplex: false };

/** What the link shall be: what both ends agree on, or what is said here, whatever the other end thinks. */
export type LinkMode = 'auto' | { readonly speedMbps: 10 | 100 | 1000; readonly fullDuplex: boolean };

/** Checks that the PHY is the one this driver knows, and prepares it for a link in `mode`. Throws when it is not, or does not answer. */
export function preparePhy(regs: Mmio, platform: Platform, mode: LinkMode): void {
  const high = readPhy(regs, platform, PHY_ID1);
  const id = ((high << 16) | (readPhy(regs, platform, PHY_ID2) & ~REVISION_MASK)) >>> 0;
  if (id !== PHY_ID) throw new Error(`PHY identifier ${hex(id)}, expected ${hex(PHY_ID)}`);
  // In half duplex the MAC wants to see its own carrier; without this each frame counts as sent with none (TNCRS).
  const control = readPhy(regs, platform, PHY_PSCON);
  transact(regs, platform, MDI_WRITE, PHY_PSCON, control | PSCON_ASSERT_CRS_ON_TX);
  if (mode !== 'auto') transact(regs, platform, MDI_WRITE, PHY_PCTRL, forcedControl(mode));
}

/** PCTRL without auto-negotiation. Speed and duplex take effect with the reset. */
function forcedControl({ speedMbps, fullDuplex }: Exclude<LinkMode, 'auto'>): number {
  const speed = { 10: 0, 100: PCTRL_SPEED_100, 1000: PCTRL_SPEED_1000 }[speedMbps];
  return PCTRL_RESET | speed | (fullDuplex ? PCTRL_FULL_DUPLEX : 0);
}

/** The link as the MAC sees it (13.4.2): LU needs the PHY's link and CTRL.SLU. */
export function readLink(regs: Mmio): LinkState {
  const status = regs.read(STATUS);
  if ((status & STATUS_LU) === 0) return LINK_DOWN;
  return {
    up: true,
    speedMbps: SPEEDS_MBPS[getField(status, STATUS_SPEED)]!,
    fullDuplex: (status & STATUS_FD) !== 0,
  };
}

/** A register of the PHY, by its number. Throws when it does not answer. */
export function readPhy(regs: Mmio, platform: Platform, register: number): number {
  return getField(transact(regs, platform, MDI_READ, register, 0), MDIC_DATA);
}

/** One MDI transaction, 13.4.8. Returns MDIC as it is at the end. */
function transact(regs: Mmio, platform: Platform, operation: number, register: number, data: number): number {
  const target = setField(0, MDIC_PHYADD, PHY_ADDRESS) | setField(0, MDIC_REGADD, register);
  regs.write(MDIC, setField(target, MDIC_OP, operation) | data);
  for (let i = 0; i < POLL_LIMIT; i++) {
    const value = regs.read(MDIC);
    if ((value & MDIC_E) !== 0) throw new Error(`no PHY answers for register ${register}`);
    if ((value & MDIC_R) !== 0) return value;
    platform.delayUs(POLL_US);
  }
  throw new Error(`PHY register ${register} not ready after ${POLL_LIMIT * POLL_US} us`);
}
