import { describe, expect, it } from 'vitest';
import { PciBus } from '../../../drivers/pci.ts';
import { PciFunction } from '../../../hw/pci/function.ts';
import type { Io } from '../../../kernel/driver-api.ts';
import {
  E1000_IDENTITY,
  E1000_MEMORY_BYTES,
  ECAM,
  PORTS,
  pciMachine,
  Store,
  WINDOW,
  WINDOW_END,
} from '../../support/pci-machine.ts';

const COMMAND = 0x04;
const PLACE = { ecam: ECAM, memory: WINDOW, memoryEnd: WINDOW_END, firstIrq: 32 };

describe('PCI bus driver', () => {
  it('finds every function, in order of slots, with its BARs and its interrupt line', () => {
    const m = pciMachine();
    m.plug(31);
    m.plug(1);
    m.plug(2, { interruptPin: 0, deviceId: 0x1234 });
    const found = new PciBus(PLACE).enumerate(m.io);
    expect(found.map(({ slot, vendorId, deviceId, bars, irq }) => [slot, vendorId, deviceId, bars[0], irq])).toEqual([
      [0, 0x1b36, 0x0008, 0, 0],
      [1, 0x8086, 0x100e, WINDOW, 33],
      [2, 0x8086, 0x1234, WINDOW + E1000_MEMORY_BYTES, 0],
      [31, 0x8086, 0x100e, WINDOW + 2 * E1000_MEMORY_BYTES, 35],
    ]);
    expect(found.map(device => device.bars.slice(1))).toEqual(found.map(() => [0, 0, 0, 0, 0]));
  });

  it('leaves a note of the line in the interrupt line register', () => {
    const m = pciMachine();
    m.plug(1);
    new PciBus(PLACE).enumerate(m.io);
    expect(m.io.read8(m.config(1, 0x3c))).toBe(33);
  });

  it('leaves decoding off, and enable() turns on memory, mastering, and ports where there are any', () => {
    const m = pciMachine();
    const { memory, ports } = m.plug(1);
    const device = new PciBus(PLACE).enumerate(m.io)[1]!;
    expect(m.io.read16(m.config(1, COMMAND))).toBe(0);
    device.enable();
    expect(m.io.read16(m.config(1, COMMAND))).toBe(7);
    m.io.write32(device.bars[0]! + 0x10, 1);
    m.io.write32(PORTS + 0x1004, 2);
    expect([memory.words.get(0x10), ports.words.get(4)]).toEqual([1, 2]);
  });

  it('does not turn on ports for a function without any', () => {
    const m = pciMachine();
    const bars = [{ kind: 'memory', sizeBytes: 4096, device: new Store('') }] as const;
    m.bridge.insert(1, new PciFunction(E1000_IDENTITY, bars, m.ram));
    new PciBus(PLACE).enumerate(m.io)[1]!.enable();
    expect(m.io.read16(m.config(1, COMMAND))).toBe(6);
  });

  it('sizes BARs with decoding off, also when firmware left it on', () => {
    const m = pciMachine();
    const { pciFunction } = m.plug(1);
    const seen: (number | null)[] = [];
    pciFunction.onBar = (_, base) => seen.push(base);
    m.io.write32(m.config(1, 0x10), WINDOW + 0x10_0000);
    m.io.write16(m.config(1, COMMAND), 7);
    seen.length = 0;
    new PciBus(PLACE).enumerate(m.io);
    expect(seen).toEqual([null, null]);
  });

  it('aligns each BAR to its size, so that none overlap', () => {
    const m = pciMachine();
    const sizes = [4096, 0x10_0000, 16, 0x2000];
    const stores = sizes.map((_, bar) => new Store(`BAR${bar}`));
    const bars = sizes.map((sizeBytes, bar) => ({ kind: 'memory', sizeBytes, device: stores[bar]! }) as const);
    m.bridge.insert(1, new PciFunction(E1000_IDENTITY, bars, m.ram));
    const device = new PciBus(PLACE).enumerate(m.io)[1]!;
    device.enable();
    for (const [bar, sizeBytes] of sizes.entries()) {
      expect(device.bars[bar]! % sizeBytes).toBe(0);
      m.io.write32(device.bars[bar]! + sizeBytes - 4, bar);
      expect(stores[bar]!.words.get(sizeBytes - 4)).toBe(bar);
    }
  });

  it('says so when the address window is too small', () => {
    const m = pciMachine();
    m.plug(1);
    m.plug(2);
    const bus = new PciBus({ ...PLACE, memoryEnd: WINDOW + E1000_MEMORY_BYTES });
    expect(() => bus.enumerate(m.io)).toThrow('no address range left for a BAR of 131072 bytes');
  });

  it('places a 64-bit BAR below 4 GiB, and passes over a function behind another kind of header', () => {
    const words = new Map<number, number>();
    const masks = new Map([
      [0x10, 0xffff_0004],
      [0x14, 0xffff_ffff],
      [0x18, 0xffff_f000],
    ]);
    // Slot 0 has the 64-bit BAR, slot 1 is a bridge, and there is nothing else.
    const io: Io = {
      read8: address => (address - ECAM === (1 << 15) + 0x0e ? 0x81 : 0),
      read16: address => (address - ECAM < 2 << 15 ? 0x1234 : 0xffff),
      read32: address => ((words.get(address) ?? 0) & (masks.get(address - ECAM) ?? 0)) >>> 0,
      write8: () => {},
      write16: () => {},
      write32: (address, value) => void words.set(address, value),
    };
    const found = new PciBus(PLACE).enumerate(io);
    expect(found.map(device => device.bars)).toEqual([
      [WINDOW, 0, WINDOW + 0x1_0000, 0, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
    expect(words.get(ECAM + 0x14)).toBe(0);
    expect(words.has(ECAM + (1 << 15) + 0x10)).toBe(false);
  });
});
