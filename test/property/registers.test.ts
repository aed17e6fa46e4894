/**
 * What every declared register map promises, whatever device it belongs to. A map that is added to `MAPS` is checked
 * bit by bit against its own declaration, by rules stated here a second time: per bit, without masks.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Access, RegisterFile, type RegisterMap, registers } from '../../hw/bus/registers.ts';
import { CLINT, CLINT_BYTES } from '../../hw/irq/clint.ts';
import { PLIC } from '../../hw/irq/plic.ts';
import { E1000, REGISTER_SPACE_BYTES } from '../../hw/nic/e1000/registers.ts';
import { CONFIG, CONFIG_BYTES } from '../../hw/pci/config.ts';

/** One of each access, with holes between; no device has them all. */
const SPECIMEN = registers({
  MIXED: [
    0x00,
    'Every access in one register',
    {
      RW: ['rw', 3, 0, 5, ''],
      RO: ['ro', 6, 5, 2, ''],
      WO: ['wo', 8, 8, 0, ''],
      RC: ['rc', 12, 10, 7, ''],
      W1C: ['w1c', 14, 14, 1, ''],
      RCW1C: ['rc/w1c', 17, 16, 3, ''],
      W1S: ['w1s', 20, 19, 0, ''],
      SC: ['sc', 22, 22, 0, ''],
      UNIMP: ['unimp', 31, 30, 0, ''],
    },
  ],
  ARRAY: [0x10, 'Four of a kind, apart', { ALL: ['rw', 31, 0, -2, ''] }, { count: 4, stride: 8, sticky: true }],
});

const MAPS: readonly [name: string, map: RegisterMap, sizeBytes: number][] = [
  ['a specimen', SPECIMEN, 0x40],
  ['the CLINT', CLINT, CLINT_BYTES],
  ['the PLIC', PLIC, 0x20_1000],
  ['a PCI header', CONFIG, CONFIG_BYTES],
  ['the e1000', E1000, REGISTER_SPACE_BYTES],
];

interface Bit {
  readonly access: Access | 'reserved';
  readonly reset: number;
}

/** The 32 bits of each slot as declared, from bit 0 up. Slot 0 is the hole; memory has no bits to speak of. */
function bitsOf(map: RegisterMap): Bit[][] {
  const slots: Bit[][] = [];
  for (const register of Object.values(map)) {
    if (register.memory) continue;
    const bits = Array.from({ length: 32 }, (): Bit => ({ access: 'reserved', reset: 0 }));
    for (const [access, hi, lo, reset] of Object.values(register.fields)) {
      for (let bit = lo; bit <= hi; bit++) bits[bit] = { access, reset: (reset >>> (bit - lo)) & 1 };
    }
    for (let i = 0; i < register.count; i++) slots[register.n + i] = bits;
  }
  return slots;
}

const bitOf = (word: number, bit: number): number => (word >>> bit) & 1;

/** What a bit holds after software wrote `written` to it. */
function afterWrite(access: Bit['access'], held: number, written: number): number {
  if (access === 'rw' || access === 'sc' || access === 'wo') return written;
  if (access === 'w1c' || access === 'rc/w1c') return written === 1 ? 0 : held;
  return access === 'w1s' ? held | written : held;
}

const readsAs = (access: Bit['access'], held: number): number => (access === 'wo' ? 0 : held);
const afterRead = (access: Bit['access'], held: number): number => (access === 'rc' || access === 'rc/w1c' ? 0 : held);

