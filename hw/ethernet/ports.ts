/**
 * How MAC, PHY and medium speak to each other. A frame on the wire is an interval, not an event per bit: a
 * {@link Transmission} says when its first bit leaves, how long each bit takes, and when and how it ended. Carrier,
 * collision and delivery follow from interval arithmetic.
 *
 * Directions: the MAC calls {@link Phy}, the PHY calls {@link MediumPort}; the medium calls {@link MediumListener} at
 * the far PHY after the propagation delay, and that PHY calls {@link PhyListener}, its MAC.
 */
import type { Frame } from './frame.ts';

export type SpeedMbps = 10 | 100 | 1000;

/** Nanoseconds per bit at each speed. */
export const BIT_NS: Readonly<Record<SpeedMbps, number>> = { 10: 100, 100: 10, 1000: 1 };

/** Preamble and SFD in bits: what stands on the wire before DA. */
export const HEADER_BITS = 64;

/** One attempt to send a frame: an interval on the wire, in the time of the sender's end of it. */
export interface Transmission {
  readonly frame: Frame;
  readonly bitNs: number;
  /** When the first preamble bit leaves. In full duplex this may lie ahead, when an inter-frame gap is to pass. */
  readonly startNs: number;
  /** When the last bit leaves. Moves to an earlier time if the sender gives up. */
  endNs: number;
  /** True once the sender has cut the frame short; what is on the wire then ends in jam. */
  aborted: boolean;
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
  /** The transmission was cut short: its `endNs` is now final. */
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
}

/** What a MAC asks of its PHY. */
export interface Phy {
  readonly link: PhyLink;
  /** The MAC above. It puts itself here; null drops what arrives. */
  listener: PhyListener | null;
  transmit(transmission: Transmission): void;
  abort(transmission: Transmission): void;
}

/** The state of a link after negotiation. */
export interface PhyLink {
  readonly up: boolean;
  readonly speed: SpeedMbps;
  readonly fullDuplex: boolean;
}

/** What a PHY tells its MAC. */
export interface PhyListener {
  received(frame: Frame, startNs: number, bitNs: number): void;
  /** The link came up, went down, or changed its speed or duplex. */
  linkChanged(): void;
}
