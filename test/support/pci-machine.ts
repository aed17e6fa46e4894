/** A bus with RAM, a host bridge and a way to plug in functions whose BARs are plain storage. */
import { type AccessCost, type AccessSize, Bus, type BusDevice } from '../../hw/bus/bus.ts';
import { Line } from '../../hw/bus/line.ts';
import { Ram } from '../../hw/bus/ram.ts';
import { PciFunction, type PciIdentity } from '../../hw/pci/function.ts';
import { HostBridge } from '../../hw/pci/host-bridge.ts';
import { BusIo } from './bus-io.ts';

export const ECAM = 0x3000_0000;
export const PORTS = 0x0300_0000;
export const WINDOW = 0x4000_0000;
export const WINDOW_END = 0x8000_0000;
export const RAM_BASE = 0x8000_0000;
export const RAM_BYTES = 0x1_0000;

const COST: AccessCost = { readNs: 0, writeNs: 0 };

/** The 82540EM's identity and BARs. */
export const E1000_IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x100e,
  revision: 3,
  classCode: 0x02_00_00,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
  interruptPin: 1,
};
export const E1000_MEMORY_BYTES = 0x2_0000;
const E1000_PORTS = 64;

/** Storage behind a BAR. Reads of words never written give the address of the word. */
export class Store implements BusDevice {
  readonly name: string;
  readonly words = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
  }

  read(offset: number, _size: AccessSize): number {
    return this.words.get(offset) ?? offset;
  }

  write(offset: number, _size: AccessSize, value: number): void {
    this.words.set(offset, value);
  }
}

export function pciMachine() {
  const bus = new Bus();
  const ram = new Ram(RAM_BASE, RAM_BYTES);
  bus.map(RAM_BASE, RAM_BYTES, ram, COST);
  const intx = [0, 1, 2, 3].map(index => new Line(`INT ${index}`));
  const bridge = new HostBridge(bus, intx, {
    ecam: { base: ECAM, sizeBytes: 0x1000_0000, cost: COST },
    io: { base: PORTS, sizeBytes: 0x1_0000, cost: COST },
    memory: { base: WINDOW, sizeBytes: WINDOW_END - WINDOW, cost: COST },
  });
  const io = new BusIo(bus);
  const config = (slot: number, register: number) => ECAM + (slot << 15) + register;

  /** A function like the e1000 in `slot`. */
  const plug = (slot: number, identity: Partial<PciIdentity> = {}) => {
    const memory = new Store('memory BAR');
    const ports = new Store('I/O BAR');
    const bars = [
      { kind: 'memory', sizeBytes: E1000_MEMORY_BYTES, device: memory },
      { kind: 'io', sizeBytes: E1000_PORTS, device: ports },
    ] as const;
    const pciFunction = new PciFunction({ ...E1000_IDENTITY, ...identity }, bars, ram);
    bridge.insert(slot, pciFunction);
    return { pciFunction, memory, ports };
  };
  return { bus, ram, intx, bridge, io, config, plug };
}
