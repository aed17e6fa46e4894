/**
 * A frame: the octets from DA up to, not including, the FCS, and the FCS that stands on the wire behind them. A frame
 * is immutable from the moment it is made, so that hops, taps and queues share it; damage makes a new one.
 *
 * A FCS that a MAC has generated is right by definition and is computed only when somebody looks at it. This is what
 * keeps a full-size frame cheap: a receiver that strips the FCS never causes it to be computed.
 */
import { readLe32, writeLe32 } from '../../src/lib/bytes.ts';
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

/** A frame as plain data. `bytes` includes the FCS unless it is known to be that of the octets. */
export interface FrameState {
  readonly bytes: Uint8Array;
  readonly fcsGood: boolean;
  readonly errors: FrameErrors;
}

export class Frame {
  /** DA to the last octet before the FCS. Not to be written to. */
  readonly octets: Uint8Array;
  readonly errors: FrameErrors;
  /** Octets from DA to FCS. Fewer than four hold no FCS: `octets` is then all there is. */
  readonly wireBytes: number;
  #fcs: number | null;
  #fcsGood: boolean | null;

  private constructor(octets: Uint8Array, wireBytes: number, wireFcs: number | null, errors: FrameErrors) {
    this.octets = octets;
    this.wireBytes = wireBytes;
    this.errors = errors;
    this.#fcs = wireFcs;
    if (wireFcs === null) this.#fcsGood = true;
    else this.#fcsGood = wireBytes < FCS_BYTES ? false : null;
  }

  /** A frame whose FCS the MAC generates over `octets`, which it takes over. */
  static withFcs(octets: Uint8Array): Frame {
    return new Frame(octets, octets.length + FCS_BYTES, null, NO_ERRORS);
  }

  /** A frame sent, or received, as `wire`: the last four octets stand where a receiver looks for the FCS. */
  static raw(wire: Uint8Array, errors: FrameErrors = NO_ERRORS): Frame {
    const end = wire.length - FCS_BYTES;
    if (end < 0) return new Frame(wire, wire.length, 0, errors);
    return new Frame(wire.subarray(0, end), wire.length, readLe32(wire, end), errors);
  }

  /** As {@link raw}, of octets that are known not to end in their FCS: what jam or a second signal has spoilt. */
  static spoilt(wire: Uint8Array, errors: FrameErrors): Frame {
    const frame = Frame.raw(wire, errors);
    frame.#fcsGood = false;
    return frame;
  }

  static load({ bytes, fcsGood, errors }: FrameState): Frame {
    return fcsGood ? new Frame(bytes, bytes.length + FCS_BYTES, null, errors) : Frame.raw(bytes, errors);
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

  /** The octets and the FCS behind them, as a copy: what the wire carries after the SFD. */
  wire(): Uint8Array {
    const wire = new Uint8Array(this.wireBytes);
    wire.set(this.octets);
    if (this.wireBytes >= FCS_BYTES) writeLe32(wire, this.wireBytes - FCS_BYTES, this.fcs);
    return wire;
  }

  /** Plain data that shares the octets, which never change. */
  save(): FrameState {
    const fcsGood = this.#fcsGood === true;
    return { bytes: fcsGood ? this.octets : this.wire(), fcsGood, errors: this.errors };
  }
}
