/**
 * What of the 82540EM the driver makes use of. Each feature can be switched off by itself, and nothing that arrives
 * differs but the time at which it does: where the hardware does not do something, the kernel does.
 */

/** Features by name; each is on unless told otherwise. */
export interface Features {
  /**
   * Checksums of TCP and UDP, 3.2.9 and 3.5: inserted by the hardware into what is sent, for senders that leave that to
   * it, and checked in what is received.
   */
  readonly checksumOffload: boolean;
  /** TCP segmentation, 3.5: the kernel may hand over packets longer than a frame. Needs `checksumOffload`. */
  readonly segmentation: boolean;
  /**
   * Fewer interrupts, 3.2.7 and 13.4.18: those of a stream of frames are kept apart, and a sent frame causes none
   * by itself, but waits for others or for a timer. See `moderation.ts`.
   */
  readonly moderation: boolean;
  /**
   * Group addresses by hash, 13.5.1. Without it all multicast frames are received as soon as the kernel wants those to
   * one address.
   */
  readonly multicastFilter: boolean;
  /** IEEE 802.1Q tags, chapter 9: inserted and taken out by the hardware. Without it they are octets of the frame. */
  readonly vlan: boolean;
}

export const DEFAULT_FEATURES: Features = {
  checksumOffload: true,
  segmentation: true,
  moderation: true,
  multicastFilter: true,
  vlan: true,
};
