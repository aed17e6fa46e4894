/**
 * What two ends make of each other's abilities: clauses 28 (base page), 28B.3 (priority) and 40.5.2 (master and slave).
 * Pure functions on what the pages carry; when pages are sent is the business of the link state machine.
 *
 * An FLP signal carries the base page and, in `gigabit`, what the next pages of 1000BASE-T bring: bits 12:8 as in GCON
 * and, above them, the random seed that decides who is master when nothing else does.
 */
import type { LinkSignal, SpeedMbps } from '../ports.ts';
import { MII } from './registers.ts';

const { ANA, GCON } = MII;

export type Pages = Extract<LinkSignal, { kind: 'flp' }>;

/** A speed and a duplex: what a link is when it is up. */
export interface LinkMode {
  readonly speed: SpeedMbps;
  readonly fullDuplex: boolean;
}

/** The least significant of the seed's 11 bits. */
const SEED_SHIFT = 16;
const SEED_MASK = 0x7ff;

const BASE_ABILITIES = ANA.HD10 | ANA.FD10 | ANA.HD100 | ANA.FD100;
const GIGABIT_ABILITIES = GCON.HD1000 | GCON.FD1000;

/** Priority resolution, 28B.3, as far as this PHY goes: the first mode that both ends can. */
const PRIORITY: readonly { readonly mode: LinkMode; readonly page: number; readonly gigabit: number }[] = [
  { mode: { speed: 1000, fullDuplex: true }, page: 0, gigabit: GCON.FD1000 },
  { mode: { speed: 1000, fullDuplex: false }, page: 0, gigabit: GCON.HD1000 },
  { mode: { speed: 100, fullDuplex: true }, page: ANA.FD100, gigabit: 0 },
  { mode: { speed: 100, fullDuplex: false }, page: ANA.HD100, gigabit: 0 },
  { mode: { speed: 10, fullDuplex: true }, page: ANA.FD10, gigabit: 0 },
  { mode: { speed: 10, fullDuplex: false }, page: ANA.HD10, gigabit: 0 },
];

/** What goes out from an end whose registers are `ana` and `gcon`. Gigabit needs next pages, so it sets NP. */
export function pagesOf(ana: number, gcon: number, seed: number): Pages {
  const gigabit = (gcon & GIGABIT_ABILITIES) !== 0;
  const roles = gcon & (GIGABIT_ABILITIES | GCON.MULTIPORT | GCON.MS_VALUE | GCON.MS_MANUAL);
  return {
    kind: 'flp',
    page: gigabit ? ana | ANA.NP : ana,
    gigabit: gigabit ? roles | ((seed & SEED_MASK) << SEED_SHIFT) : 0,
  };
}

/** The base page that stands for what parallel detection saw: one technology, which is half duplex by rule. */
export function detectedPage(speed: SpeedMbps): number {
  if (speed === 10) return ANA.HD10;
  return speed === 100 ? ANA.HD100 : 0;
}

/** The best mode that both ends can, or null. Both ends get the same answer. */
export function resolve(own: Pages, partnerPage: number, partnerGigabit: number): LinkMode | null {
  const page = own.page & partnerPage & BASE_ABILITIES;
  const gigabit = own.gigabit & partnerGigabit & GIGABIT_ABILITIES;
  return PRIORITY.find(row => (row.page & page) !== 0 || (row.gigabit & gigabit) !== 0)?.mode ?? null;
}

/**
 * Who gives the clock on 1000BASE-T, Table 40-5. `fault`: both insist on the same role. `tie`: equal seeds, so that both
 * must draw again.
 */
export function resolveMaster(own: number, partner: number): 'master' | 'slave' | 'fault' | 'tie' {
  const ownRank = masterRank(own);
  const partnerRank = masterRank(partner);
  const manual = own & partner & GCON.MS_MANUAL;
  if (manual !== 0 && ((own ^ partner) & GCON.MS_VALUE) === 0) return 'fault';
  if (ownRank !== partnerRank) return ownRank > partnerRank ? 'master' : 'slave';
  const ownSeed = own >>> SEED_SHIFT;
  const partnerSeed = partner >>> SEED_SHIFT;
  if (ownSeed === partnerSeed) return 'tie';
  return ownSeed > partnerSeed ? 'master' : 'slave';
}

/** How strongly an end wants to be master: manual slave 0, single port 1, multiport 2, manual master 3. */
function masterRank(gigabit: number): number {
  if ((gigabit & GCON.MS_MANUAL) !== 0) return (gigabit & GCON.MS_VALUE) !== 0 ? 3 : 0;
  return (gigabit & GCON.MULTIPORT) !== 0 ? 2 : 1;
}
