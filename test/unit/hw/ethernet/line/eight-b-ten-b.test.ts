import { describe, expect, test } from 'vitest';
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
} from '../../../../../hw/ethernet/line/eight-b-ten-b.ts';

const DATA = Array.from({ length: 256 }, (_, octet) => octet);
const CONTROL = [0x1c, 0x3c, 0x5c, 0x7c, 0x9c, 0xbc, 0xdc, 0xfc, 0xf7, 0xfb, 0xfd, 0xfe].map(octet => 0x100 | octet);
const CODES = [...DATA, ...CONTROL];
const DISPARITIES: readonly Disparity[] = [-1, 1];
const text = (group: number) => group.toString(2).padStart(10, '0');
const surplus = (bits: string) => [...bits].reduce((sum, bit) => sum + (bit === '1' ? 1 : -1), 0);
const d = (x: number, y: number) => (y << 5) | x;

/** From Tables 36-1 and 36-2: code, its form at negative and at positive running disparity. */
const KNOWN: readonly (readonly [name: string, code: number, negative: string, positive: string])[] = [
  ['D0.0', d(0, 0), '100111 0100', '011000 1011'],
  ['D1.0', d(1, 0), '011101 0100', '100010 1011'],
  ['D3.3', d(3, 3), '110001 1100', '110001 0011'],
  ['D5.6', d(5, 6), '101001 0110', '101001 0110'],
  ['D7.1', d(7, 1), '111000 1001', '000111 1001'],
  ['D11.7', d(11, 7), '110100 1110', '110100 1000'],
  ['D16.2', d(16, 2), '011011 0101', '100100 0101'],
  ['D17.7', d(17, 7), '100011 0111', '100011 0001'],
  ['D21.2', d(21, 2), '101010 0101', '101010 0101'],
  ['D21.5', d(21, 5), '101010 1010', '101010 1010'],
  ['D31.7', d(31, 7), '101011 0001', '010100 1110'],
  ['K28.1', 0x13c, '001111 1001', '110000 0110'],
  ['K28.5', K28_5, '001111 1010', '110000 0101'],
  ['K28.7', 0x1fc, '001111 1000', '110000 0111'],
  ['K23.7', K23_7, '111010 1000', '000101 0111'],
  ['K27.7', K27_7, '110110 1000', '001001 0111'],
  ['K29.7', K29_7, '101110 1000', '010001 0111'],
  ['K30.7', K30_7, '011110 1000', '100001 0111'],
];

describe('8B/10B, clause 36.2.4', () => {
  test.each(KNOWN)('%s', (name, code, negative, positive) => {
    expect(codeName(code)).toBe(name);
    expect(text(encodeGroup(code, -1))).toBe(negative.replace(' ', ''));
    expect(text(encodeGroup(code, 1))).toBe(positive.replace(' ', ''));
  });

  test('a group has as many ones as zeros, or two more of what the running disparity lacks', () => {
    for (const disparity of DISPARITIES) {
      for (const code of CODES) {
        const group = encodeGroup(code, disparity);
        const balance = surplus(text(group));
        expect([0, -2 * disparity]).toContain(balance);
        expect(disparityAfter(group, disparity)).toBe(balance === 0 ? disparity : -disparity);
      }
    }
  });

  test('each group is one code at most, and only where the running disparity allows it', () => {
    for (const disparity of DISPARITIES) {
      const groups = CODES.map(code => encodeGroup(code, disparity));
      expect(new Set(groups).size).toBe(CODES.length);
      for (let group = 0; group < 1024; group++) {
        const at = groups.indexOf(group);
        expect(decodeGroup(group, disparity)).toBe(at < 0 ? -1 : CODES[at]);
      }
    }
  });

  test('behind each code, whatever code comes next: five equal bits at most, and no comma of data', () => {
    for (const disparity of DISPARITIES) {
      for (const first of CODES) {
        const group = encodeGroup(first, disparity);
        for (const second of DATA) {
          const pair = text(group) + text(encodeGroup(second, disparityAfter(group, disparity)));
          if (/0{6}|1{6}/.test(pair)) throw new Error(`${codeName(first)} ${codeName(second)}: ${pair}`);
          const hasComma = /0011111|1100000/.test(pair.slice(first > 255 ? 1 : 0));
          if (hasComma && first !== 0x1fc) throw new Error(`comma in ${codeName(first)} ${codeName(second)}: ${pair}`);
        }
      }
    }
  });

  test('any one bad bit in a group is a bad group, or turns the running disparity', () => {
    for (const disparity of DISPARITIES) {
      for (const code of CODES) {
        const group = encodeGroup(code, disparity);
        for (let bit = 0; bit < 10; bit++) {
          const damaged = group ^ (1 << bit);
          const goesUnseen =
            decodeGroup(damaged, disparity) >= 0 &&
            disparityAfter(damaged, disparity) === disparityAfter(group, disparity);
          expect(goesUnseen).toBe(false);
        }
      }
    }
  });
});
