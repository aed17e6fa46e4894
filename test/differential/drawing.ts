/** What the arbitraries of the differential test share: single ops, steps made of ops, values, and addresses. */
import fc from 'fast-check';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { MAC, type Op, type Size } from './ops.ts';
import type { Step } from './script.ts';

const BROADCAST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
export const GROUP = Uint8Array.of(0x01, 0x00, 0x5e, 0x01, 0x02, 0x03);
const OTHER = Uint8Array.of(0x52, 0x54, 0x00, 0x65, 0x43, 0x21);
export const station = fc.constantFrom(MAC, BROADCAST, GROUP, OTHER);

export const read = (at: number, size: Size = 4): Op => ({ op: 'read', at, size });
export const write = (at: number, value: number, size: Size = 4): Op => ({ op: 'write', at, size, value: value >>> 0 });
export const pass = (ns: number): Op => ({ op: 'pass', ns });
export const opsStep = (ops: readonly Op[]): Step => ({ step: 'ops', ops });

export const MDIC_WRITE = 1 << 26;
export const MDIC_READ = 2 << 26;
/** A transaction with a PHY, and its result. `interrupt` is MDIC.I, or zero. */
export const mdic = (op: number, phy: number, register: number, data: number, interrupt = 0): Op[] => [
  write(E1000.MDIC.at, op | (phy << 21) | (register << 16) | data | interrupt),
  read(E1000.MDIC.at),
];

/** Some of the bits. */
export const bits = (...values: readonly number[]) =>
  fc.subarray([...values]).map(chosen => chosen.reduce((a, b) => a | b, 0));

/** A word as it may stand in any register. */
export const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 0xffff_ffff, 0x8000_0000, 0x5a5a_5a5a) },
  { weight: 2, arbitrary: fc.nat({ max: 0xffff }) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffff_ffff }) },
);

/** Nearly always the first, now and then the second. */
export const mostly = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>, weight = 6): fc.Arbitrary<T | U> =>
  fc.oneof<fc.WeightedArbitrary<T | U>[]>({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare });
