/**
 * Driver of a PCI bus behind ECAM (PCI Local Bus Specification 3.0, chapter 6; for the addresses of configuration space
 * PCI Express Base Specification, section 7.2.2). It does what firmware does on other machines: finds the functions,
 * gives each BAR an address, and works out the interrupt lines. There is one bus, of functions without bridges.
 */
import type { BusDriver, Io, PciDevice } from '../kernel/driver-api.ts';

export const VENDOR_ID = 0x00;
export const DEVICE_ID = 0x02;
export const COMMAND = 0x04;
export const HEADER_TYPE = 0x0e;
export const BAR = 0x10;
export const INTERRUPT_LINE = 0x3c;
export const INTERRUPT_PIN = 0x3d;

export const COMMAND_IO_SPACE = 1 << 0;
export const COMMAND_MEMORY_SPACE = 1 << 1;
export const COMMAND_BUS_MASTER = 1 << 2;

const NO_FUNCTION = 0xffff;
const HEADER_LAYOUT = 0x7f;
const BAR_COUNT = 6;
const BAR_IO = 1 << 0;
const BAR_IO_TYPE_BITS = 0x3;
const BAR_MEMORY_TYPE_BITS = 0xf;
const BAR_64_BIT = 1 << 2;
const ALL_ONES = 0xffff_ffff;
const SLOT_COUNT = 32;
const SLOT_SHIFT = 15;
const PIN_COUNT = 4;

/** Where the bus lies, as the device tree says. */
interface PciBusPlace {
  /** Physical address of configuration space. */
  readonly ecam: number;
  /** The first address for memory BARs, and the one after the last. */
  readonly memory: number;
  readonly memoryEnd: number;
  /** The interrupt number of INTA in slot 0; slots take turns through four lines. */
  readonly firstIrq: number;
}

/** I/O BARs go from this port on: below are the fixed ports of a PC. */
const FIRST_PORT = 0x1000;
const END_OF_PORTS = 0x1_0000;

/** Hands out one address range after another, each aligned to its size. */
class Range {
  #next: number;
  readonly #end: number;

  constructor(start: number, end: number) {
    this.#next = start;
    this.#end = end;
  }

  take(sizeBytes: number): number {
    const address = Math.ceil(this.#next / sizeBytes) * sizeBytes;
    if (address + sizeBytes > this.#end) throw new Error(`no address range left for a BAR of ${sizeBytes} bytes`);
    this.#next = address + sizeBytes;
    return address;
  }
}

/** One function, with its configuration space at `config`. */
class FoundFunction implements PciDevice {
  readonly slot: number;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly bars: number[] = new Array(BAR_COUNT).fill(0);
  readonly irq: number;
  #hasIo = false;
  readonly #io: Io;
  readonly #config: number;

  constructor(io: Io, config: number, slot: number, firstIrq: number) {
    this.#io = io;
    this.#config = config;
    this.slot = slot;
    this.vendorId = io.read16(config + VENDOR_ID);
    this.deviceId = io.read16(config + DEVICE_ID);
    const pin = io.read8(config + INTERRUPT_PIN);
    this.irq = pin === 0 ? 0 : firstIrq + ((slot + pin - 1) % PIN_COUNT);
    io.write8(config + INTERRUPT_LINE, this.irq);
  }

  enable(): void {
    const io = this.#hasIo ? COMMAND_IO_SPACE : 0;
    const command = this.#io.read16(this.#config + COMMAND);
    this.#io.write16(this.#config + COMMAND, command | io | COMMAND_MEMORY_SPACE | COMMAND_BUS_MASTER);
  }

  /** Gives every BAR an address. Decoding is off meanwhile: a BAR that is being sized holds no address. */
  placeBars(memory: Range, ports: Range): void {
    const decoding = COMMAND_IO_SPACE | COMMAND_MEMORY_SPACE | COMMAND_BUS_MASTER;
    this.#io.write16(this.#config + COMMAND, this.#io.read16(this.#config + COMMAND) & ~decoding);
    for (let bar = 0; bar < BAR_COUNT; bar++) {
      const register = this.#config + BAR + 4 * bar;
      this.#io.write32(register, ALL_ONES);
      const probe = this.#io.read32(register);
      if (probe === 0) continue;
      if ((probe & BAR_IO) !== 0) {
        this.#hasIo = true;
        this.#io.write32(register, ports.take(sizeOf(probe & ~BAR_IO_TYPE_BITS)));
        continue;
      }
      this.bars[bar] = memory.take(sizeOf(probe & ~BAR_MEMORY_TYPE_BITS));
      this.#io.write32(register, this.bars[bar]!);
      if ((probe & BAR_64_BIT) !== 0) this.#io.write32(this.#config + BAR + 4 * ++bar, 0);
    }
  }
}

/** The size of a region is the lowest bit that its BAR stores. */
const sizeOf = (addressBits: number): number => (addressBits & -addressBits) >>> 0;

export class PciBus implements BusDriver {
  readonly name = 'pci';
  readonly #place: PciBusPlace;

  constructor(place: PciBusPlace) {
    this.#place = place;
  }

  /** Every function of the bus, with its BARs placed and its decoding off. */
  enumerate(io: Io): readonly PciDevice[] {
    const memory = new Range(this.#place.memory, this.#place.memoryEnd);
    const ports = new Range(FIRST_PORT, END_OF_PORTS);
    const found: FoundFunction[] = [];
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const config = this.#place.ecam + slot * 2 ** SLOT_SHIFT;
      if (io.read16(config + VENDOR_ID) === NO_FUNCTION) continue;
      const device = new FoundFunction(io, config, slot, this.#place.firstIrq);
      if ((io.read8(config + HEADER_TYPE) & HEADER_LAYOUT) === 0) device.placeBars(memory, ports);
      found.push(device);
    }
    return found;
  }
}
