/** The link as the MAC sees it: what STATUS says, given CTRL and the PHY. 82540EM manual, sections 8.4 to 8.6. */
import type { PhyLink, SpeedMbps } from '../../ethernet/ports.ts';
import { E1000 } from './registers.ts';

const { CTRL, STATUS } = E1000;

/** Codes of CTRL.SPEED, STATUS.SPEED and STATUS.ASDV. */
export const SPEED_CODES: Readonly<Record<SpeedMbps, number>> = { 10: 0, 100: 1, 1000: 2 };

/**
 * `status` with LU, SPEED and FD brought up to date. The link is up when the PHY has one and CTRL.SLU is set; a forced
 * speed that is not the PHY's gives none. Without a link SPEED and FD keep what they had.
 */
export function linkStatus(status: number, ctrl: number, { up, speed, fullDuplex }: PhyLink): number {
  if (!up) return status & ~STATUS.LU;
  const code = (ctrl & CTRL.FRCSPD) !== 0 ? (ctrl & CTRL.SPEED) >>> 8 : SPEED_CODES[speed];
  const full = (ctrl & CTRL.FRCDPLX) !== 0 ? (ctrl & CTRL.FD) !== 0 : fullDuplex;
  const resolved = (status & ~(STATUS.LU | STATUS.SPEED | STATUS.FD)) | (code << 6) | (full ? STATUS.FD : 0);
  return (ctrl & CTRL.SLU) !== 0 && code === SPEED_CODES[speed] ? resolved | STATUS.LU : resolved;
}
