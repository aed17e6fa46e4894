/**
 * Flow control by PAUSE frames, 8.8: the receiver asks its partner to stop before its FIFO overflows, and the transmitter
 * stops when it is asked to. What is to be done in which direction follows from what both ends offered when they
 * negotiated; the MAC does not see that, so software tells it, with CTRL.RFCE and CTRL.TFCE, each time the link comes up.
 */
import type { Platform } from '../../kernel/driver-api.ts';
import type { Mmio } from './mmio.ts';
import { readPhy } from './phy.ts';
import {
  CTRL,
  CTRL_RFCE,
  CTRL_TFCE,
  FCAH,
  FCAL,
  FCRTH,
  FCRTL,
  FCRTL_XONE,
  FCT,
  FCTTV,
  PAUSE_ASM_DIR,
  PAUSE_SYMMETRIC,
  PHY_ANA,
  PHY_LPA,
} from './registers.ts';

/** The PAUSE address 01-80-C2-00-00-01, low octet first, and the EtherType of MAC control frames. */
const PAUSE_ADDRESS_LOW = 0x00c2_8001;
const PAUSE_ADDRESS_HIGH = 0x0100;
const MAC_CONTROL = 0x8808;
/** As long as can be: the part does not repeat an XOFF, and ends the pause itself, with an XON. */
const PAUSE_QUANTA = 0xffff;
/** Of packet memory the receiver has 48 KiB after a reset (PBA, 13.4.6). */
const RX_FIFO_BYTES = 48 * 1024;
/**
 * What may still arrive once the mark is passed: while a frame of ours is going out, before XOFF can; while the partner
 * ends the one that it is sending; and what is in the cable. There is room for some frames of the longest kind.
 */
const HEADROOM_BYTES = 8 * 1024;
const HIGH_WATER_BYTES = RX_FIFO_BYTES - HEADROOM_BYTES;
/** Enough to do until frames come again. */
const LOW_WATER_BYTES = RX_FIFO_BYTES / 2;

/** The link is up. `negotiated`: in full duplex, and both ends have agreed on that; otherwise there are no pauses. */
export function resolveFlowControl(regs: Mmio, platform: Platform, negotiated: boolean): void {
  const bits = negotiated ? resolution(readPhy(regs, platform, PHY_ANA), readPhy(regs, platform, PHY_LPA)) : 0;
  if (bits !== 0) prepareFlowControl(regs);
  regs.write(CTRL, (regs.read(CTRL) & ~(CTRL_RFCE | CTRL_TFCE)) | bits);
}

/** What has to stand there before CTRL has either bit set. */
function prepareFlowControl(regs: Mmio): void {
  regs.write(FCAL, PAUSE_ADDRESS_LOW);
  regs.write(FCAH, PAUSE_ADDRESS_HIGH);
  regs.write(FCT, MAC_CONTROL);
  regs.write(FCTTV, PAUSE_QUANTA);
  regs.write(FCRTL, FCRTL_XONE | LOW_WATER_BYTES);
  regs.write(FCRTH, HIGH_WATER_BYTES);
}

/** IEEE 802.3 table 28B-3: what of CTRL follows from what we offer and from what the partner does. */
function resolution(own: number, partner: number): number {
  const both = own & partner;
  if ((both & PAUSE_SYMMETRIC) !== 0) return CTRL_RFCE | CTRL_TFCE;
  if ((both & PAUSE_ASM_DIR) === 0) return 0;
  if ((partner & PAUSE_SYMMETRIC) !== 0) return CTRL_TFCE;
  return (own & PAUSE_SYMMETRIC) !== 0 ? CTRL_RFCE : 0;
}
