/** Properties of the FCS: what it must catch, and that it catches exactly what CRC-32 catches. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../hw/ethernet/frame.ts';
import { flipBits } from '../../../hw/ethernet/medium/damage.ts';

const RESIDUE = 0x2144df1c;
const UNDETECTED_4 = [0, 2215, 2866, 3006];

const octets = (maxLength: number) => fc.uint8Array({ minLength: 0, maxLength });

/** Octets and a set of bit positions in their frame, FCS included. */
const withErrors = (maxOctets: number, maxErrors: number, minErrors = 1) =>
  octets(maxOctets).chain(data =>
    fc.record({
      data: fc.constant(data),
      bits: fc.uniqueArray(fc.nat(8 * (data.length + 4) - 1), { minLength: minErrors, maxLength: maxErrors }),
    }),
  );

describe('frame check sequence', () => {
  test('accepts if and only if zlib does, for any frame and any set of errors', () => {
    fc.assert(
      fc.property(withErrors(1514, 40, 0), fc.boolean(), ({ data, bits }, undetected) => {
        const frame = Frame.withFcs(data);
        const room = 8 * frame.wireBytes - 3007;
        // Random errors are hardly ever accepted, so some are made from a pattern that must be.
        const lucky = undetected && room >= 0;
        const shift = lucky ? (bits[0] ?? 0) % (room + 1) : 0;
        const damaged = lucky ? UNDETECTED_4.map(e => 8 * frame.wireBytes - 1 - e - shift) : bits;
        const arrived = flipBits(frame, damaged);
        expect(arrived.fcsGood).toBe(crc32(arrived.wire()) === RESIDUE);
        if (lucky || damaged.length === 0) expect(arrived.fcsGood).toBe(true);
      }),
    );
  });

  test('rejects every error of one to three bits in any legal frame and in jumbo frames', () => {
    fc.assert(
      fc.property(withErrors(9018, 3), ({ data, bits }) => {
        expect(flipBits(Frame.withFcs(data), bits).fcsGood).toBe(false);
      }),
    );
  });

  test('rejects every error of four bits in frames of up to 375 octets', () => {
    fc.assert(
      fc.property(withErrors(371, 4), ({ data, bits }) => {
        expect(flipBits(Frame.withFcs(data), bits).fcsGood).toBe(false);
      }),
    );
  });

  test('rejects every burst of up to 32 bits', () => {
    const burst = octets(1514).chain(data =>
      fc.record({
        data: fc.constant(data),
        at: fc.nat(8 * (data.length + 4) - 32),
        pattern: fc.integer({ min: 1, max: 0xffffffff }),
      }),
    );
    fc.assert(
      fc.property(burst, ({ data, at, pattern }) => {
        const bits = Array.from({ length: 32 }, (_, i) => i).filter(i => (pattern >>> i) & 1);
        expect(
          flipBits(
            Frame.withFcs(data),
            bits.map(i => at + i),
          ).fcsGood,
        ).toBe(false);
      }),
    );
  });
});
