import { describe, expect, test } from 'vitest';
import { decodeManchester, encodeManchester } from '../../../../../hw/ethernet/line/manchester.ts';
import { unitsOf } from '../../../../../hw/ethernet/line/mii.ts';
import { bitsOf, levelsOf, levelText } from '../../../../support/line.ts';

const HEADER = unitsOf(new Uint8Array(0), 1);
const MESSAGE = unitsOf(Uint8Array.of(0x01, 0xfe, 0x33, 0x5a), 1);
const HALF_BIT_NS = 50;

describe('Manchester code, clause 7.3.1.1', () => {
  test('0xD5 is LH HL LH HL LH HL LH LH', () => {
    const octet = unitsOf(Uint8Array.of(0xd5), 1).subarray(64);
    expect(levelText(encodeManchester(octet).subarray(0, 16))).toBe(levelText(levelsOf('LH HL LH HL LH HL LH LH')));
  });

  test('the preamble is a square wave of 5 MHz: the line changes in the middle of bits alone', () => {
    const halves = encodeManchester(HEADER.subarray(0, 56));
    for (let bit = 1; bit < 56; bit++) expect(halves[2 * bit]).toBe(halves[2 * bit - 1]);
  });

  test.each(['0', '1'])('behind a last bit %s the line is high for 250 ns at least, without a transition', last => {
    const halves = encodeManchester(bitsOf(`1010${last}`)).subarray(10);
    expect(halves.length * HALF_BIT_NS).toBeGreaterThanOrEqual(250);
    expect(halves.every(half => half === 1)).toBe(true);
  });
});

describe('the decoder', () => {
  test.each([0, 1, 2, 3, 5, 8, 13])('finds the phase by itself behind %i half bits of silence', silence => {
    const sent = encodeManchester(MESSAGE);
    const received = new Int8Array(silence + sent.length + 4);
    received.set(sent, silence);
    expect([...decodeManchester(received)]).toEqual([...MESSAGE]);
  });

  test('loses bits of the preamble, and nothing else, when the beginning of the signal is missing', () => {
    const sent = encodeManchester(MESSAGE);
    for (let missing = 1; missing < 100; missing++) {
      const behindSilence = decodeManchester(Int8Array.of(0, ...sent.subarray(missing)));
      const bits = [...decodeManchester(sent.subarray(missing))];
      expect(bits.slice(-60)).toEqual([...behindSilence].slice(-60));
      expect(bits.length).toBeGreaterThanOrEqual(MESSAGE.length - Math.ceil(missing / 2) - 1);
      expect(bits).toEqual([...MESSAGE.subarray(MESSAGE.length - bits.length)]);
    }
  });

  test('one bad half bit in the preamble costs nothing behind it', () => {
    for (let bad = 0; bad < 110; bad++) {
      const received = encodeManchester(MESSAGE);
      received[bad]! *= -1;
      const bits = [...decodeManchester(received)];
      expect(bits.slice(-33)).toEqual([...MESSAGE.subarray(-33)]);
    }
  });

  test('a line that stays for more than 1.6 bit times has ended the frame; for 1.5 it has not', () => {
    const before = levelText(encodeManchester(HEADER).subarray(0, 128));
    // The last bit of the delimiter is a 1, so the line is high already for one half bit.
    expect(decodeManchester(levelsOf(`${before} HH L HL LH`)).length).toBeGreaterThan(64);
    expect(decodeManchester(levelsOf(`${before} HH HL LH LH LH`)).length).toBe(64);
  });

  test('a bit that lost its transition is the level of its second half', () => {
    const sent = encodeManchester(MESSAGE);
    const at = 2 * 70;
    for (const level of [-1, 1]) {
      const received = sent.slice();
      received[at] = received[at + 1] = level;
      const expected = [...MESSAGE];
      expected[70] = level > 0 ? 1 : 0;
      const bits = [...decodeManchester(received)];
      expect(bits).toEqual(expected.slice(0, bits.length));
      expect(bits.length).toBeGreaterThanOrEqual(70);
    }
  });

  test('hears nothing in silence, in a constant level, or in half a preamble octet', () => {
    for (const text of ['', '0', '0000000000', 'HHHHHHHHHHHHH', 'LH', 'LHLHLHLHLHLH']) {
      expect(decodeManchester(levelsOf(text)).length).toBe(0);
    }
  });
});
