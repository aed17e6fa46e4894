/** A processor's view of a bus for tests: accesses at physical addresses, with no time and no interrupts. */
import { type AccessSize, type Bus, BusFault } from '../../hw/bus/bus.ts';
import type { Io } from '../../kernel/driver-api.ts';

export class BusIo implements Io {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  read8 = (address: number): number => this.#read(address, 1) & 0xff;
  read16 = (address: number): number => this.#read(address, 2) & 0xffff;
  read32 = (address: number): number => this.#read(address, 4) >>> 0;
  write8 = (address: number, value: number): void => this.#write(address, 1, value);
  write16 = (address: number, value: number): void => this.#write(address, 2, value);
  write32 = (address: number, value: number): void => this.#write(address, 4, value | 0);

  #read(address: number, size: AccessSize): number {
    const region = this.#bus.find(address, size);
    if (region === null) throw new BusFault('read', address, size);
    return region.device.read(address - region.base, size);
  }

  #write(address: number, size: AccessSize, value: number): void {
    const region = this.#bus.find(address, size);
    if (region === null) throw new BusFault('write', address, size);
    region.device.write(address - region.base, size, value);
  }
}
