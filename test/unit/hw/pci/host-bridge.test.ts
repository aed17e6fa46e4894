import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONFIG } from '../../../../hw/pci/config.ts';
import { PciFunction } from '../../../../hw/pci/function.ts';
import {
  E1000_IDENTITY,
  E1000_MEMORY_BYTES,
  ECAM,
  PORTS,
  pciMachine,
  Store,
  WINDOW,
  WINDOW_END,
} from '../../../support/pci-machine.ts';

const { IO_SPACE, MEMORY_SPACE, BUS_MASTER } = CONFIG.COMMAND_STATUS;
const COMMAND = 0x04;
const BAR0 = 0x10;
const BAR1 = 0x14;

describe('PCI configuration cycles', () => {
  it('find the host bridge 1b36:0008 in slot 0', () => {
    const { io } = pciMachine();
    expect(io.read32(ECAM)).toBe(0x0008_1b36);
    expect(io.read32(ECAM + 8)).toBe(0x0600_0000);
    expect(io.read32(ECAM + 0x3c)).toBe(0);
  });

  it.each([
    ['an empty slot', 2 << 15],
    ['the last slot', 31 << 15],
    ['another function of a slot', (1 << 15) | (1 << 12)],
    ['another bus', 1 << 20],
    ['the last bus', (255 << 20) | (1 << 15)],
  ])('read all ones, and write nothing, at %s', (_, offset) => {
    const { io, plug } = pciMachine();
    plug(1);
    io.write32(ECAM + offset + COMMAND, 7);
    expect(io.read32(ECAM + offset)).toBe(0xffff_ffff);
    expect(io.read16(ECAM + offset + 2)).toBe(0xffff);
    expect(io.read8(ECAM + offset + 3)).toBe(0xff);
  });

  it('have names', () => {
    const { bus, plug } = pciMachine();
    plug(1);
    const { device } = bus.find(ECAM, 4)!;
    expect([0x8004, 0x8014, 0x8100, 0x1_0000].map(offset => device.nameAt!(offset))).toEqual([
      'slot 01 COMMAND_STATUS',
      'slot 01 BAR[1]',
      'slot 01 0x100',
      'slot 02 0x000',
    ]);
  });
});

describe('PCI memory space', () => {
  it('is reached at the BAR while Memory Space is on; the BAR keeps its value with decoding off', () => {
    const { io, config, plug } = pciMachine();
    const { memory } = plug(1);
    io.write32(config(1, BAR0), WINDOW);
    expect(() => io.read32(WINDOW)).toThrow('bus fault');
    io.write16(config(1, COMMAND), MEMORY_SPACE);
    io.write32(WINDOW + 0x1_fffc, 42);
    expect(memory.words.get(0x1_fffc)).toBe(42);
    expect(() => io.read32(WINDOW + E1000_MEMORY_BYTES)).toThrow('bus fault');
    io.write16(config(1, COMMAND), 0);
    expect(() => io.read32(WINDOW)).toThrow('bus fault');
    expect(io.read32(config(1, BAR0))).toBe(WINDOW);
  });

  it('moves with the BAR, also while it is sized with decoding on', () => {
    const { io, config, plug } = pciMachine();
    plug(1);
    io.write16(config(1, COMMAND), MEMORY_SPACE | IO_SPACE | BUS_MASTER);
    io.write32(config(1, BAR0), WINDOW);
    io.write32(config(1, BAR0), 0xffff_ffff);
    expect(io.read32(config(1, BAR0))).toBe(0xfffe_0000);
    expect(() => io.read32(WINDOW)).toThrow('bus fault');
    io.write32(config(1, BAR0), WINDOW + 0x10_0000);
    expect(io.read32(WINDOW + 0x10_0010)).toBe(0x10);
  });

  it.each([
    ['RAM', 0x8000_0000],
    ['its own configuration space', ECAM],
    ['address 0', 0],
    ['just below the window', WINDOW - E1000_MEMORY_BYTES],
    ['the end of the window', WINDOW_END],
    ['the top of memory', 0xfffe_0000],
  ])('does not reach over to %s', (_, base) => {
    const { bus, io, config, plug } = pciMachine();
    const { memory } = plug(1);
    const before = bus.regions.length;
    io.write16(config(1, COMMAND), MEMORY_SPACE);
    io.write32(config(1, BAR0), base);
    expect(io.read32(config(1, BAR0))).toBe(base);
    expect(bus.regions.length).toBe(before);
    expect(bus.regions.some(region => region.device === memory)).toBe(false);
  });

  it('gives an address that two BARs claim to the lower slot, and to the other one when that has left', () => {
    const { io, config, plug } = pciMachine();
    const second = plug(2);
    const first = plug(1);
    for (const slot of [2, 1]) {
      io.write32(config(slot, BAR0), WINDOW);
      io.write16(config(slot, COMMAND), MEMORY_SPACE);
    }
    io.write32(WINDOW, 1);
    expect([first.memory.words.get(0), second.memory.words.get(0)]).toEqual([1, undefined]);
    io.write32(config(1, BAR0), WINDOW + E1000_MEMORY_BYTES);
    io.write32(WINDOW, 2);
    expect([first.memory.words.get(0), second.memory.words.get(0)]).toEqual([1, 2]);
  });

  it('keeps two small BARs apart by a page of the bus', () => {
    const { bridge, ram, io, config } = pciMachine();
    const stores = [new Store('a'), new Store('b')];
    const bars = stores.map(device => ({ kind: 'memory', sizeBytes: 16, device }) as const);
    bridge.insert(1, new PciFunction(E1000_IDENTITY, bars, ram));
    io.write16(config(1, COMMAND), MEMORY_SPACE);
    io.write32(config(1, BAR0), WINDOW + 16);
    io.write32(config(1, BAR1), WINDOW + 32);
    io.write32(WINDOW + 16, 7);
    expect(stores[0]!.words.get(0)).toBe(7);
    expect(() => io.read32(WINDOW + 32)).toThrow('bus fault');
    io.write32(config(1, BAR1), WINDOW + 4096);
    expect(io.read32(WINDOW + 4100)).toBe(4);
  });

  it('depends on the registers alone, whatever was written before', () => {
    const base = fc.constantFrom(0, WINDOW, WINDOW + E1000_MEMORY_BYTES, WINDOW_END - E1000_MEMORY_BYTES, 0xffff_ffff);
    const write = fc.record({ slot: fc.integer({ min: 1, max: 3 }), base, command: fc.constantFrom(0, MEMORY_SPACE) });
    const build = () => {
      const m = pciMachine();
      return { ...m, functions: [1, 2, 3].map(slot => m.plug(slot)) };
    };
    const layout = (m: ReturnType<typeof build>) =>
      m.functions.map(({ memory }) => m.bus.regions.find(region => region.device === memory)?.base ?? null);
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), writes => {
        const m = build();
        for (const { slot, base: value, command } of writes) {
          m.io.write32(m.config(slot, BAR0), value);
          m.io.write16(m.config(slot, COMMAND), command);
        }
        const fresh = build();
        for (const [index, { pciFunction }] of fresh.functions.entries()) {
          pciFunction.load(m.functions[index]!.pciFunction.save());
        }
        expect(layout(m)).toEqual(layout(fresh));
        for (const [index, at] of layout(m).entries()) {
          if (at === null) continue;
          expect(m.bus.find(at, 4)!.device).toBe(m.functions[index]!.memory);
        }
      }),
    );
  });
});

