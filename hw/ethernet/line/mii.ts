/**
 * The interface between MAC and PHY, clauses 22 (MII) and 35 (GMII): what it carries, and when. In each clock period one
 * unit crosses: a nibble on MII at 10 and 100 Mb/s, an octet on GMII, a single bit on the serial interface of older
 * 10 Mb/s PHYs. The first bit of a frame is the least significant one of its first unit, whatever the width.
 *
 * Ringtail's PHYs take no time of their own: a unit stands on the interface while its symbols are on the line.
 */
import { BIT_NS, HEADER_BITS, type SpeedMbps } from '../ports.ts';

/** Bits of a unit. */
export type UnitBits = 1 | 4 | 8;

export interface MiiFormat {
  readonly name: 'MII' | 'GMII';
  readonly bits: 4 | 8;
  /** Period of TX_CLK and RX_CLK. */
  readonly periodNs: number;
}

/** A frame as a MAC takes it off the interface. */
export interface MiiFrame {
  /** DA to the last whole octet. */
  readonly octets: Uint8Array;
  /** Bits behind it, 0 to 7. */
  readonly dribbleBits: number;
}

/** A stretch of time: from its beginning up to, not including, its end. */
export interface Interval {
  readonly fromNs: number;
  readonly toNs: number;
}

const PREAMBLE = 0x55;
const SFD = 0xd5;
/** Preamble and SFD. */
export const HEADER_OCTETS = HEADER_BITS / 8;

/** CRS follows the medium, and TX_EN in half duplex, with no regard to the clock: after so many bit times. */
const CRS_DELAY_BITS = 1.2;
/** COL is held for a nibble after the two signals no longer meet. */
const COL_HOLD_BITS = 4;

/** The interface of a PHY at `speed`. */
export function miiOf(speed: SpeedMbps): MiiFormat {
  const bits = speed === 1000 ? 8 : 4;
  return { name: speed === 1000 ? 'GMII' : 'MII', bits, periodNs: bits * BIT_NS[speed] };
}

/**
 * Preamble, SFD and `octets`, which are DA to FCS, as units of `bits` bits. Of the octets only the first `frameBits`
 * bits are sent, in whole units; if that is negative, so many bits of the SFD and preamble are missing, too.
 */
export function unitsOf(octets: Uint8Array, bits: UnitBits, frameBits = 8 * octets.length): Uint8Array {
  const mask = (1 << bits) - 1;
  const units = new Uint8Array(Math.max(0, Math.floor((HEADER_BITS + frameBits) / bits)));
  let n = 0;
  for (let i = -HEADER_OCTETS; n < units.length; i++) {
    const octet = i >= 0 ? octets[i]! : i === -1 ? SFD : PREAMBLE;
    for (let shift = 0; shift < 8 && n < units.length; shift += bits) units[n++] = (octet >>> shift) & mask;
  }
  return units;
}

/** What follows the first SFD among `units`, of `bits` bits each. Null without an SFD: the MAC sees no frame. */
export function octetsOf(units: Uint8Array, bits: UnitBits): MiiFrame | null {
  let window = 0;
  let at = 0;
  while (at < units.length && window !== SFD) window = (window >>> bits) | (units[at++]! << (8 - bits));
  if (window !== SFD) return null;
  const perOctet = 8 / bits;
  const octets = new Uint8Array(Math.floor((units.length - at) / perOctet));
  for (let i = 0; i < octets.length; i++) {
    for (let shift = 0; shift < 8; shift += bits) octets[i]! |= units[at++]! << shift;
  }
  return { octets, dribbleBits: (units.length - at) * bits };
}

/** When CRS is high: in half duplex while this end sends or hears something, in full duplex while it hears. */
export function carrierSense(
  sent: readonly Interval[],
  heard: readonly Interval[],
  fullDuplex: boolean,
  bitNs: number,
): Interval[] {
  const delayNs = Math.round(CRS_DELAY_BITS * bitNs);
  const active = fullDuplex ? heard : [...sent, ...heard];
  return merged(active.map(({ fromNs, toNs }) => ({ fromNs: fromNs + delayNs, toNs: toNs + delayNs })));
}

/** When COL is high: while this end both sends and hears, which means nothing in full duplex. */
export function collision(
  sent: readonly Interval[],
  heard: readonly Interval[],
  fullDuplex: boolean,
  bitNs: number,
): Interval[] {
  if (fullDuplex) return [];
  const meetings = sent.flatMap(own =>
    heard.map(other => ({ fromNs: Math.max(own.fromNs, other.fromNs), toNs: Math.min(own.toNs, other.toNs) })),
  );
  const real = meetings.filter(({ fromNs, toNs }) => fromNs < toNs);
  return merged(real.map(({ fromNs, toNs }) => ({ fromNs, toNs: toNs + COL_HOLD_BITS * bitNs })));
}

/** The union of `intervals`, in order, none touching the next. */
function merged(intervals: Interval[]): Interval[] {
  const union: Interval[] = [];
  for (const next of intervals.sort((a, b) => a.fromNs - b.fromNs)) {
    const last = union.at(-1);
    if (last === undefined || next.fromNs > last.toNs) union.push(next);
    else union[union.length - 1] = { fromNs: last.fromNs, toNs: Math.max(last.toNs, next.toNs) };
  }
  return union;
}
