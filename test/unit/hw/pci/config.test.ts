import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessSize } from '../../../../hw/bus/bus.ts';
import { CONFIG } from '../../../../hw/pci/config.ts';
import { pciMachine } from '../../../support/pci-machine.ts';

const SLOT = 1;
const STATUS = 0x06;

function machine() {
  const m = pciMachine();
  const nic = m.plug(SLOT);
  return { ...m, ...nic, at: (register: number) => m.config(SLOT, register) };
}

describe('PCI configuration header', () => {
  it('is that of the 82540EM on QEMU: identity, class, subsystem, pin, no capability list', () => {
    const { io, at } = machine();
    const header = Array.from({ length: 16 }, (_, dword) => io.read32(at(4 * dword)));
    expect(header).toEqual([0x100e_8086, 0, 0x0200_0003, 0, 0, 1, 0, 0, 0, 0, 0, 0x1100_1af4, 0, 0, 0, 0x0000_0100]);
  });

  it('reads zero behind the header, and all ones in the extended space that it does not have', () => {
    const { io, at } = machine();
    expect(io.read32(at(0x40))).toBe(0);
    expect(io.read32(at(0xfc))).toBe(0);
    expect([io.read32(at(0x100)), io.read16(at(0xffe)), io.read8(at(0x100))]).toEqual([0xffff_ffff, 0xffff, 0xff]);
    io.write32(at(0x104), 7);
    expect(io.read16(at(0x04))).toBe(0);
  });

  it('lets software write the command bits 0507h alone', () => {
    const { io, at } = machine();
    io.write16(at(0x04), 0xffff);
    expect(io.read16(at(0x04))).toBe(0x0507);
    io.write32(at(0x04), 6);
    expect(io.read32(at(0x04))).toBe(6);
  });

  it('tells the size of a BAR by the bits that stay after writing all ones', () => {
    const { io, at } = machine();
    const sized = [0, 1, 2, 3, 4, 5].map(bar => {
      io.write32(at(0x10 + 4 * bar), 0xffff_ffff);
      return io.read32(at(0x10 + 4 * bar));
    });
    expect(sized).toEqual([0xfffe_0000, 0xffff_ffc1, 0, 0, 0, 0]);
  });

  it('has no expansion ROM', () => {
    const { io, at } = machine();
    io.write32(at(0x30), 0xffff_fffe);
    expect(io.read32(at(0x30))).toBe(0);
  });

  it('stores cache line size, latency timer and interrupt line, byte by byte', () => {
    const { io, at } = machine();
    io.write8(at(0x0c), 0x10);
    io.write8(at(0x0d), 0x40);
    io.write8(at(0x0e), 0xff);
    io.write8(at(0x3c), 33);
    io.write8(at(0x3d), 4);
    expect(io.read32(at(0x0c))).toBe(0x4010);
    expect(io.read32(at(0x3c))).toBe(0x0121);
  });

  it('clears a status bit only where a one is written to it', () => {
    const { io, at, pciFunction } = machine();
    io.write16(at(0x04), CONFIG.COMMAND_STATUS.BUS_MASTER);
    pciFunction.dma.dmaRead(0, new Uint8Array(4), 0, 4);
    expect(io.read16(at(STATUS))).toBe(1 << 13);
    io.write8(at(0x04), 7);
    io.write16(at(0x04), 7);
    io.write16(at(STATUS), 0xdfff);
    expect(io.read16(at(STATUS))).toBe(1 << 13);
    io.write8(at(STATUS + 1), 0x20);
    expect(io.read32(at(0x04))).toBe(7);
  });

  it('reads the same bytes at every width', () => {
    const offset = fc.nat(0xff);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(offset, fc.constantFrom<AccessSize>(1, 2, 4), fc.integer())),
        offset,
        (writes, probe) => {
          const { pciFunction } = pciMachine().plug(SLOT);
          for (const [at, size, value] of writes) pciFunction.configWrite(at - (at % size), size, value);
          const dword = pciFunction.configRead(probe & ~3, 4) >>> 0;
          const word = pciFunction.configRead(probe & ~1, 2);
          const byte = pciFunction.configRead(probe, 1);
          expect(word).toBe((dword >>> (8 * (probe & 2))) & 0xffff);
          expect(byte).toBe((dword >>> (8 * (probe & 3))) & 0xff);
        },
      ),
    );
  });

  it('takes a dword as it takes its four bytes one after another', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.integer(), fc.integer(), (dword, first, second) => {
        const whole = pciMachine().plug(SLOT).pciFunction;
        const bytes = pciMachine().plug(SLOT).pciFunction;
        for (const value of [first, second]) {
          whole.configWrite(4 * dword, 4, value);
          for (let lane = 0; lane < 4; lane++) bytes.configWrite(4 * dword + lane, 1, (value >>> (8 * lane)) & 0xff);
        }
        expect(bytes.save()).toEqual(whole.save());
      }),
    );
  });
});
