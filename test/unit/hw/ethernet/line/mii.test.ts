import { describe, expect, test } from 'vitest';
import { carrierSense, collision, miiOf, octetsOf, unitsOf } from '../../../../../hw/ethernet/line/mii.ts';
import { bytesFromHex } from '../../../../../src/lib/bytes.ts';

const hexDigits = (units: Uint8Array) => Array.from(units, unit => unit.toString(16)).join('');

describe('the MII, clause 22', () => {
  test('carries the low nibble first: fifteen times 5, D, then DA', () => {
    expect(hexDigits(unitsOf(bytesFromHex('02 00 5e 10'), 4))).toBe(`${'5'.repeat(15)}d2000e501`);
  });

  test('the GMII carries octets, a serial interface bits', () => {
    expect(hexDigits(unitsOf(bytesFromHex('c3'), 8))).toBe(`${'55'.repeat(7)}d5c3`);
    expect(unitsOf(bytesFromHex('c3'), 1).join('')).toBe(`${'10101010'.repeat(7)}1010101111000011`);
  });

  test.each([
    [10, 'MII', 4, 400],
    [100, 'MII', 4, 40],
    [1000, 'GMII', 8, 8],
  ] as const)('at %i Mb/s it is %s: %i bits every %i ns', (speed, name, bits, periodNs) => {
    expect(miiOf(speed)).toEqual({ name, bits, periodNs });
  });

  test('a frame begins behind the first SFD, however much of the preamble came before it', () => {
    const octets = bytesFromHex('d5 01 02');
    for (const bits of [1, 4, 8] as const) {
      const units = unitsOf(octets, bits);
      for (let missing = 0; missing <= 56 / bits; missing++) {
        expect(octetsOf(units.subarray(missing), bits)).toEqual({ octets, dribbleBits: 0 });
      }
    }
  });

  test('an odd number of nibbles leaves four dribble bits', () => {
    const units = unitsOf(bytesFromHex('11 22 33'), 4);
    expect(octetsOf(units.subarray(0, -1), 4)).toEqual({ octets: bytesFromHex('11 22'), dribbleBits: 4 });
    const bits = unitsOf(bytesFromHex('11 22 33'), 1);
    expect(octetsOf(bits.subarray(0, -3), 1)).toEqual({ octets: bytesFromHex('11 22'), dribbleBits: 5 });
  });

  test('without an SFD there is no frame', () => {
    for (const bits of [1, 4, 8] as const) {
      expect(octetsOf(unitsOf(new Uint8Array(0), bits).subarray(0, -1), bits)).toBeNull();
      expect(octetsOf(new Uint8Array(0), bits)).toBeNull();
    }
  });
});

describe('CRS and COL', () => {
  const sent = [{ fromNs: 40, toNs: 1360 }];
  const heard = [{ fromNs: 1000, toNs: 2000 }];

  test('in half duplex CRS covers what is sent and what is heard, COL where they meet', () => {
    expect(carrierSense(sent, heard, false, 10)).toEqual([{ fromNs: 52, toNs: 2012 }]);
    expect(collision(sent, heard, false, 10)).toEqual([{ fromNs: 1000, toNs: 1400 }]);
  });

  test('in full duplex CRS covers what is heard, and COL never rises', () => {
    expect(carrierSense(sent, heard, true, 10)).toEqual([{ fromNs: 1012, toNs: 2012 }]);
    expect(collision(sent, heard, true, 10)).toEqual([]);
  });

  test('activity that only touches is no collision, and one carrier', () => {
    const next = [{ fromNs: 1360, toNs: 1500 }];
    expect(collision(sent, next, false, 10)).toEqual([]);
    expect(carrierSense(sent, next, false, 10)).toEqual([{ fromNs: 52, toNs: 1512 }]);
  });
});
