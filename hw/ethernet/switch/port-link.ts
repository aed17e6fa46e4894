/**
 * How the PHY of a switch port comes to its link: which modes it offers and whether it offers PAUSE, or the one mode that
 * it is forced to. The PHY is configured as software would do it, by its registers, and starts anew.
 */
import { setField } from '../../../src/lib/bits.ts';
import type { Register } from '../../bus/registers.ts';
import type { M88E1011 } from '../phy/phy.ts';
import { MII } from '../phy/registers.ts';
import type { SpeedMbps } from '../ports.ts';

const { ANA, GCON, LPA, PCTRL, PSTATUS } = MII;

export type PortLink =
  | {
      /** The fastest modes that are offered. */
      readonly fastestMbps: SpeedMbps;
      /** Symmetric PAUSE is offered. */
      readonly pause: boolean;
    }
  | { readonly speedMbps: SpeedMbps; readonly fullDuplex: boolean };

const ABILITIES: Readonly<Record<SpeedMbps, number>> = {
  10: ANA.HD10 | ANA.FD10,
  100: ANA.HD10 | ANA.FD10 | ANA.HD100 | ANA.FD100,
  1000: ANA.HD10 | ANA.FD10 | ANA.HD100 | ANA.FD100,
};

/** As PCTRL codes them, SPEED_MSB and SPEED_LSB. */
const SPEED_BITS: Readonly<Record<SpeedMbps, number>> = { 10: 0, 100: PCTRL.SPEED_LSB, 1000: PCTRL.SPEED_MSB };

/** Puts `link` into effect. */
export function configurePhy(phy: M88E1011, link: PortLink): void {
  if ('speedMbps' in link) {
    phy.writeRegister(numberOf(PCTRL), PCTRL.RESET | SPEED_BITS[link.speedMbps] | (link.fullDuplex ? PCTRL.FD : 0));
    return;
  }
  phy.writeRegister(
    numberOf(ANA),
    setField(ABILITIES[link.fastestMbps] | (link.pause ? ANA.PAUSE : 0), ANA.SELECTOR, 1),
  );
  // A device of many ports would rather be master, as MULTIPORT says.
  phy.writeRegister(numberOf(GCON), link.fastestMbps === 1000 ? GCON.FD1000 | GCON.MULTIPORT : 0);
  phy.writeRegister(numberOf(PCTRL), PCTRL.RESET | PCTRL.ANE);
}

/** Whether both ends have offered symmetric PAUSE, 28B.3; only a negotiation can tell. */
export function pauseAgreed(phy: M88E1011): boolean {
  if ((phy.peekRegister(numberOf(PSTATUS)) & PSTATUS.AN_DONE) === 0) return false;
  return (phy.peekRegister(numberOf(ANA)) & phy.peekRegister(numberOf(LPA)) & ANA.PAUSE) !== 0;
}

/** The number by which MDIO knows a register. */
function numberOf({ at }: Register): number {
  return at / 4;
}
