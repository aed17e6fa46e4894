import { describe, expect, it } from 'vitest';
import { Bus, type BusDevice, BusFault } from '../../../../hw/bus/bus.ts';

const COST = { readNs: 1, writeNs: 1 };

const device = (name: string): BusDevice => ({ name, read: () => 0, write: () => {} });

describe('bus decode', () => {
  it('finds a device at every aligned access inside it, and nothing beside it', () => {
    const bus = new Bus();
    const region = bus.map(0x1000_0000, 0x100, device('UART'), COST);
    expect(bus.find(0x1000_0000, 1)).toBe(region);
    expect(bus.find(0x1000_00ff, 1)).toBe(region);
    expect(bus.find(0x1000_00fc, 4)).toBe(region);
    expect(bus.find(0x1000_0100, 1)).toBeNull();
    expect(bus.find(0x0fff_fffc, 4)).toBeNull();
  });

  it.each([
    [0x1001, 2],
    [0x1002, 4],
    [0x1003, 4],
    [0x10fe, 4],
  ] as const)('faults an access at %i of %i bytes: not aligned, or across the end', (address, size) => {
    const bus = new Bus();
    bus.map(0x1000, 0x100, device('a'), COST);
    expect(bus.find(address, size)).toBeNull();
  });

  it('faults beyond 4 GiB, and reaches the last word below', () => {
    const bus = new Bus();
    const region = bus.map(0xffff_f000, 0x1000, device('a'), COST);
    expect(bus.find(0xffff_fffc, 4)).toBe(region);
    expect(bus.find(0x1_0000_0000, 4)).toBeNull();
    expect(() => bus.map(0xffff_f000, 0x2000, device('b'), COST)).toThrow('above 4 GiB');
  });

  it('keeps devices a page apart', () => {
    const bus = new Bus();
    bus.map(0x1000, 0x10, device('a'), COST);
    expect(() => bus.map(0x1800, 0x10, device('b'), COST)).toThrow('two devices on one page');
    bus.map(0x2000, 0x10, device('c'), COST);
  });

  it('does not let a region that spans whole directories cover another device', () => {
    const bus = new Bus();
    bus.map(0x3050_0000, 0x1000, device('a'), COST);
    expect(() => bus.map(0x3000_0000, 0x1000_0000, device('ECAM'), COST)).toThrow('two devices on one page');
  });

  it('frees the range of what was unmapped, once', () => {
    const bus = new Bus();
    const region = bus.map(0x4000_0000, 0x20_0000, device('BAR'), COST);
    bus.unmap(region);
    expect(bus.find(0x4000_0000, 4)).toBeNull();
    expect(bus.regions).toEqual([]);
    expect(() => bus.unmap(region)).toThrow('not on the bus');
    bus.map(0x400f_f000, 0x2000, device('other'), COST);
    expect(bus.find(0x4010_0ffc, 4)!.device.name).toBe('other');
  });

  it('says in a fault what was tried, and where', () => {
    expect(new BusFault('read', 0x4000_0000, 4).message).toBe('bus fault: read of 4 bytes at 0x40000000');
    expect(new BusFault('write', 0xff, 1).message).toBe('bus fault: write of 1 byte at 0x000000ff');
  });
});
