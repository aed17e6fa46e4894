/**
 * Register maps. A device declares each register once: name, offset, one line of text, and its fields with access,
 * bit positions and reset value. From that declaration come the masks that code uses (`CTRL.SLU`), the semantics of
 * reads and writes (the {@link RegisterFile}), the reset state, the datasheet, the inspector, and the fuzzers.
 *
 * Effects are not declared: a device calls `write`, then has one `switch` over the slots that do something.
 */
import { assert } from '../../src/lib/assert.ts';
import { bitMask } from '../../src/lib/bits.ts';

/**
 * What a field does when software touches it.
 * - `rw` storage; `ro` set by hardware alone; `wo` a command, reads as zero;
 * - `rc` reading clears; `w1c` writing one clears; `rc/w1c` both; `w1s` writing one sets;
 * - `sc` storage that the device clears by itself when the command is done;
 * - `unimp` exists in the manual but not here: reads zero, and a write of one is reported.
 * Bits that no field names are reserved: they read zero and a write of one is reported too.
 */
export type Access = 'rw' | 'ro' | 'wo' | 'rc' | 'w1c' | 'rc/w1c' | 'w1s' | 'sc' | 'unimp';

/** `[access, highest bit, lowest bit, reset value, one line of text]`. */
export type Field = readonly [access: Access, hi: number, lo: number, reset: number, doc: string];

export type Fields = Readonly<Record<string, Field>>;

/** `[offset, one line of text, fields, layout]`; an array of registers gives `count`, and `stride` in bytes. */
export type Declaration = readonly [at: number, doc: string, fields: Fields, layout?: Layout];

export interface Layout {
  readonly count?: number;
  readonly stride?: number;
  /** Survives a software reset; only power-on restores the reset value. */
  readonly sticky?: boolean;
  /** Memory rather than registers: plain words that reset to zero, and cost nothing until one of them is written. */
  readonly memory?: boolean;
}

/** Slots from here on are words of memory, those below are registers. Offsets have 16-bit slots. */
const FIRST_MEMORY_SLOT = 0x8000;

/** A declared register: its fields as masks, and where it lives. `n` is its first slot in the register file. */
export type Register<F = Record<never, never>> = { readonly [K in keyof F]: number } & {
  readonly at: number;
  readonly n: number;
  readonly doc: string;
  readonly count: number;
  readonly stride: number;
  readonly sticky: boolean;
  readonly memory: boolean;
  readonly fields: Fields;
};

export type RegisterMap = Readonly<Record<string, Register>>;

/** Turns a declaration into registers with masks. Slot 0 is the hole: it reads zero and ignores writes. */
export function registers<const S extends Readonly<Record<string, Declaration>>>(
  spec: S,
): { readonly [N in keyof S]: Register<S[N][2]> } {
  let next = 1;
  let nextMemory = FIRST_MEMORY_SLOT;
  const entries = Object.entries(spec).map(([name, [at, doc, fields, layout = {}]]) => {
    const { count = 1, stride = 4, sticky = false, memory = false } = layout;
    const masks = Object.fromEntries(Object.entries(fields).map(([field, [, hi, lo]]) => [field, bitMask(hi, lo)]));
    const n = memory ? nextMemory : next;
    if (memory) nextMemory += count;
    else next += count;
    return [name, Object.freeze({ ...masks, at, n, doc, count, stride, sticky, memory, fields })];
  });
  return Object.freeze(Object.fromEntries(entries)) as never; // fromEntries keeps V8's fast properties
}

/** Told when software writes ones to bits that are reserved or not implemented. */
export type ReservedTap = (register: string, bits: number) => void;

const isMemory = (slot: number): boolean => slot >= FIRST_MEMORY_SLOT;

const COLUMNS = 6;
const RW = 0;
const W1C = 1;
const W1S = 2;
const RC = 3;
const RESERVED = 4;
const HIDDEN = 5;

/** The registers of one device: storage, and reads and writes as declared. Values are int32. */
export class RegisterFile {
  /** Contents by slot, memory excepted. A device may write its own `ro` bits here; an inspector may read. */
  readonly values: Int32Array;
  /** Words of memory, from FIRST_MEMORY_SLOT on. Null, all zero, until one is written. */
  #memory: Int32Array | null = null;
  readonly #memoryCount: number;
  /** Observation of reserved bits. Null unless somebody watches. */
  onReserved: ReservedTap | null = null;
  readonly #map: RegisterMap;
  readonly #names: readonly string[];
  readonly #slots: Uint16Array;
  readonly #masks: Int32Array;
  readonly #resets: Int32Array;

