/** The parameters of clause 4.4.2, Table 4-2, in bits unless their names say otherwise. */
import type { SpeedMbps } from '../ports.ts';

/** Least silence between two frames of one sender. */
export const INTER_FRAME_GAP_BITS = 96;
/** The part of the gap in which another station's carrier still begins the wait anew: up to two thirds. */
const GAP_PART_1_BITS = 64;
/** slotTime: backoff comes in units of it, and what collides after it collides late. */
export const SLOT_BITS: Readonly<Record<SpeedMbps, number>> = { 10: 512, 100: 512, 1000: 4096 };
/** Attempts to send a frame before it is given up: attemptLimit. */
const ATTEMPT_LIMIT = 16;
/** The collision from which on the range of the backoff no longer doubles: backoffLimit. */
export const BACKOFF_LIMIT = 10;
/** What is sent instead of the rest of a frame that has collided: jamSize. */
export const JAM_BITS = 32;
/** At 1000 Mb/s no frame of a burst starts after so much of it: burstLimit. */
export const BURST_LIMIT_BITS = 65_536;

const MAX_BASIC_FRAME_BITS = 8 * 1518;
const HEADER_BITS = 64;
/** maxDeferTime: whoever waits longer than two longest frames, or bursts, take has met somebody who jabbers. */
export const MAX_DEFER_BITS: Readonly<Record<SpeedMbps, number>> = {
  10: 2 * MAX_BASIC_FRAME_BITS,
  100: 2 * MAX_BASIC_FRAME_BITS,
  1000: 2 * (BURST_LIMIT_BITS + MAX_BASIC_FRAME_BITS + HEADER_BITS),
};

/** How long after a transmission at 10 Mb/s the SQE test pulse is looked for, clause 7.2.4.6. */
export const SQE_TEST_WINDOW_NS = 4000;

/**
 * The gap before a frame, in bits. The device around a MAC may change it at any time; it counts from the next gap on.
 * With the values of the standard a station that waits is fair to others; with a shorter one it pushes in.
 */
export class Spacing {
  /** After an own frame, however it ended. Carrier does not matter then. */
  backToBackBits = INTER_FRAME_GAP_BITS;
  /** After another's: so long carrier begins the wait anew. */
  part1Bits = GAP_PART_1_BITS;
  /** After another's: the whole gap. In the rest of it carrier is ignored, and the frame goes out into a collision. */
  wholeBits = INTER_FRAME_GAP_BITS;
}

/** What a half-duplex MAC does about collisions. The device around it may change it at any time. */
export class CollisionPolicy {
  /** Attempts to send one frame. */
  attemptLimit = ATTEMPT_LIMIT;
  /** Whether a late collision is retried as any other, as clause 4 has it below 1000 Mb/s; else the frame is dropped. */
  retriesLate = true;
  /** Whether the transceiver at 10 Mb/s is one that performs the SQE test, so that a missing one counts as an error. */
  expectsSqeTest = false;
}
