/**
 * The PCI host bridge of the machine (1b36:0008 in slot 0) and its one bus of 32 slots. It answers configuration
 * cycles through ECAM (PCI Express Base Specification, "Enhanced Configuration Access Mechanism"), maps memory BARs on
 * the system bus, and forwards I/O accesses through a window.
 *
 * What decodes where is a function of the configuration registers alone, worked out anew after each change: a BAR that
 * lies outside its window, or on pages that a BAR of a lower slot holds, is not reachable until it moves. So software
 * may write anything to a BAR at any time, as it does when it sizes one with decoding on.
 */
import { assert } from '../../src/lib/assert.ts';
import { hex } from '../../src/lib/bytes.ts';
import type { AccessCost, AccessSize, Bus, BusDevice, Region } from '../bus/bus.ts';
import type { Line } from '../bus/line.ts';
import type { BusMaster } from '../bus/ram.ts';
import { CONFIG_BYTES } from './config.ts';
import { type BarSpec, PciFunction, type PciFunctionState, type PciIdentity, type PciSlot } from './function.ts';

const SLOT_COUNT = 32;
const PIN_COUNT = 4;
/** A memory BAR occupies whole pages of the system bus, however small it is. */
const PAGE_BYTES = 0x1000;

const HOST_BRIDGE: PciIdentity = {
  vendorId: 0x1b36,
  deviceId: 0x0008,
  revision: 0,
  classCode: 0x06_00_00,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
  interruptPin: 0,
};

/** The host bridge function itself is no bus master. */
const NO_MEMORY: BusMaster = { dmaRead: () => false, dmaWrite: () => false };

/** A range of the system bus that leads to PCI, and what an access through it costs. */
interface BridgeWindow {
  readonly base: number;
  readonly sizeBytes: number;
  readonly cost: AccessCost;
}

export interface BridgeWindows {
  /** Configuration space: 1 MiB per bus. */
  readonly ecam: BridgeWindow;
  /** I/O space from port 0 on. */
  readonly io: BridgeWindow;
  /** Memory space, at the same addresses on both sides. */
  readonly memory: BridgeWindow;
}

/** One BAR in one slot, and where it is to be found at present. */
interface Window {
  /** Slot, then BAR: the lower one wins where two overlap. */
  readonly order: number;
  readonly spec: BarSpec;
  /** Where the function decodes it; null while it does not. */
  base: number | null;
  /** On the system bus; null while it is not there, and always for I/O. */
  region: Region | null;
}

export class HostBridge {
  /** The bridge's own function, in slot 0. */
  readonly host = new PciFunction(HOST_BRIDGE, [], NO_MEMORY);
  readonly #bus: Bus;
  readonly #intx: readonly Line[];
  readonly #memory: BridgeWindow;
  readonly #functions: (PciFunction | null)[] = new Array(SLOT_COUNT).fill(null);
  readonly #memoryWindows: Window[] = [];
  readonly #ioWindows: Window[] = [];

