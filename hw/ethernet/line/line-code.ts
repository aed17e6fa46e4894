/**
 * Line codes: what a frame is on the medium, symbol by symbol, and what a receiver makes of symbols, however they look.
 * Each speed has one: Manchester for 10BASE-T; 4B/5B, scrambled, in MLT-3 for 100BASE-TX; 8B/10B as of 1000BASE-X for
 * gigabit. The code of 1000BASE-T (PAM-5, clause 40) is not modelled: a signal-accurate gigabit wire is a fibre's.
 *
 * A decoder never throws. What it cannot make sense of becomes RX_ER, bits too many, a shorter frame, or no frame.
 */
import { Frame } from '../frame.ts';
import type { SpeedMbps } from '../ports.ts';
import { bitsOfGroups, decodeStream, encodeStream } from './four-b-five-b.ts';
import { decodeFrame, encodeFrame, type GroupStream } from './gigabit-pcs.ts';
import { decodeManchester, encodeManchester } from './manchester.ts';
import { octetsOf, unitsOf } from './mii.ts';
import { decodeMlt3, encodeMlt3 } from './mlt3.ts';
import { Descrambler, scramble } from './scrambler.ts';

/** Idle that is sent before a frame, for receivers to get into step: the inter-frame gap, 96 bits. And behind it. */
const LEAD_NIBBLES = 24;
const TAIL_NIBBLES = 4;
const LEAD_SETS = 6;
const TAIL_SETS = 2;

/** What a receiver made of the symbols of a frame. */
export interface Received {
  /** DA to the last whole octet, as it came in. */
  readonly octets: Uint8Array;
  /** Bits behind it, 0 to 7. */
  readonly dribbleBits: number;
  /** The PHY raised RX_ER. */
  readonly rxError: boolean;
}

export interface LineCode {
  readonly name: '10BASE-T' | '100BASE-TX' | '1000BASE-X';
  readonly speed: SpeedMbps;
  /** Different levels of a symbol: -1 and 1, and 0 if there are three. */
  readonly levels: 2 | 3;
  /** Symbols that carry a unit of the MII or GMII. */
  readonly symbolsPerUnit: number;
  /** Symbols of idle before the first bit of the preamble. */
  readonly leadSymbols: number;
  /** The line levels of a frame, preamble first, between some idle. `octets` and `frameBits` are those of `unitsOf`. */
  encode(octets: Uint8Array, frameBits?: number): Int8Array;
  /** What arrives as `symbols`, each taken by its sign. Null when the MAC sees no frame: no carrier, or no SFD. */
  decode(symbols: Int8Array): Received | null;
}

export const MANCHESTER: LineCode = {
  name: '10BASE-T',
  speed: 10,
  levels: 2,
  symbolsPerUnit: 8,
  leadSymbols: 0,
  encode: (octets, frameBits) => encodeManchester(unitsOf(octets, 1, frameBits)),
  decode(symbols) {
    const frame = octetsOf(decodeManchester(symbols), 1);
    return frame === null ? null : { ...frame, rxError: false };
  },
};

export const MLT3: LineCode = {
  name: '100BASE-TX',
  speed: 100,
  levels: 3,
  symbolsPerUnit: 5,
  leadSymbols: 5 * LEAD_NIBBLES,
  /** The key begins anew with each frame: a receiver finds it in the idle before, wherever it stands. */
  encode(octets, frameBits) {
    const bits = bitsOfGroups(streamOf(octets, frameBits));
    scramble(bits);
    return encodeMlt3(bits);
  },
  decode(symbols) {
    const bits = decodeMlt3(symbols);
    new Descrambler().descramble(bits);
    const { nibbles, rxError } = decodeStream(bits);
    const frame = octetsOf(nibbles, 4);
    return frame === null ? null : { ...frame, rxError };
  },
};

export const EIGHT_B_TEN_B: LineCode = {
  name: '1000BASE-X',
  speed: 1000,
  levels: 2,
  symbolsPerUnit: 10,
  leadSymbols: 20 * LEAD_SETS,
  encode(octets, frameBits) {
    const { groups } = gigabitGroups(octets, frameBits);
    const symbols = new Int8Array(10 * groups.length);
    let n = 0;
    for (const group of groups) {
      for (let shift = 9; shift >= 0; shift--) symbols[n++] = 2 * ((group >>> shift) & 1) - 1;
    }
    return symbols;
  },
  decode(symbols) {
    const bits = new Uint8Array(symbols.length);
    for (let i = 0; i < bits.length; i++) bits[i] = symbols[i]! > 0 ? 1 : 0;
    const { octets, rxError } = decodeFrame(bits);
    const frame = octetsOf(octets, 8);
    return frame === null ? null : { ...frame, rxError };
  },
};

const CODES: Readonly<Record<SpeedMbps, LineCode>> = { 10: MANCHESTER, 100: MLT3, 1000: EIGHT_B_TEN_B };

/** The code groups of a frame on 100BASE-TX, before the scrambler: as the symbols have them, idle included. */
export function streamOf(octets: Uint8Array, frameBits?: number): Uint8Array {
  return encodeStream(unitsOf(octets, 4, frameBits), LEAD_NIBBLES, TAIL_NIBBLES);
}

/** The codes and code groups of a frame on 1000BASE-X: as the symbols have them, idle included. */
export function gigabitGroups(octets: Uint8Array, frameBits?: number): GroupStream {
  return encodeFrame(unitsOf(octets, 8, frameBits), LEAD_SETS, TAIL_SETS, -1);
}

/** The code of a wire at `speed`. */
export function lineCodeOf(speed: SpeedMbps): LineCode {
  return CODES[speed];
}

/**
 * `frame` as it comes out of a wire at `speed` on which `disturb` had its way with the symbols: `frame` itself if it is
 * what the receiver makes of them, null if that is nothing. Errors it had before it came here stay with it.
 */
export function throughTheLine(
  frame: Frame,
  speed: SpeedMbps,
  disturb: (symbols: Int8Array, code: LineCode) => void,
): Frame | null {
  const code = CODES[speed];
  const sent = frame.wire();
  const symbols = code.encode(sent);
  disturb(symbols, code);
  const received = code.decode(symbols);
  if (received === null) return null;
  const { octets, dribbleBits, rxError } = received;
  if (!rxError && dribbleBits === 0 && equal(octets, sent)) return frame;
  const { errors } = frame;
  return Frame.raw(octets, {
    dribbleBits: dribbleBits === 0 && octets.length === sent.length ? errors.dribbleBits : dribbleBits,
    rxError: rxError || errors.rxError,
  });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