describe('PCI I/O space', () => {
  it('is reached through its window while I/O Space is on', () => {
    const { io, config, plug } = pciMachine();
    const { ports } = plug(1);
    io.write32(config(1, BAR1), 0x1000);
    expect(io.read32(PORTS + 0x1000)).toBe(0xffff_ffff);
    io.write16(config(1, COMMAND), IO_SPACE);
    io.write32(PORTS + 0x103c, 5);
    expect(ports.words.get(0x3c)).toBe(5);
    expect(io.read32(PORTS + 0x1004)).toBe(4);
    expect([io.read16(PORTS + 0x1040), io.read8(PORTS + 0xfff)]).toEqual([0xffff, 0xff]);
  });

  it('does not answer at port 0, where a BAR stands that nobody has set', () => {
    const { io, config, plug } = pciMachine();
    const { ports } = plug(1);
    io.write16(config(1, COMMAND), IO_SPACE);
    io.write32(PORTS, 5);
    expect(io.read32(PORTS)).toBe(0xffff_ffff);
    expect(ports.words.size).toBe(0);
  });

  it('names the device behind a port', () => {
    const { bus, io, config, plug } = pciMachine();
    plug(1);
    io.write32(config(1, BAR1), 0x1000);
    io.write16(config(1, COMMAND), IO_SPACE);
    const { device } = bus.find(PORTS, 4)!;
    expect(device.nameAt!(0x1004)).toBe('I/O BAR port 0x1004');
    expect(device.nameAt!(0x2000)).toBe('port 0x2000');
  });
});

describe('PCI interrupt routing', () => {
  it.each([
    [1, 1, 1],
    [1, 4, 0],
    [2, 1, 2],
    [4, 1, 0],
    [31, 2, 0],
  ] as const)('leads slot %i pin %i to line %i', (slot, pin, line) => {
    const { intx, plug } = pciMachine();
    plug(slot, { interruptPin: pin }).pciFunction.setInterrupt(true);
    expect(intx.findIndex(each => each.level)).toBe(line);
    expect(intx.filter(each => each.level)).toHaveLength(1);
  });

  it('wires two functions on one line together', () => {
    const { intx, plug } = pciMachine();
    const [a, b] = [plug(1).pciFunction, plug(5).pciFunction];
    a.setInterrupt(true);
    b.setInterrupt(true);
    a.setInterrupt(false);
    expect(intx[1]!.level).toBe(true);
    b.setInterrupt(false);
    expect(intx[1]!.level).toBe(false);
  });
});

it('has no slot twice, and no slot 32', () => {
  const { plug } = pciMachine();
  plug(1);
  expect(() => plug(1)).toThrow('slot that is taken');
  expect(() => plug(32)).toThrow('slot that is taken');
});

it('restores the configuration of the host bridge itself', () => {
  const m = pciMachine();
  m.io.write16(ECAM + COMMAND, 7);
  const other = pciMachine();
  other.bridge.load(m.bridge.save());
  expect(other.io.read16(ECAM + COMMAND)).toBe(7);
});
