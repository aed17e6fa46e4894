import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ram } from '../../../../hw/bus/ram.ts';

const BASE = 0x8000_0000;
const BYTES = 256;

describe('RAM', () => {
  it('is little-endian at every width', () => {
    const ram = new Ram(BASE, BYTES);
    ram.write(4, 4, 0x8877_6655 | 0);
    expect([ram.read(4, 1), ram.read(5, 1), ram.read(6, 2), ram.read(4, 4)]).toEqual([
      0x55,
      0x66,
      0x8877,
      0x8877_6655 | 0,
    ]);
    ram.write(6, 1, 0x11);
    ram.write(4, 2, 0xffff);
    expect(ram.read(4, 4)).toBe(0x8811_ffff | 0);
  });

  it('shows DMA and the processor the same bytes, and lets neither of them past its ends', () => {
    const transfer = fc.record({
      address: fc.integer({ min: BASE - 80, max: BASE + BYTES + 80 }),
      at: fc.nat(8),
      length: fc.nat(70),
      write: fc.boolean(),
      fill: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(transfer, { maxLength: 20 }), transfers => {
        const ram = new Ram(BASE, BYTES);
        const model = new Array<number>(BYTES).fill(0);
        for (const { address, at, length, write, fill } of transfers) {
          const offset = address - BASE;
          const inside = offset >= 0 && offset + length <= BYTES;
          const buffer = Uint8Array.from({ length: 80 }, (_, i) => (fill + i) & 0xff);
          const before = [...buffer];
          const done = write ? ram.dmaWrite(address, buffer, at, length) : ram.dmaRead(address, buffer, at, length);
          expect(done).toBe(inside);
          const wanted = [...before];
          for (let i = 0; i < length; i++) {
            if (!write) wanted[at + i] = inside ? model[offset + i]! : 0;
            else if (inside) model[offset + i] = before[at + i]!;
          }
          expect([...buffer]).toEqual(wanted);
        }
        expect(Array.from({ length: BYTES }, (_, i) => ram.read(i, 1))).toEqual(model);
      }),
    );
  });

  it('restores its contents', () => {
    const ram = new Ram(BASE, BYTES);
    ram.write(8, 4, 7);
    const state = ram.save();
    ram.write(8, 4, 9);
    ram.load(state);
    expect(ram.read(8, 4)).toBe(7);
  });
});
