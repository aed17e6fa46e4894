/**
 * The physical coding sublayer of 1000BASE-X, clause 36: how frames stand between ordered sets of 8B/10B code groups.
 * Idle is a comma and one more group, /I1/ when that has to turn the disparity negative, /I2/ from then on. /S/ takes
 * the place of the first octet of the preamble; /T/R/, or /T/R/R/ to keep commas on even places, follows the frame.
 *
 * The receiver finds groups by the comma. It is in step when three commas in a row are where they should be, and no
 * longer once bad groups come faster than one in four good ones. A bad group within a frame raises RX_ER, as does a
 * frame that ends without /T/. 1000BASE-T carries the same frames over copper in another code, of five levels on four
 * pairs (clause 40), which Ringtail does not have.
 */
import {
  codeName,
  type Disparity,
  decodeGroup,
  disparityAfter,
  encodeGroup,
  K23_7,
  K27_7,
  K28_5,
  K29_7,
  K30_7,
} from './eight-b-ten-b.ts';

const GROUP_BITS = 10;
/** The second groups of /I1/ and /I2/. */
const D5_6 = 0xc5;
const D16_2 = 0x50;
/** What /S/ stands for. */
const PREAMBLE_OCTET = 0x55;
/** A comma: these seven bits, or the same inverted. */
const COMMA = 0b0011111;
const COMMA_BITS = 7;
/** Commas in a row, one in two groups, that make a receiver sure of its step. */
const SYNC_COMMAS = 3;
/** Bad groups, each not made good by as many good ones, that make it unsure. */
const SYNC_LOST = 4;

const SET_NAMES: Readonly<Record<number, string>> = {
  [K27_7]: '/S/',
  [K29_7]: '/T/',
  [K23_7]: '/R/',
  [K30_7]: '/V/',
};

/** What is sent: the codes, and the ten bits of each. */
export interface GroupStream {
  readonly codes: Uint16Array;
  readonly groups: Uint16Array;
}

/** What a PCS hands to the GMII. */
export interface ReceivedOctets {
  /** RXD while RX_DV is high, from the preamble on. Empty when no frame began. */
  readonly octets: Uint8Array;
  /** RX_ER was high at some time in the frame. */
  readonly rxError: boolean;
}

/** `/S/`, `/T/`, `/R/`, `/V/`, or the name of the code. */
export function orderedSetName(code: number): string {
  return SET_NAMES[code] ?? codeName(code);
}

/** The groups of a frame, preamble first, between `leadSets` and `tailSets` of idle. */
export function encodeFrame(octets: Uint8Array, leadSets: number, tailSets: number, disparity: Disparity): GroupStream {
  const endGroups = octets.length % 2 === 0 ? 2 : 3;
  const frameAt = 2 * leadSets;
  const endAt = frameAt + octets.length;
  const codes = new Uint16Array(endAt + endGroups + 2 * tailSets);
  const groups = new Uint16Array(codes.length);
  codes.set(octets, frameAt);
  codes[frameAt] = K27_7;
  codes[endAt] = K29_7;
  codes.fill(K23_7, endAt + 1, endAt + endGroups);
  let running = disparity;
  for (let i = 0; i < codes.length; i++) {
    const idle = i < frameAt || i >= endAt + endGroups;
    if (idle && i % 2 === 0) codes[i] = K28_5;
    else if (idle) codes[i] = running > 0 ? D16_2 : D5_6;
    groups[i] = encodeGroup(codes[i]!, running);
    running = disparityAfter(groups[i]!, running);
  }
  return { codes, groups };
}

/** The first frame among the groups of `bits`, of which each element is one, 1 or 0. */
export function decodeFrame(bits: Uint8Array): ReceivedOctets {
  for (let at = 0; at + SYNC_COMMAS * 2 * GROUP_BITS <= bits.length; at++) {
    if (!isComma(bits, at)) continue;
    const inStep = isComma(bits, at + 2 * GROUP_BITS) && isComma(bits, at + 4 * GROUP_BITS);
    if (inStep) return new Receiver(bits, at).receive();
  }
  return { octets: new Uint8Array(0), rxError: false };
}

class Receiver {
  readonly #bits: Uint8Array;
  #at: number;
  #disparity: Disparity;
  #badGroups = 0;
  #goodGroups = 0;

  /** In step, with a comma at `at`. It tells the disparity: the form with five ones stands behind a surplus of zeros. */
  constructor(bits: Uint8Array, at: number) {
    this.#bits = bits;
    this.#at = at;
    this.#disparity = sevenBits(bits, at) === COMMA ? -1 : 1;
  }

  receive(): ReceivedOctets {
    const octets = new Uint8Array(Math.floor((this.#bits.length - this.#at) / GROUP_BITS));
    let count = 0;
    let rxError = false;
    while (this.#more) {
      const code = this.#next();
      if (count === 0) {
        if (code === K27_7) octets[count++] = PREAMBLE_OCTET;
      } else if (code === K29_7) {
        return { octets: octets.subarray(0, count), rxError };
      } else if (code === K28_5) {
        break;
      } else {
        const good = code >= 0 && code <= 0xff;
        if (!good) rxError = true;
        octets[count++] = good ? code : 0;
      }
    }
    return { octets: octets.subarray(0, count), rxError: count > 0 };
  }

  /** Whether there is another group, and the receiver still in step. */
  get #more(): boolean {
    return this.#at + GROUP_BITS <= this.#bits.length && this.#badGroups < SYNC_LOST;
  }

  /** The code of the next group, -1 for a bad one. */
  #next(): number {
    let group = 0;
    for (let i = 0; i < GROUP_BITS; i++) group = (group << 1) | this.#bits[this.#at++]!;
    const code = decodeGroup(group, this.#disparity);
    this.#disparity = disparityAfter(group, this.#disparity);
    if (code < 0) {
      this.#badGroups += 1;
      this.#goodGroups = 0;
    } else if (this.#badGroups > 0 && ++this.#goodGroups === SYNC_LOST) {
      this.#badGroups -= 1;
      this.#goodGroups = 0;
    }
    return code;
  }
}

function isComma(bits: Uint8Array, at: number): boolean {
  const seven = sevenBits(bits, at);
  return seven === COMMA || seven === (~COMMA & ((1 << COMMA_BITS) - 1));
}

function sevenBits(bits: Uint8Array, at: number): number {
  let seven = 0;
  for (let i = 0; i < COMMA_BITS; i++) seven = (seven << 1) | bits[at + i]!;
  return seven;
}
