/**
 * The 8B/10B code of clause 36.2.4: an octet, or one of twelve control codes, becomes ten bits `abcdei fghj`. Where a
 * group has more ones than zeros or the reverse, it exists in two forms, and the running disparity chooses: after a
 * surplus of ones comes one of zeros. So the line carries no direct current, and never more than five equal bits in a
 * row. The pattern of two and five equal bits (a comma) occurs in K28.1, K28.5 and K28.7 alone: there groups begin.
 *
 * A code is a number: 0 to 255 for data, 256 more for control. The bit `a`, first on the line, is bit 9 of a group.
 */

/** A surplus of zeros, -1, or of ones, 1, in all that was sent so far. */
export type Disparity = -1 | 1;

const CONTROL_CODE = 0x100;
export const K28_5 = CONTROL_CODE | 0xbc;
export const K23_7 = CONTROL_CODE | 0xf7;
export const K27_7 = CONTROL_CODE | 0xfb;
export const K29_7 = CONTROL_CODE | 0xfd;
export const K30_7 = CONTROL_CODE | 0xfe;
const CODES = 512;
const CONTROL_CODES = [0x1c, 0x3c, 0x5c, 0x7c, 0x9c, K28_5, 0xdc, 0xfc, K23_7, K27_7, K29_7, K30_7];
const K28 = 28;

/** `abcdei` for D0 to D31 and, behind them, K28: the form for a surplus of zeros. */
const SIX = [
  0b100111, 0b011101, 0b101101, 0b110001, 0b110101, 0b101001, 0b011001, 0b111000, 0b111001, 0b100101, 0b010101,
  0b110100, 0b001101, 0b101100, 0b011100, 0b010111, 0b011011, 0b100011, 0b010011, 0b110010, 0b001011, 0b101010,
  0b011010, 0b111010, 0b110011, 0b100110, 0b010110, 0b110110, 0b001110, 0b101110, 0b011110, 0b101011, 0b001111,
];
const D7 = 0b111000;
/** `fghj` for .0 to .7 of data: the form for a surplus of zeros. */
const FOUR = [0b1011, 0b1001, 0b0101, 0b1100, 0b1101, 0b1010, 0b0110, 0b1110];
/** The same for control codes. */
const FOUR_CONTROL = [0b1011, 0b0110, 0b1010, 0b1100, 0b1101, 0b0101, 0b1001, 0b0111];
const D_3 = 0b1100;
/** The other form of data .7, which keeps runs short behind these `x` of Dx.7. */
const ALTERNATE_7 = 0b0111;
const ALTERNATE_NEGATIVE = [17, 18, 20];
const ALTERNATE_POSITIVE = [11, 13, 14];

/** Groups by code, for disparity -1 and, from `CODES` on, for 1. -1 where there is no such control code. */
const GROUP_OF_CODE = new Int16Array(2 * CODES).fill(-1);
/** Codes by group, likewise. -1 for groups that may not come at that disparity. */
const CODE_OF_GROUP = new Int16Array(2 * 1024).fill(-1);
for (let code = 0; code < CODES; code++) {
  if (code >= CONTROL_CODE && !CONTROL_CODES.some(control => (control | CONTROL_CODE) === code)) continue;
  for (const disparity of [-1, 1] as const) {
    const group = construct(code, disparity);
    GROUP_OF_CODE[side(disparity) * CODES + code] = group;
    CODE_OF_GROUP[side(disparity) * 1024 + group] = code;
  }
}

/** The ten bits of `code` at the running disparity `disparity`. */
export function encodeGroup(code: number, disparity: Disparity): number {
  return GROUP_OF_CODE[side(disparity) * CODES + code]!;
}

/** The code of `group`, or -1 when the code has no such group at `disparity`. */
export function decodeGroup(group: number, disparity: Disparity): number {
  return CODE_OF_GROUP[side(disparity) * 1024 + group]!;
}

/** The running disparity behind `group`, valid or not, by the rule of 36.2.4.4. */
export function disparityAfter(group: number, disparity: Disparity): Disparity {
  const six = group >>> 4;
  const four = group & 15;
  return afterBlock(four, 4, 0b0011, afterBlock(six, 6, 0b000111, disparity));
}

/** `D21.5`, `K28.5`. */
export function codeName(code: number): string {
  return `${code >= CONTROL_CODE ? 'K' : 'D'}${code & 31}.${(code >>> 5) & 7}`;
}

function construct(code: number, disparity: Disparity): number {
  const control = code >= CONTROL_CODE;
  const x = code & 31;
  const y = (code >>> 5) & 7;
  const six = blockFor(SIX[control && x === K28 ? 32 : x]!, 6, D7, disparity);
  const between = afterBlock(six, 6, 0b000111, disparity);
  if (control) return (six << 4) | (between < 0 ? FOUR_CONTROL[y]! : ~FOUR_CONTROL[y]! & 15);
  const alternates = between < 0 ? ALTERNATE_NEGATIVE : ALTERNATE_POSITIVE;
  const four = y === 7 && alternates.includes(x) ? ALTERNATE_7 : FOUR[y]!;
  return (six << 4) | blockFor(four, 4, D_3, between);
}

/** A block in its form for `disparity`: inverted for 1 if it is unbalanced, or is one of the two that shorten runs. */
function blockFor(block: number, bits: number, alternating: number, disparity: Disparity): number {
  const inverts = 2 * ones(block) !== bits || block === alternating;
  return disparity > 0 && inverts ? ~block & ((1 << bits) - 1) : block;
}

/** `zerosFirst` is the balanced block that leaves a surplus of ones; its inverse leaves one of zeros. */
function afterBlock(block: number, bits: number, zerosFirst: number, disparity: Disparity): Disparity {
  const surplus = 2 * ones(block) - bits;
  if (surplus > 0 || block === zerosFirst) return 1;
  if (surplus < 0 || block === (~zerosFirst & ((1 << bits) - 1))) return -1;
  return disparity;
}

function side(disparity: Disparity): 0 | 1 {
  return disparity < 0 ? 0 : 1;
}

function ones(block: number): number {
  let count = 0;
  for (let rest = block; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
