/** What the registers of an M88E1011 say of a negotiation that has come to a result. */
import type { Resolution } from './link.ts';
import { MII } from './registers.ts';

const { PSTATUS, ANA, LPA, ANE, GCON, GSTAT, PSSTAT, PINTS } = MII;

/** Writes it into the register words `values`. Returns the causes to raise in PINTS. */
export function recordResolution(values: Int32Array, resolution: Resolution): number {
  const { mode, own, partnerPage, partnerGigabit, parallel, master, masterFault } = resolution;
  const causes = mode === null ? PINTS.AN_ERROR : 0;
  if (parallel) {
    values[LPA.n] = partnerPage;
    if (mode === null) values[ANE.n]! |= ANE.PD_FAULT;
    return causes;
  }
  values[LPA.n] = partnerPage | LPA.ACK;
  values[ANE.n]! |= ANE.LP_AN_ABLE | ANE.PAGE_RX;
  if ((own.page & ANA.NP) !== 0) values[ANE.n]! |= ANE.NP_ABLE;
  if ((partnerPage & ANA.NP) !== 0) values[ANE.n]! |= ANE.LP_NP_ABLE;
  if ((partnerPage & ANA.REMOTE_FAULT) !== 0) values[PSTATUS.n]! |= PSTATUS.REMOTE_FAULT;
  if ((partnerGigabit & GCON.FD1000) !== 0) values[GSTAT.n]! |= GSTAT.LP_FD1000;
  if ((partnerGigabit & GCON.HD1000) !== 0) values[GSTAT.n]! |= GSTAT.LP_HD1000;
  if (master) values[GSTAT.n]! |= GSTAT.MASTER;
  if (masterFault) values[GSTAT.n]! |= GSTAT.MS_FAULT;
  values[PSSTAT.n]! |= PSSTAT.PAGE_RX;
  return causes | PINTS.PAGE_RX;
}
