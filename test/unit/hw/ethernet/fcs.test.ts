import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fcs } from '../../../../hw/ethernet/fcs.ts';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import { flipBits } from '../../../../hw/ethernet/medium/damage.ts';
import { bytesFromHex, hexBytes } from '../../../../src/lib/bytes.ts';

/** The residue of any frame with its FCS, by a CRC-32 that is not ours. */
const RESIDUE = 0x2144df1c;
/** Exponents of G = x^32 + ... + 1, the generator of clause 3.2.9. */
const GENERATOR = [32, 26, 23, 22, 16, 12, 11, 10, 8, 7, 5, 4, 2, 1, 0];
/** The smallest pattern of four bits that G divides, as exponents. */
const UNDETECTED_4 = [0, 2215, 2866, 3006];

const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i & 0xff);
const header = bytesFromHex('020203040506 020203040507 88b5');
const V5 = Uint8Array.from([...header, ...counting(1500)]);

const VECTORS: readonly (readonly [name: string, octets: Uint8Array, wire: string])[] = [
  [
    'V1, an ARP request',
    bytesFromHex(
      `ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0a80001 000000000000 c0a80002 ${'00'.repeat(18)}`,
    ),
    'ad 8d 88 40',
  ],
  ['V2, zeros', new Uint8Array(60), '08 89 12 04'],
  ['V3, ones', new Uint8Array(60).fill(0xff), '4d f1 8c f4'],
  ['V4, a minimum frame', Uint8Array.from([...header, ...counting(46)]), 'cb b4 93 8d'],
  ['V5, a maximum frame', V5, '8c dc 2b dc'],
  ['V6, PAUSE', bytesFromHex(`0180c2000001 020000000001 8808 0001 ffff ${'00'.repeat(42)}`), 'dd 7c b2 ff'],
  ['V7, the check string', new TextEncoder().encode('123456789'), '26 39 f4 cb'],
];

/** Clause 3.2.9 to the letter: one bit at a time, first bit of each octet least significant, x^31 first. */
function bitSerialFcs(octets: Uint8Array): number[] {
  let register = 0xffffffff;
  for (const octet of octets) {
    for (let bit = 0; bit < 8; bit++) {
      const feedback = (register >>> 31) ^ ((octet >>> bit) & 1);
      register = ((register << 1) ^ (feedback ? 0x04c11db7 : 0)) >>> 0;
    }
  }
  const bits = Array.from({ length: 32 }, (_, i) => 1 - ((register >>> (31 - i)) & 1));
  return [0, 8, 16, 24].map(from => bits.slice(from, from + 8).reduce((octet, bit, i) => octet | (bit << i), 0));
}

/** Bit positions on the wire of the exponents of an error polynomial, times x^shift; exponent 0 is the last bit. */
const positions = (frame: Frame, exponents: readonly number[], shift: number) =>
  exponents.map(exponent => 8 * frame.wireBytes - 1 - exponent - shift);

describe('frame check sequence, clause 3.2.9', () => {
  test.each(VECTORS)('%s', (_, octets, wire) => {
    expect(hexBytes(Frame.withFcs(octets).wire().subarray(octets.length))).toBe(wire);
  });

  test('equals zlib’s CRC-32 and a bit-serial register at every length up to two of the widest steps', () => {
    const bytes = counting(600).map(i => (i * 37 + 11) & 0xff);
    for (let length = 0; length <= 64; length++) {
      for (const at of [0, 1, 5]) {
        const octets = bytes.subarray(at, at + length);
        expect(fcs(bytes, at, length) >>> 0).toBe(crc32(octets));
        expect([...Frame.withFcs(octets).wire().subarray(length)]).toEqual(bitSerialFcs(octets));
      }
    }
  });

  test('a frame and its FCS always leave the residue', () => {
    for (const [, octets] of VECTORS) expect(crc32(Frame.withFcs(octets).wire())).toBe(RESIDUE);
  });

  test('every error of one bit in a minimum frame is detected, the FCS included', () => {
    const frame = Frame.withFcs(VECTORS[3]![1]);
    for (let position = 0; position < 8 * frame.wireBytes; position++) {
      expect(flipBits(frame, [position]).fcsGood).toBe(false);
    }
  });

  test('the four bits {0, 2215, 2866, 3006} pass undetected wherever they fall', () => {
    const frame = Frame.withFcs(V5);
    const lastShift = 8 * frame.wireBytes - 1 - 3006;
    for (const shift of [0, 1, 7, 31, 32, 33, 1000, lastShift - 1, lastShift]) {
      expect(flipBits(frame, positions(frame, UNDETECTED_4, shift)).fcsGood).toBe(true);
      for (let left = 0; left < 4; left++) {
        const three = UNDETECTED_4.filter((_, i) => i !== left);
        expect(flipBits(frame, positions(frame, three, shift)).fcsGood).toBe(false);
      }
    }
  });

  test('a burst of 33 bits passes if and only if it is the generator', () => {
    const frame = Frame.withFcs(V5);
    for (const shift of [0, 5, 32, 4096, 8 * frame.wireBytes - 33]) {
      expect(flipBits(frame, positions(frame, GENERATOR, shift)).fcsGood).toBe(true);
      for (let inner = 1; inner < 32; inner++) {
        const other = GENERATOR.includes(inner) ? GENERATOR.filter(e => e !== inner) : [...GENERATOR, inner];
        expect(flipBits(frame, positions(frame, other, shift)).fcsGood).toBe(false);
      }
    }
  });
});
