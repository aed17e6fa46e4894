/** The allocator against a list of what is live: any order of allocations and frees, in a small memory. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KernelBug } from '../../kernel/bug.ts';
import type { DmaBuffer } from '../../kernel/driver-api.ts';
import { DmaAllocator } from '../../kernel/memory.ts';

const BASE = 0x8000_0000;
const SIZE_BYTES = 4096;
const GRAIN_BYTES = 16;

interface Model {
  live: DmaBuffer[];
  freed: DmaBuffer[];
}

type Allocators = { allocator: DmaAllocator; ram: Uint8Array };

const endOf = (buffer: DmaBuffer) => buffer.address + buffer.bytes.length;
const taken = (model: Model) =>
  model.live.reduce((sum, buffer) => sum + Math.ceil(buffer.bytes.length / GRAIN_BYTES) * GRAIN_BYTES, 0);

class Allocate implements fc.Command<Model, Allocators> {
  readonly sizeBytes: number;
  readonly alignBytes: number;
  constructor(sizeBytes: number, alignBytes: number) {
    this.sizeBytes = sizeBytes;
    this.alignBytes = alignBytes;
  }
  check = () => true;
  run(model: Model, { allocator, ram }: Allocators): void {
    const { largestFreeBytes } = allocator.usage();
    const buffer = allocator.allocate(this.sizeBytes, this.alignBytes, 'model');
    if (buffer === null) {
      // Whatever the alignment, a gap of this size has room.
      expect(largestFreeBytes).toBeLessThan(this.sizeBytes + this.alignBytes + GRAIN_BYTES);
      return;
    }
    expect(buffer.address % this.alignBytes).toBe(0);
    expect(buffer.bytes.length).toBe(this.sizeBytes);
    expect(buffer.address).toBeGreaterThanOrEqual(BASE);
    expect(endOf(buffer)).toBeLessThanOrEqual(BASE + SIZE_BYTES);
    expect(buffer.bytes.every(byte => byte === 0)).toBe(true);
    for (const other of model.live) {
      expect(endOf(buffer) <= other.address || endOf(other) <= buffer.address).toBe(true);
    }
    buffer.view.setUint8(this.sizeBytes - 1, 0xa5);
    expect(ram[endOf(buffer) - 1 - BASE]).toBe(0xa5);
    buffer.bytes.fill(0xa5);
    model.live.push(buffer);
  }
  toString = () => `allocate(${this.sizeBytes}, ${this.alignBytes})`;
}

class Free implements fc.Command<Model, Allocators> {
  readonly pick: number;
  constructor(pick: number) {
    this.pick = pick;
  }
  check = (model: Readonly<Model>) => model.live.length > 0;
  run(model: Model, { allocator }: Allocators): void {
    const [buffer] = model.live.splice(this.pick % model.live.length, 1);
    allocator.free(buffer!);
    model.freed.push(buffer!);
    expect(allocator.usage().freeBytes).toBe(SIZE_BYTES - taken(model));
  }
  toString = () => `free(${this.pick})`;
}

class FreeAgain implements fc.Command<Model, Allocators> {
  readonly pick: number;
  constructor(pick: number) {
    this.pick = pick;
  }
  check = (model: Readonly<Model>) => model.freed.length > 0;
  run(model: Model, { allocator }: Allocators): void {
    const before = allocator.usage();
    expect(() => allocator.free(model.freed[this.pick % model.freed.length]!)).toThrow('freed twice');
    expect(allocator.usage()).toEqual(before);
  }
  toString = () => `freeAgain(${this.pick})`;
}

const commands = fc.commands(
  [
    fc
      .tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 0, max: 10 }))
      .map(([sizeBytes, log]) => new Allocate(sizeBytes, 1 << log)),
    fc.nat(1000).map(pick => new Free(pick)),
    fc.nat(1000).map(pick => new FreeAgain(pick)),
  ],
  { maxCommands: 60 },
);

test('allocations never overlap, are aligned and zeroed; all freed, memory is one piece again', () => {
  fc.assert(
    fc.property(commands, list => {
      const ram = new Uint8Array(SIZE_BYTES).fill(0xff);
      const allocator = new DmaAllocator({ base: BASE, bytes: ram });
      const model: Model = { live: [], freed: [] };
      fc.modelRun(() => ({ model, real: { allocator, ram } }), list);
      expect(allocator.usage().allocations.map(({ address }) => address)).toEqual(
        model.live.map(({ address }) => address),
      );
      for (const buffer of model.live) allocator.free(buffer);
      expect(allocator.usage()).toEqual({ freeBytes: SIZE_BYTES, largestFreeBytes: SIZE_BYTES, allocations: [] });
    }),
  );
});

test('what an owner has not freed is named as its leak', () => {
  const allocator = new DmaAllocator({ base: BASE, bytes: new Uint8Array(SIZE_BYTES) });
  const ring = allocator.allocate(100, 16, 'e1000')!;
  const other = allocator.allocate(32, 128, 'other')!;
  expect(allocator.leaks('e1000')).toEqual([{ owner: 'e1000', address: ring.address, sizeBytes: 112 }]);
  allocator.free(ring);
  expect(allocator.leaks('e1000')).toEqual([]);
  expect(allocator.leaks('other')).toEqual([{ owner: 'other', address: other.address, sizeBytes: 32 }]);
});

test('wrong requests and foreign buffers are bugs, and say whose', () => {
  const allocator = new DmaAllocator({ base: BASE, bytes: new Uint8Array(SIZE_BYTES) });
  const foreign = new DmaAllocator({ base: BASE, bytes: new Uint8Array(SIZE_BYTES) }).allocate(16, 16, 'e1000')!;
  expect(() => allocator.free(foreign)).toThrow(new KernelBug('e1000: freed foreign memory'));
  expect(() => allocator.allocate(16, 24, 'e1000')).toThrow(new KernelBug('e1000: alignment of 24 bytes'));
  expect(() => allocator.allocate(16, 0, 'e1000')).toThrow(new KernelBug('e1000: alignment of 0 bytes'));
  expect(() => allocator.allocate(0, 16, 'e1000')).toThrow(new KernelBug('e1000: 0 bytes asked for'));
  expect(allocator.allocate(SIZE_BYTES + 1, 16, 'e1000')).toBeNull();
});

test('usage tells the free bytes and the largest piece of them, wherever it lies', () => {
  const allocator = new DmaAllocator({ base: BASE, bytes: new Uint8Array(SIZE_BYTES) });
  const buffers = [1024, 16, 512, 16].map(sizeBytes => allocator.allocate(sizeBytes, 16, 'ring')!);
  allocator.allocate(SIZE_BYTES - 1568, 16, 'rest');
  allocator.free(buffers[2]!);
  allocator.free(buffers[0]!);
  expect(allocator.usage()).toMatchObject({ freeBytes: 1536, largestFreeBytes: 1024 });
});

test('memory that begins and ends between grains is used from grain to grain', () => {
  const allocator = new DmaAllocator({ base: BASE + 4, bytes: new Uint8Array(100) });
  expect(allocator.usage().freeBytes).toBe(80);
  expect(allocator.allocate(80, 16, 'all')?.address).toBe(BASE + 16);
});
