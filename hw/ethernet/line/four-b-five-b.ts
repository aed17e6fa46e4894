/**
 * The 4B/5B code of 100BASE-X, clause 24: each nibble of the MII becomes a code group of five bits, the leftmost first.
 * Between frames stands /I/, all ones. The start-of-stream delimiter /J/K/ takes the place of the first two nibbles of
 * the preamble; the end-of-stream delimiter /T/R/ follows the last nibble.
 *
 * The decoder finds groups by /J/K/. Carrier that begins otherwise is false carrier, and lasts until ten ones in a row.
 * Within a stream a group that codes no nibble raises RX_ER, as does a stream that falls into idle without /T/R/.
 */

/** Bits of a code group. */
const GROUP_BITS = 5;

/** The groups for nibbles 0 to F. */
const DATA = [
  0b11110, 0b01001, 0b10100, 0b10101, 0b01010, 0b01011, 0b01110, 0b01111, 0b10010, 0b10011, 0b10110, 0b10111, 0b11010,
  0b11011, 0b11100, 0b11101,
] as const;
/** The groups that are no nibble: idle, the delimiters, and /H/, which a repeater sends in place of what it misheard. */
export const CONTROL = { I: 0b11111, J: 0b11000, K: 0b10001, T: 0b01101, R: 0b00111, H: 0b00100 } as const;

/** The delimiter as the ten bits that a receiver looks for. */
const JK = (CONTROL.J << GROUP_BITS) | CONTROL.K;
const TR = (CONTROL.T << GROUP_BITS) | CONTROL.R;
const II = (CONTROL.I << GROUP_BITS) | CONTROL.I;
/** What /J/ and /K/ stand for. */
const PREAMBLE_NIBBLE = 0x5;
/** Two zeros, not next to each other, in so many bits are carrier; so many ones are its end. */
const CARRIER_BITS = 10;

const NIBBLE_OF_GROUP = new Int8Array(32).fill(-1);
DATA.forEach((group, nibble) => {
  NIBBLE_OF_GROUP[group] = nibble;
});
const NAME_OF_GROUP: readonly string[] = nameGroups();

/** What a PCS hands to the MII. */
export interface ReceivedStream {
  /** RXD while RX_DV is high, from the preamble on. Empty when no stream began. */
  readonly nibbles: Uint8Array;
  /** RX_ER was high at some time in the stream. */
  readonly rxError: boolean;
  /** Carrier without a delimiter, before the stream: RX_ER without RX_DV, RXD 1110. */
  readonly falseCarriers: number;
}

/** `/J/`, or the nibble in hexadecimal, or `/V/` for a group that the code does not have. */
export function groupName(group: number): string {
  return NAME_OF_GROUP[group]!;
}

/** The groups of a frame, from `leadGroups` of idle over the two delimiters to `tailGroups` of idle. */
export function encodeStream(nibbles: Uint8Array, leadGroups: number, tailGroups: number): Uint8Array {
  const groups = new Uint8Array(leadGroups + nibbles.length + 2 + tailGroups).fill(CONTROL.I);
  groups[leadGroups] = CONTROL.J;
  groups[leadGroups + 1] = CONTROL.K;
  for (let i = 2; i < nibbles.length; i++) groups[leadGroups + i] = DATA[nibbles[i]! & 15]!;
  groups[leadGroups + nibbles.length] = CONTROL.T;
  groups[leadGroups + nibbles.length + 1] = CONTROL.R;
  return groups;
}

/** The bits of `groups`, one to an element. */
export function bitsOfGroups(groups: Uint8Array): Uint8Array {
  const bits = new Uint8Array(GROUP_BITS * groups.length);
  let n = 0;
  for (const group of groups) {
    for (let shift = GROUP_BITS - 1; shift >= 0; shift--) bits[n++] = (group >>> shift) & 1;
  }
  return bits;
}

/** The first stream among `bits`, which begin in idle. */
export function decodeStream(bits: Uint8Array): ReceivedStream {
  let falseCarriers = 0;
  let at = 0;
  while (at < bits.length) {
    if (bits[at] === 1) at += 1;
    else if (groupPair(bits, at - 2) === JK) return readStream(bits, at + 8, falseCarriers);
    else if (isCarrier(bits, at)) {
      falseCarriers += 1;
      at = endOfCarrier(bits, at);
    } else at += 1;
  }
  return { nibbles: new Uint8Array(0), rxError: falseCarriers > 0, falseCarriers };
}

function readStream(bits: Uint8Array, from: number, falseCarriers: number): ReceivedStream {
  const nibbles = new Uint8Array(2 + Math.ceil((bits.length - from) / GROUP_BITS));
  nibbles.fill(PREAMBLE_NIBBLE, 0, 2);
  let count = 2;
  let rxError = false;
  for (let at = from; at + GROUP_BITS <= bits.length; at += GROUP_BITS) {
    const pair = groupPair(bits, at);
    if (pair === TR || pair === II) {
      return { nibbles: nibbles.subarray(0, count), rxError: rxError || pair === II, falseCarriers };
    }
    const nibble = NIBBLE_OF_GROUP[pair >>> GROUP_BITS]!;
    if (nibble < 0) rxError = true;
    nibbles[count++] = Math.max(nibble, 0);
  }
  return { nibbles: nibbles.subarray(0, count), rxError: true, falseCarriers };
}

/** The ten bits from `at` as a number. Where there are none, they are zeros. */
function groupPair(bits: Uint8Array, at: number): number {
  let pair = 0;
  for (let i = 0; i < 2 * GROUP_BITS; i++) pair = (pair << 1) | ((bits[at + i] ?? 0) & 1);
  return pair;
}

/** Whether the zero at `at` has another one near it that is not its neighbour: noise that an MLT-3 receiver sees has not. */
function isCarrier(bits: Uint8Array, at: number): boolean {
  for (let i = 2; i < CARRIER_BITS; i++) if (bits[at + i] === 0) return true;
  return false;
}

function endOfCarrier(bits: Uint8Array, from: number): number {
  let ones = 0;
  let at = from;
  for (; at < bits.length && ones < CARRIER_BITS; at++) ones = bits[at] === 1 ? ones + 1 : 0;
  return at;
}

function nameGroups(): string[] {
  const names = new Array<string>(32).fill('/V/');
  for (const [name, group] of Object.entries(CONTROL)) names[group] = `/${name}/`;
  DATA.forEach((group, nibble) => {
    names[group] = nibble.toString(16).toUpperCase();
  });
  return names;
}
