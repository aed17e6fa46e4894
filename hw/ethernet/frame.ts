/**
 * A frame: the octets from DA up to, not including, the FCS, and the FCS that stands on the wire behind them. A frame
 * is immutable from the moment it is made, so that hops, taps and queues share it; damage makes a new one.
 *
 * A FCS that a MAC has generated is right by definition and is computed only when somebody looks at it. This is what
 * keeps a full-size frame cheap: a receiver that strips the FCS never causes it to be computed.
 */
import { readLe32 } from '../../src/lib/bytes.ts';
import { fcs } from './fcs.ts';

/** Octets of the frame check sequence. */
export const FCS_BYTES = 4;
/** Least length from DA to FCS, IEEE 802.3 clause 3.2.8. */
export const MIN_FRAME_BYTES = 64;

/** Line conditions that the octets do not show. */
export interface FrameErrors {
  /** Bits after the last whole octet, 0 to 7. */
  readonly dribbleBits: number;
  /** The PHY raised RX_ER while the frame came in. */
  readonly rxError: boolean;
}

const NO_ERRORS: FrameErrors = { dribbleBits: 0, rxError: false };

export class Frame {
  /** DA to the last octet before the FCS. Not to be written to. */
  readonly octets: Uint8Array;
  readonly errors: FrameErrors;
  #fcs: number | null;
  #fcsGood: boolean | null;

  private constructor(octets: Uint8Array, wireFcs: number | null, errors: FrameErrors) {
    this.octets = octets;
    this.errors = errors;
    this.#fcs = wireFcs;
    this.#fcsGood = wireFcs === null ? true : null;
  }

  /** A frame whose FCS the MAC generates over `octets`, which it takes over. */
  static withFcs(octets: Uint8Array): Frame {
    return new Frame(octets, null, NO_ERRORS);
  }

  /** A frame sent, or received, as `wire`: the last four octets stand where a receiver looks for the FCS. */
  static raw(wire: Uint8Array, errors: FrameErrors = NO_ERRORS): Frame {
    const end = Math.max(0, wire.length - FCS_BYTES);
    return new Frame(wire.subarray(0, end), end === wire.length - FCS_BYTES ? readLe32(wire, end) : 0, errors);
  }

  /** Octets from DA to FCS. */
  get wireBytes(): number {
    return this.octets.length + FCS_BYTES;
  }

  /** The FCS on the wire as the little-endian word of its four octets, int32. */
  get fcs(): number {
    this.#fcs ??= fcs(this.octets, 0, this.octets.length);
    return this.#fcs;
  }

  /** Whether the FCS on the wire is that of the octets. */
  get fcsGood(): boolean {
    this.#fcsGood ??= this.#fcs === fcs(this.octets, 0, this.octets.length);
    return this.#fcsGood;
  }
}
