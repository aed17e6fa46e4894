/** The bus's page table against a plain list of regions that is searched from end to end. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type AccessSize, Bus, type BusDevice, type Region } from '../../hw/bus/bus.ts';

const COST = { readNs: 0, writeNs: 0 };
const PAGE = 0x1000;
const MIB = 0x10_0000;

/** What is mapped, in order of mapping. */
type Model = Region[];

const DEVICE: BusDevice = { name: 'device', read: () => 0, write: () => {} };

function pagesOverlap(a: { base: number; sizeBytes: number }, b: { base: number; sizeBytes: number }): boolean {
  const first = (region: typeof a) => Math.floor(region.base / PAGE);
  const end = (region: typeof a) => Math.ceil((region.base + region.sizeBytes) / PAGE);
  return first(a) < end(b) && first(b) < end(a);
}

class MapCommand implements fc.Command<Model, Bus> {
  readonly range: { base: number; sizeBytes: number };

  constructor(base: number, sizeBytes: number) {
    this.range = { base, sizeBytes };
  }

  check = (model: Readonly<Model>) => !model.some(region => pagesOverlap(region, this.range));

  run(model: Model, bus: Bus): void {
    model.push(bus.map(this.range.base, this.range.sizeBytes, DEVICE, COST));
  }

  toString = () => `map(${this.range.base.toString(16)}, ${this.range.sizeBytes.toString(16)})`;
}

class UnmapCommand implements fc.Command<Model, Bus> {
  readonly pick: number;

  constructor(pick: number) {
    this.pick = pick;
  }

  check = (model: Readonly<Model>) => model.length > 0;

  run(model: Model, bus: Bus): void {
    bus.unmap(model.splice(this.pick % model.length, 1)[0]!);
  }

  toString = () => `unmap(${this.pick})`;
}

class FindCommand implements fc.Command<Model, Bus> {
  readonly address: number;
  readonly size: AccessSize;

  constructor(address: number, size: AccessSize) {
    this.address = address;
    this.size = size;
  }

  check = () => true;

  run(model: Model, bus: Bus): void {
    const { address, size } = this;
    // Alignment is to the device's own start: devices are at least word-aligned on this machine.
    const inside = (region: Region) => address >= region.base && address + size <= region.base + region.sizeBytes;
    const expected = address % size === 0 ? (model.find(inside) ?? null) : null;
    if (bus.find(address, size) !== expected) throw new Error(`the bus decodes ${this} differently`);
  }

  toString = () => `find(${this.address.toString(16)}, ${this.size})`;
}

/** Few places, close to the borders of pages and directories, so that regions meet. */
const base = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom(0, 1, 2, 0x80, 0xfe, 0xff), fc.constantFrom(0, 0x10, 0xf00))
  .map(([mib, page, offset]) => mib * MIB + page * PAGE + offset);
const sizeBytes = fc.constantFrom(4, 0x100, PAGE, PAGE + 4, 2 * PAGE, 0xff * PAGE, MIB, MIB + PAGE, 3 * MIB);
const address = fc
  .tuple(base, fc.constantFrom(-1, 0, 1, 2, 3, 4, 0xfc, 0x100, 0xffc, 0x1000, 0xf_fffc, 0x10_0000))
  .map(([start, delta]) => Math.max(0, start + delta));

const commands = [
  fc.tuple(base, sizeBytes).map(([at, size]) => new MapCommand(at, size)),
  fc.nat().map(pick => new UnmapCommand(pick)),
  fc.tuple(address, fc.constantFrom<AccessSize>(1, 2, 4)).map(([at, size]) => new FindCommand(at, size)),
];

describe('bus against a linear scan', () => {
  it('decodes every address alike after any sequence of map and unmap', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 60, size: 'max' }), sequence => {
        fc.modelRun(() => ({ model: [] as Model, real: new Bus() }), sequence);
      }),
      { numRuns: 300 },
    );
  });
});
