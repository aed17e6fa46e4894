import { describe, expect, it } from 'vitest';
import { CONFIG } from '../../../../hw/pci/config.ts';
import { PciFunction } from '../../../../hw/pci/function.ts';
import { E1000_IDENTITY, pciMachine, RAM_BASE, RAM_BYTES, Store, WINDOW } from '../../../support/pci-machine.ts';

const { BUS_MASTER, INTERRUPT_DISABLE, MEMORY_SPACE, IO_SPACE } = CONFIG.COMMAND_STATUS;
const COMMAND = 0x04;
const STATUS = 0x06;
const INTERRUPT_STATUS = 1 << 3;
const RECEIVED_MASTER_ABORT = 1 << 13;

function machine() {
  const m = pciMachine();
  const { pciFunction } = m.plug(1);
  return {
    ...m,
    pciFunction,
    command: (value: number) => pciFunction.configWrite(COMMAND, 2, value),
    status: () => pciFunction.configRead(STATUS, 2),
    pin: () => m.intx[1]!.level,
  };
}

describe('PCI bus master gate', () => {
  it('refuses DMA, and reads zeros, while Bus Master is off; nothing is aborted then', () => {
    const m = machine();
    m.ram.bytes.fill(0xaa);
    const buffer = new Uint8Array(8).fill(0x55);
    expect(m.pciFunction.busMasterEnabled).toBe(false);
    expect(m.pciFunction.dma.dmaRead(RAM_BASE, buffer, 2, 4)).toBe(false);
    expect([...buffer]).toEqual([0x55, 0x55, 0, 0, 0, 0, 0x55, 0x55]);
    expect(m.pciFunction.dma.dmaWrite(RAM_BASE, buffer, 0, 4)).toBe(false);
    expect(m.ram.bytes[0]).toBe(0xaa);
    expect(m.status()).toBe(0);
  });

  it('moves bytes both ways while Bus Master is on', () => {
    const m = machine();
    m.command(BUS_MASTER);
    expect(m.pciFunction.dma.dmaWrite(RAM_BASE + 5, Uint8Array.of(1, 2, 3), 1, 2)).toBe(true);
    const buffer = new Uint8Array(3);
    expect(m.pciFunction.dma.dmaRead(RAM_BASE + 4, buffer, 0, 3)).toBe(true);
    expect([...buffer]).toEqual([0, 2, 3]);
    expect(m.status()).toBe(0);
  });

  it.each([
    ['below RAM', RAM_BASE - 1],
    ['across its end', RAM_BASE + RAM_BYTES - 3],
    ['at its own BAR', WINDOW],
    ['beyond 32 bits', 2 ** 32 + RAM_BASE],
  ])('sets Received Master Abort for an access %s', (_, address) => {
    for (const direction of ['read', 'write'] as const) {
      const m = machine();
      m.command(BUS_MASTER | MEMORY_SPACE);
      m.pciFunction.configWrite(0x10, 4, WINDOW);
      const buffer = new Uint8Array(4).fill(9);
      const { dma } = m.pciFunction;
      const done = direction === 'read' ? dma.dmaRead(address, buffer, 0, 4) : dma.dmaWrite(address, buffer, 0, 4);
      expect(done).toBe(false);
      expect(m.status()).toBe(RECEIVED_MASTER_ABORT);
      expect(m.ram.bytes.every(byte => byte === 0)).toBe(true);
    }
  });
});

describe('PCI INTx pin', () => {
  it('follows the level, and the status register shows it', () => {
    const m = machine();
    m.pciFunction.setInterrupt(true);
    expect([m.pin(), m.status()]).toEqual([true, INTERRUPT_STATUS]);
    m.pciFunction.setInterrupt(false);
    expect([m.pin(), m.status()]).toEqual([false, 0]);
  });

  it('is kept low by Interrupt Disable, while the status register goes on showing the condition', () => {
    const m = machine();
    m.pciFunction.setInterrupt(true);
    m.command(INTERRUPT_DISABLE);
    expect(m.pciFunction.interruptDisabled).toBe(true);
    expect([m.pin(), m.status()]).toEqual([false, INTERRUPT_STATUS]);
    m.command(0);
    expect(m.pin()).toBe(true);
    m.command(INTERRUPT_DISABLE);
    m.pciFunction.setInterrupt(false);
    m.command(0);
    expect([m.pin(), m.status()]).toEqual([false, 0]);
  });

  it('drives nothing for a function without a pin', () => {
    const m = pciMachine();
    const { pciFunction } = m.plug(1, { interruptPin: 0 });
    pciFunction.setInterrupt(true);
    expect(m.intx.map(line => line.level)).toEqual([false, false, false, false]);
  });
});

describe('PCI function', () => {
  it('tells its device of a command written, and an observer of BARs that decode', () => {
    const m = machine();
    const seen: string[] = [];
    m.pciFunction.onCommand = command => seen.push(`command ${command}`);
    m.pciFunction.onBar = (bar, base) => seen.push(`BAR${bar} ${base}`);
    m.pciFunction.configWrite(0x10, 4, WINDOW);
    m.pciFunction.configWrite(0x14, 4, 0x1000);
    m.command(MEMORY_SPACE | IO_SPACE);
    m.pciFunction.configWrite(0x14, 4, 0x1040);
    m.pciFunction.configWrite(0x18, 4, 0x1040);
    m.command(MEMORY_SPACE);
    expect(seen).toEqual([`BAR0 ${WINDOW}`, 'BAR1 4096', 'command 3', 'BAR1 4160', 'BAR1 null', 'command 2']);
  });

  it('decodes, once plugged in, what was configured before', () => {
    const m = pciMachine();
    const store = new Store('memory');
    const pciFunction = new PciFunction(E1000_IDENTITY, [{ kind: 'memory', sizeBytes: 4096, device: store }], m.ram);
    pciFunction.configWrite(0x10, 4, WINDOW);
    pciFunction.configWrite(COMMAND, 2, MEMORY_SPACE);
    pciFunction.setInterrupt(true);
    m.bridge.insert(3, pciFunction);
    expect(m.io.read32(WINDOW + 8)).toBe(8);
    expect(m.intx[3]!.level).toBe(true);
  });

  it('restores decoding and pin with its configuration', () => {
    const m = machine();
    m.pciFunction.configWrite(0x10, 4, WINDOW + 0x2_0000);
    m.command(MEMORY_SPACE);
    m.pciFunction.setInterrupt(true);
    const other = machine();
    other.pciFunction.load(m.pciFunction.save());
    expect(other.io.read32(WINDOW + 0x2_0004)).toBe(4);
    expect(other.pin()).toBe(true);
    other.pciFunction.load(machine().pciFunction.save());
    expect(() => other.io.read32(WINDOW + 0x2_0004)).toThrow('bus fault');
    expect(other.pin()).toBe(false);
  });

  it.each([
    [{ kind: 'memory', sizeBytes: 0x3000 } as const],
    [{ kind: 'memory', sizeBytes: 8 } as const],
    [{ kind: 'io', sizeBytes: 2 } as const],
  ])('cannot have a region of %o', bar => {
    const { ram } = pciMachine();
    expect(() => new PciFunction(E1000_IDENTITY, [{ ...bar, device: new Store('') }], ram)).toThrow('power of two');
  });
});