  /**
   * Puts the bridge on `bus`. `intx` are four lines: the pin of number `pin` (INTA is 1) in slot `slot` drives
   * `intx[(slot + pin - 1) mod 4]`, which on this machine is interrupt source 32 plus that index.
   */
  constructor(bus: Bus, intx: readonly Line[], { ecam, io, memory }: BridgeWindows) {
    assert(intx.length === PIN_COUNT, 'a host bridge has four interrupt lines');
    this.#bus = bus;
    this.#intx = intx;
    this.#memory = memory;
    bus.map(ecam.base, ecam.sizeBytes, new Ecam(this.#functions), ecam.cost);
    bus.map(io.base, io.sizeBytes, new IoWindow(this.#ioWindows), io.cost);
    this.insert(0, this.host);
  }

  /** Plugs `pciFunction` into slot `slot`, 1 to 31, which must be empty. */
  insert(slot: number, pciFunction: PciFunction): void {
    assert(this.#functions[slot] === null, 'a PCI slot that is taken, or that the bus does not have');
    this.#functions[slot] = pciFunction;
    const windows = pciFunction.bars.map((spec, bar) => (spec === null ? null : this.#window(slot, bar, spec)));
    const { interruptPin } = pciFunction.identity;
    const pciSlot: PciSlot = {
      intx: interruptPin === 0 ? null : this.#intx[(slot + interruptPin - 1) % PIN_COUNT]!.source(),
      place: (bar, base) => {
        windows[bar]!.base = base;
        if (windows[bar]!.spec.kind === 'memory') this.#remap();
      },
    };
    pciFunction.attach(pciSlot);
  }

  /** The bridge's own configuration; the functions in the slots belong to their devices. */
  save(): PciFunctionState {
    return this.host.save();
  }

  load(state: PciFunctionState): void {
    this.host.load(state);
  }

  #window(slot: number, bar: number, spec: BarSpec): Window {
    const window: Window = { order: slot * 8 + bar, spec, base: null, region: null };
    const windows = spec.kind === 'memory' ? this.#memoryWindows : this.#ioWindows;
    windows.push(window);
    windows.sort((a, b) => a.order - b.order);
    return window;
  }

  /** Takes off the bus what no longer belongs there, then puts on it what now does. */
  #remap(): void {
    const windows = this.#memoryWindows;
    const reachable = windows.filter((window, index) => {
      const { base, region } = window;
      const wins = this.#inMemoryWindow(window) && !windows.slice(0, index).some(lower => overlap(lower, window));
      if (region !== null && (!wins || region.base !== base)) {
        this.#bus.unmap(region);
        window.region = null;
      }
      return wins;
    });
    for (const window of reachable) {
      const { sizeBytes, device } = window.spec;
      window.region ??= this.#bus.map(window.base!, sizeBytes, device, this.#memory.cost);
    }
  }

  #inMemoryWindow({ base, spec }: Window): boolean {
    const { base: start, sizeBytes } = this.#memory;
    return base !== null && base >= start && base + spec.sizeBytes <= start + sizeBytes;
  }
}

/** Whether two memory BARs claim a page of the bus in common. One that is not decoded claims none. */
function overlap(a: Window, b: Window): boolean {
  if (a.base === null || b.base === null) return false;
  const firstPage = (window: Window) => Math.floor(window.base! / PAGE_BYTES);
  const endPage = (window: Window) => Math.ceil((window.base! + window.spec.sizeBytes) / PAGE_BYTES);
  return firstPage(a) < endPage(b) && firstPage(b) < endPage(a);
}

/** What a read returns when nothing on a PCI bus answers. */
const allOnes = (size: AccessSize): number => (size === 4 ? -1 : 2 ** (8 * size) - 1);

/** Address: bus in bits 27:20, slot in 19:15, function in 14:12, register in 11:0. There is bus 0 alone. */
class Ecam implements BusDevice {
  readonly name = 'PCI ECAM';
  readonly #functions: readonly (PciFunction | null)[];

  constructor(functions: readonly (PciFunction | null)[]) {
    this.#functions = functions;
  }

  read(offset: number, size: AccessSize): number {
    const pciFunction = this.#at(offset);
    return pciFunction === null ? allOnes(size) : pciFunction.configRead(offset & 0xfff, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.#at(offset)?.configWrite(offset & 0xfff, size, value);
  }

  nameAt(offset: number): string {
    const slot = hex((offset >>> 15) & 31, 2).slice(2);
    const register = offset & 0xfff;
    const config = this.#at(offset)?.config.registers;
    const name = config === undefined || register >= CONFIG_BYTES ? '' : config.nameOf(config.slot(register));
    return `slot ${slot} ${name === '' ? hex(register, 3) : name}`;
  }

  #at(offset: number): PciFunction | null {
    if (offset >>> 20 !== 0 || (offset & 0x7000) !== 0) return null;
    return this.#functions[(offset >>> 15) & 31]!;
  }
}

/** I/O space. A BAR that holds 0 has not been set up, and does not answer. */
class IoWindow implements BusDevice {
  readonly name = 'PCI I/O window';
  readonly #windows: readonly Window[];

  constructor(windows: readonly Window[]) {
    this.#windows = windows;
  }

  read(offset: number, size: AccessSize): number {
    const window = this.#find(offset);
    return window === null ? allOnes(size) : window.spec.device.read(offset - window.base!, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    const window = this.#find(offset);
    window?.spec.device.write(offset - window.base!, size, value);
  }

  nameAt(offset: number): string {
    const window = this.#find(offset);
    if (window === null) return `port ${hex(offset, 4)}`;
    const { device } = window.spec;
    return `${device.name} ${device.nameAt?.(offset - window.base!) ?? `port ${hex(offset, 4)}`}`;
  }

  #find(offset: number): Window | null {
    for (let i = 0; i < this.#windows.length; i++) {
      const window = this.#windows[i]!;
      const { base, spec } = window;
      if (base !== null && base !== 0 && offset >= base && offset < base + spec.sizeBytes) return window;
    }
    return null;
  }
}
