/** The parameters of a repeater, clauses 9, 27 and 41, in bits unless their names say otherwise. */
import type { SpeedMbps } from '../ports.ts';

/** From the first bit in to the first bit out: a 10BASE-T product, a class II repeater, and 1000BASE-T. */
export const DELAY_NS: Readonly<Record<SpeedMbps, number>> = { 10: 1450, 100: 460, 1000: 488 };
/** Whatever goes out lasts at least so long, preamble included: fragments are extended to it. */
export const MIN_OUT_BITS = 96;
/** CCLimit: more collisions in a row than these shut a port out. */
export const COLLISION_LIMIT: Readonly<Record<SpeedMbps, number>> = { 10: 30, 100: 60, 1000: 60 };
/** Tw6: so does a single collision of this length, 1000 to 30 000. */
export const LONG_COLLISION_BITS = 24_000;
/** Tw5: activity free of collision that lets a port in again, and makes it forget its collisions. */
export const RECONNECT_BITS = 512;
/** MJLP: the longest that goes out in one piece, 40 000 to 75 000. */
export const JABBER_BITS = 50_000;
/** The pause that follows it at 10 Mb/s, 96 to 116. */
export const JABBER_PAUSE_BITS = 100;
