import { describe, expect, test } from 'vitest';
import { decodeMlt3, encodeMlt3 } from '../../../../../hw/ethernet/line/mlt3.ts';
import { scramble } from '../../../../../hw/ethernet/line/scrambler.ts';
import { bitsOf, levelsOf, levelText } from '../../../../support/line.ts';

describe('MLT-3', () => {
  test('a 1 is a step in 0, +, 0, -; a 0 stays', () => {
    expect(levelText(encodeMlt3(bitsOf('1111 0 1 00 11')))).toBe(levelText(levelsOf('+0-0 0 + ++ 0-')));
  });

  test('scrambled idle from eleven ones is +0-0+0-0+++0-0+0-00000+0', () => {
    const idle = new Uint8Array(24).fill(1);
    scramble(idle);
    expect(levelText(encodeMlt3(idle))).toBe('+0-0+0-0+++0-0+0-00000+0');
  });

  test('all ones are 31.25 MHz: a period is four bits of 8 ns', () => {
    expect(levelText(encodeMlt3(new Uint8Array(12).fill(1)))).toBe('+0-0+0-0+0-0');
  });

  test('to the decoder any change is a 1, even one from + to -', () => {
    expect(decodeMlt3(levelsOf('+-0 0-- +')).join('')).toBe('1110101');
  });
});