describe.each(MAPS)('register map of %s', (_, map, sizeBytes) => {
  const bits = bitsOf(map);
  const slots = Object.keys(bits).map(Number);
  const file = new RegisterFile(map, sizeBytes);
  const slot = fc.constantFrom(...slots);
  const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1));

  /** Puts a value where hardware could have put it: in any bit that the map names. */
  const hold = (at: number, value: number): number => {
    const named = bits[at]!.reduce((mask, { access }, bit) => (access === 'reserved' ? mask : mask | (1 << bit)), 0);
    file.values[at] = value & named;
    return value & named;
  };

  it('has the declared value in every register after reset', () => {
    for (const at of slots) file.values[at] = -1;
    file.reset('power-on');
    for (const at of slots) {
      const reset = bits[at]!.reduce((sum, { reset: one }, bit) => sum | (one << bit), 0);
      expect(file.values[at], file.nameOf(at)).toBe(reset);
    }
  });

  it('leaves the sticky registers alone in a software reset', () => {
    for (const { n, memory } of Object.values(map)) if (!memory) file.values[n] = 0x5a5a_5a5a;
    file.reset('software');
    for (const [name, register] of Object.entries(map)) {
      if (register.memory) continue;
      const reset = bits[register.n]!.reduce((sum, { reset: one }, bit) => sum | (one << bit), 0);
      expect(file.values[register.n], name).toBe(register.sticky ? 0x5a5a_5a5a : reset);
    }
  });

  it('changes by a write each bit as its access says: RO never, W1C only to 0, W1S only to 1', () => {
    fc.assert(
      fc.property(slot, word, word, (at, value, written) => {
        const held = hold(at, value);
        file.write(at, written);
        const wrong = bits[at]!.flatMap(({ access }, bit) =>
          bitOf(file.values[at]!, bit) === afterWrite(access, bitOf(held, bit), bitOf(written, bit))
            ? []
            : [`${file.nameOf(at)} bit ${bit} (${access})`],
        );
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('reads what it holds, WO bits as zero, and RC bits as zero the next time', () => {
    fc.assert(
      fc.property(slot, word, (at, value) => {
        const held = hold(at, value);
        expect(file.peek(at)).toBe(file.peek(at));
        const peeked = file.peek(at);
        expect(file.values[at]).toBe(held);
        const read = file.read(at);
        expect(read).toBe(peeked);
        const wrong = bits[at]!.flatMap(({ access }, bit) =>
          bitOf(read, bit) === readsAs(access, bitOf(held, bit)) &&
          bitOf(file.values[at]!, bit) === afterRead(access, bitOf(held, bit))
            ? []
            : [`${file.nameOf(at)} bit ${bit} (${access})`],
        );
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('reports ones written to reserved and unimplemented bits, and nothing else', () => {
    fc.assert(
      fc.property(slot, word, (at, written) => {
        const reports: [string, number][] = [];
        file.onReserved = (register, ones) => reports.push([register, ones]);
        file.write(at, written);
        file.onReserved = null;
        const ones = bits[at]!.reduce(
          (sum, { access }, bit) => (access === 'reserved' || access === 'unimp' ? sum | (1 << bit) : sum),
          0,
        );
        expect(reports).toEqual((ones & written) === 0 ? [] : [[file.nameOf(at), ones & written]]);
      }),
    );
  });

  it('answers every offset of its space without an error, and holes with zero', () => {
    fc.assert(
      fc.property(fc.nat(sizeBytes / 4 - 1), word, (index, written) => {
        const at = file.slot(4 * index);
        const before = file.save();
        file.write(at, written);
        const read = file.read(at);
        if (at !== 0) return;
        expect(read).toBe(0);
        expect(file.save()).toEqual(before);
      }),
    );
  });

  it('places every register at its declared offset, under its name', () => {
    for (const [name, register] of Object.entries(map)) {
      for (let i = 0; i < register.count; i++) {
        const at = file.slot(register.at + i * register.stride);
        if (at !== register.n + i) expect.fail(`${name}[${i}] is not in its slot`);
        if (i > 0 && register.memory) continue;
        expect(file.nameOf(at)).toBe(register.count > 1 ? `${name}[${i}]` : name);
      }
    }
  });

  it('restores what it saved', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(slot, word)), writes => {
        for (const [at, value] of writes) file.write(at, value);
        const state = file.save();
        for (const at of slots) file.values[at] = ~file.values[at]!;
        file.load(state);
        expect(file.save()).toEqual(state);
      }),
    );
  });
});

describe('memory among the registers', () => {
  const MIXED = registers({
    BEFORE: [0x00, '', { ALL: ['rw', 31, 0, 0, ''] }],
    WORDS: [0x10, '', { DATA: ['rw', 31, 0, 0, ''] }, { count: 8, memory: true }],
    AFTER: [0x40, '', { ALL: ['rw', 31, 0, 7, ''] }],
  });

  it('is plain words that keep what is written, through a software reset too, and are saved', () => {
    const file = new RegisterFile(MIXED, 0x44);
    const slots = Array.from({ length: 8 }, (_, i) => file.slot(0x10 + 4 * i));
    const bare = file.save();
    expect(slots.map(slot => file.read(slot))).toEqual(new Array(8).fill(0));
    slots.forEach((slot, i) => {
      file.write(slot, -i);
    });
    file.reset('software');
    expect(slots.map(slot => file.read(slot))).toEqual([-0, -1, -2, -3, -4, -5, -6, -7].map(word => word | 0));
    expect([file.read(file.slot(0x40)), file.nameOf(slots[3]!)]).toEqual([7, 'WORDS[3]']);
    const copy = new RegisterFile(MIXED, 0x44);
    copy.load(file.save());
    expect(slots.map(slot => copy.peek(slot))).toEqual(slots.map(slot => file.peek(slot)));
    copy.load(bare);
    expect(slots.map(slot => copy.peek(slot))).toEqual(new Array(8).fill(0));
    file.reset('power-on');
    expect(file.peek(slots[3]!)).toBe(0);
  });

  it('takes no room in a file whose memory nobody wrote', () => {
    expect(new RegisterFile(MIXED, 0x44).save()).toHaveLength(3);
  });
});

describe('a declaration that contradicts itself', () => {
  it.each([
    ['two fields of register A overlap', { A: [0, '', { X: ['rw', 3, 0, 0, ''], Y: ['ro', 3, 3, 0, ''] }] }],
    ['register B overlaps another', { A: [0, '', {}], B: [0, '', {}] }],
    ['register A lies outside its device', { A: [2, '', {}] }],
    ['register A lies outside its device', { A: [0x10, '', {}] }],
  ] as const)('is refused: %s', (text, spec) => {
    expect(() => new RegisterFile(registers(spec), 0x10)).toThrow(text);
  });
});
