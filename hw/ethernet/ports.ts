/**
 * How MAC, PHY and medium speak to each other. A frame on the wire is an interval, not an event per bit: a
 * {@link Transmission} says when its first bit leaves, how long each bit takes, and when and how it ended. Carrier,
 * collision and delivery follow from interval arithmetic. Intervals are half open: a signal that begins in the nanosecond
 * in which another one ends does not overlap it.
 *
 * Directions: the MAC calls {@link Phy}, the PHY calls {@link MediumPort}; the medium calls {@link MediumListener} at
 * the far PHY after the propagation delay, and that PHY calls {@link PhyListener}, its MAC.
 */
import type { Prng } from '../sim/prng.ts';
import type { Frame } from './frame.ts';

export type SpeedMbps = 10 | 100 | 1000;

/** Nanoseconds per bit at each speed. */
export const BIT_NS: Readonly<Record<SpeedMbps, number>> = { 10: 100, 100: 10, 1000: 1 };

/** Preamble and SFD in bits: what stands on the wire before DA. */
export const HEADER_BITS = 64;

/** One attempt to send a frame: an interval on the wire, in the time of the sender's end of it. */
export interface Transmission {
  /** A repeater that finds the frame damaged puts the damaged one here, before the end. Nobody else writes it. */
  frame: Frame;
  readonly bitNs: number;
  /** When the first bit leaves. In full duplex this may lie ahead, when an inter-frame gap is to pass. */
  readonly startNs: number;
  /** Bits in front of DA: preamble and SFD, and in a burst the extension that joins the frame to the one before. */
  readonly headBits: number;
  /** When the last bit leaves, extension included. Moves if the sender gives up; Infinity while a repeater repeats. */
  endNs: number;
  /** True once the sender has cut the frame short. */
  aborted: boolean;
  /** From when on jam stands in place of the frame; Infinity if it never does. */
  jamNs: number;
}

/**
 * What an end of a link sends while it sends no frame. A partner learns from it what it is connected to.
 * `flp` carries a base page of clause 28 and, for 1000BASE-T, the bits that next pages bring.
 */
export type LinkSignal =
  | { readonly kind: 'flp'; readonly page: number; readonly gigabit: number }
  | { readonly kind: 'idle'; readonly speed: SpeedMbps };

/** One end of a medium, as a PHY sees it. */
export interface MediumPort {
  /** Puts a transmission on the medium, no later than its `startNs`. Its `endNs` is known, barring an abort. */
  transmit(transmission: Transmission): void;
  /** The end of the transmission has moved to what `endNs`, `aborted` and `jamNs` now say, which is not in the past. */
  abort(transmission: Transmission): void;
  /** Changes what this end sends while idle; null is silence. */
  signal(signal: LinkSignal | null): void;
}

/** What a medium tells the PHY at one of its ends. */
export interface MediumListener {
  /** `port` is now in this PHY's socket; null once it has been pulled out. */
  plugged(port: MediumPort | null): void;
  /** The last bit of `transmission` has arrived; its first one did at `startNs`. `frame` is it as it came out here. */
  arrived(frame: Frame, transmission: Transmission, startNs: number): void;
  /** The far end's idle signal has changed; null is silence, which is also what a cut cable carries. */
  linkSignal(signal: LinkSignal | null): void;
  /**
   * Who at this end listens for carrier: whoever shares the medium. Null or absent in full duplex, where nobody does;
   * the medium then spares the event. Looked at when a transmission is put on the medium, and when it ends here.
   */
  readonly carrier?: CarrierListener | null;
  /** Which pair it sends on; absent where that always fits. */
  readonly crossover?: Crossover;
}

/** The crossover of a PHY for twisted pair. */
export interface Crossover {
  /** It sends on the pair of MDI-X. */
  readonly crossed: boolean;
  /** It may choose by itself. */
  readonly automatic: boolean;
  /** A sample_timer has passed and nothing was heard: an automatic one chooses. */
  sample(): void;
}

/** Half duplex: what the others' signals do here. Own transmissions do not count. */
export interface CarrierListener {
  /** Silence ends: the first bit of `transmission` is here. */
  carrierOn(transmission: Transmission): void;
  /** A second signal has come on top of the first. Only a repeater wants to know; a MAC waits for the end of both. */
  noise?(): void;
  /**
   * The last signal has ended, and what arrived has been delivered. `transmission` is the one that broke the silence,
   * as it ended; null when the plug was pulled. May come without a `carrierOn`.
   */
  carrierOff(transmission: Transmission | null): void;
}

/** What a MAC asks of its PHY. */
export interface Phy {
  readonly link: PhyLink;
  /** The MAC above. It puts itself here; null drops what arrives. */
  listener: PhyListener | null;
  /** The seed of this port. The MAC takes a fork of it for its backoff. */
  readonly prng: Prng;
  transmit(transmission: Transmission): void;
  /** As {@link MediumPort.abort}. */
  abort(transmission: Transmission): void;
}

/** The state of a link after negotiation. */
export interface PhyLink {
  readonly up: boolean;
  readonly speed: SpeedMbps;
  readonly fullDuplex: boolean;
}

/** What a PHY tells its MAC. */
export interface PhyListener extends CarrierListener {
  /** Whether the MAC listens for carrier. */
  readonly halfDuplex: boolean;
  /** The collision wire rises although nobody else sends: the transceiver has cut the MAC off. */
  collision(): void;
  /** The SQE test pulse after a transmission at 10 Mb/s: the collision circuit works. No collision. */
  signalQuality(): void;
  received(frame: Frame, startNs: number, bitNs: number): void;
  /** The link came up, went down, or changed its speed or duplex. */
  linkChanged(): void;
}