  /** A register file for `map`, which occupies `sizeBytes` of address space. */
  constructor(map: RegisterMap, sizeBytes: number) {
    const all = Object.entries(map);
    const countOf = (memory: boolean) =>
      all.reduce((sum, [, register]) => sum + (register.memory === memory ? register.count : 0), 0);
    const slotCount = countOf(false) + 1;
    assert(slotCount <= FIRST_MEMORY_SLOT, 'a device with more registers than slots');
    this.#memoryCount = countOf(true);
    const names = new Array<string>(slotCount).fill('');
    this.#map = map;
    this.values = new Int32Array(slotCount);
    this.#masks = new Int32Array(slotCount * COLUMNS);
    this.#resets = new Int32Array(slotCount);
    this.#slots = new Uint16Array(sizeBytes >>> 2);
    for (const [name, register] of all) {
      for (let i = 0; i < register.count; i++) {
        this.#place(name, register, i);
        if (!register.memory) names[register.n + i] = register.count > 1 ? `${name}[${i}]` : name;
      }
    }
    this.#names = names;
    this.reset('power-on');
  }

  /** The slot of the register at byte `offset`, 0 where there is none. */
  slot(offset: number): number {
    return this.#slots[offset >>> 2]!;
  }

  /** The name of a slot, with its index if it is one of an array. */
  nameOf(slot: number): string {
    if (!isMemory(slot)) return this.#names[slot]!;
    const [name, { n }] = Object.entries(this.#map).find(([, { n, count }]) => slot >= n && slot < n + count)!;
    return `${name}[${slot - n}]`;
  }

  /** What software reads, with the side effects that the access kinds declare. */
  read(slot: number): number {
    if (isMemory(slot)) return this.#word(slot);
    const value = this.values[slot]!;
    const column = slot * COLUMNS;
    this.values[slot] = value & ~this.#masks[column + RC]!;
    return value & ~this.#masks[column + HIDDEN]!;
  }

  /** What software would read, without any side effect. */
  peek(slot: number): number {
    if (isMemory(slot)) return this.#word(slot);
    return this.values[slot]! & ~this.#masks[slot * COLUMNS + HIDDEN]!;
  }

  /** A write by software: storage is replaced, w1c bits clear, w1s bits set, everything else stays. */
  write(slot: number, raw: number): void {
    if (isMemory(slot)) {
      this.#memory ??= new Int32Array(this.#memoryCount);
      this.#memory[slot - FIRST_MEMORY_SLOT] = raw;
      return;
    }
    const column = slot * COLUMNS;
    const masks = this.#masks;
    const rw = masks[column + RW]!;
    const value = this.values[slot]!;
    this.values[slot] = (((value & ~rw) | (raw & rw)) & ~(raw & masks[column + W1C]!)) | (raw & masks[column + W1S]!);
    if (this.onReserved !== null && (raw & masks[column + RESERVED]!) !== 0) {
      this.onReserved(this.#names[slot]!, raw & masks[column + RESERVED]!);
    }
  }

  /** Puts every register back to its declared reset value; a software reset leaves the sticky ones, and memory. */
  reset(kind: 'power-on' | 'software'): void {
    if (kind === 'power-on') this.#memory = null;
    for (const register of Object.values(this.#map)) {
      if ((kind === 'software' && register.sticky) || register.memory) continue;
      for (let slot = register.n; slot < register.n + register.count; slot++) {
        this.values[slot] = this.#resets[slot]!;
      }
    }
  }

  /** Registers, and behind them the memory if any of it was written. */
  save(): Int32Array {
    const { values } = this;
    if (this.#memory === null) return values.slice();
    const state = new Int32Array(values.length + this.#memoryCount);
    state.set(values);
    state.set(this.#memory, values.length);
    return state;
  }

  load(state: Int32Array): void {
    const { length } = this.values;
    this.values.set(state.subarray(0, length));
    this.#memory = state.length > length ? state.slice(length) : null;
  }

  #word(slot: number): number {
    return this.#memory === null ? 0 : this.#memory[slot - FIRST_MEMORY_SLOT]!;
  }

  #place(name: string, register: Register, index: number): void {
    const slot = register.n + index;
    const offset = register.at + index * register.stride;
    assert(offset % 4 === 0 && offset >>> 2 < this.#slots.length, `register ${name} lies outside its device`);
    assert(this.#slots[offset >>> 2] === 0, `register ${name} overlaps another`);
    this.#slots[offset >>> 2] = slot;
    if (register.memory) return;
    let named = 0;
    for (const [access, hi, lo, reset] of Object.values(register.fields)) {
      const mask = bitMask(hi, lo);
      assert((named & mask) === 0, `two fields of register ${name} overlap`);
      named |= mask;
      this.#resets[slot]! |= (reset << lo) & mask;
      this.#declare(slot * COLUMNS, access, mask);
    }
    this.#masks[slot * COLUMNS + RESERVED]! |= ~named;
  }

  #declare(column: number, access: Access, mask: number): void {
    const add = (kind: number) => {
      this.#masks[column + kind]! |= mask;
    };
    if (access === 'rw' || access === 'sc' || access === 'wo') add(RW);
    if (access === 'w1c' || access === 'rc/w1c') add(W1C);
    if (access === 'rc' || access === 'rc/w1c') add(RC);
    if (access === 'w1s') add(W1S);
    if (access === 'wo') add(HIDDEN);
    if (access === 'unimp') add(RESERVED);
  }
}
