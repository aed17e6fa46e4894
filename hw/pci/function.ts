/**
 * One PCI function, as a part that a device owns: its configuration space, the regions behind its BARs, its INTx pin,
 * and its way to memory. The device hands in a {@link BusDevice} per BAR and afterwards uses `dma` and `setInterrupt`;
 * the host bridge plugs the function into a slot and does the address decoding. PCI Local Bus Specification 3.0.
 *
 * Levels are levels: the device tells the function its interrupt condition after each change, and the pin follows from
 * that and from the command register's Interrupt Disable bit, in one place.
 */
import { assert } from '../../src/lib/assert.ts';
import type { AccessSize, BusDevice } from '../bus/bus.ts';
import type { LineSource } from '../bus/line.ts';
import type { BusMaster } from '../bus/ram.ts';
import { BAR_COUNT, CONFIG, CONFIG_BYTES, ConfigSpace } from './config.ts';

/** What lies behind one BAR. The index of the BAR is the position in the array; null where there is none. */
export interface BarSpec {
  readonly kind: 'memory' | 'io';
  /** A power of two: at least 16 for memory, 4 to 256 for I/O. */
  readonly sizeBytes: number;
  readonly device: BusDevice;
}

export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** Base class, subclass and programming interface: 24 bits. */
  readonly classCode: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  /** 1 is INTA; 0 is a function that never interrupts. */
  readonly interruptPin: 0 | 1 | 2 | 3 | 4;
}

/** What a function asks of the slot that it is plugged into. */
export interface PciSlot {
  /** The wire at the function's interrupt pin, or null without a pin. */
  readonly intx: LineSource | null;
  /** BAR `bar` now decodes at `base`, or not at all when null. Any address may come: the guest chose it. */
  place(bar: number, base: number | null): void;
}

/** The contents of configuration space; everything else follows from it. */
export type PciFunctionState = Int32Array;

export class PciFunction {
  readonly identity: PciIdentity;
  readonly bars: readonly (BarSpec | null)[];
  /**
   * Memory, as far as this function may reach it. Refuses while the command register's Bus Master bit is off, and sets
   * Received Master Abort in the status register when no memory answers. Refused reads fill with zeros.
   */
  readonly dma: BusMaster;
  /** For the device: the command register was written and is now `command`. */
  onCommand: ((command: number) => void) | null = null;
  /** Observation: BAR `bar` now decodes at `base`, null for not at all. */
  onBar: ((bar: number, base: number | null) => void) | null = null;
  readonly config: ConfigSpace;
  readonly #words: Int32Array;
  /** Where each BAR decodes at present, or null. */
  readonly #decoded: (number | null)[] = new Array(BAR_COUNT).fill(null);
  #slot: PciSlot | null = null;

  constructor(identity: PciIdentity, bars: readonly (BarSpec | null)[], memory: BusMaster) {
    this.identity = identity;
    this.bars = bars;
    this.config = configOf(bars);
    this.#words = this.config.registers.values;
    this.dma = new GatedMaster(this.#words, memory);
    this.#identify();
  }

  /** The command register: bits as {@link CONFIG}.COMMAND_STATUS declares them. */
  get command(): number {
    return this.#words[CONFIG.COMMAND_STATUS.n]! & 0xffff;
  }

  get busMasterEnabled(): boolean {
    return (this.command & CONFIG.COMMAND_STATUS.BUS_MASTER) !== 0;
  }

  get interruptDisabled(): boolean {
    return (this.command & CONFIG.COMMAND_STATUS.INTERRUPT_DISABLE) !== 0;
  }

  /** The device's interrupt condition, a level. The status register shows it; the pin does unless disabled. */
  setInterrupt(level: boolean): void {
    const slot = CONFIG.COMMAND_STATUS.n;
    if (level) this.#words[slot]! |= CONFIG.COMMAND_STATUS.INTERRUPT_STATUS;
    else this.#words[slot]! &= ~CONFIG.COMMAND_STATUS.INTERRUPT_STATUS;
    this.#drivePin();
  }

  /** Plugs the function in. Once, by the host bridge. */
  attach(slot: PciSlot): void {
    assert(this.#slot === null, 'a PCI function plugged in twice');
    this.#slot = slot;
    this.#redecode();
    this.#drivePin();
  }

  /** A configuration read. A conventional function has no extended space: all ones from 100h on. */
  configRead(offset: number, size: AccessSize): number {
    if (offset >= CONFIG_BYTES) return size === 4 ? -1 : 2 ** (8 * size) - 1;
    return this.config.read(offset, size);
  }

  /** A configuration write, with its effect on decoding and on the pin. */
  configWrite(offset: number, size: AccessSize, value: number): void {
    if (offset >= CONFIG_BYTES) return;
    const slot = this.config.write(offset, size, value);
    if (slot === CONFIG.COMMAND_STATUS.n) {
      this.#redecode();
      this.#drivePin();
      this.onCommand?.(this.command);
    } else if (slot >= CONFIG.BAR.n && slot < CONFIG.BAR.n + BAR_COUNT) {
      this.#redecode();
    }
  }

  save(): PciFunctionState {
    return this.config.registers.save();
  }

  load(state: PciFunctionState): void {
    this.config.registers.load(state);
    this.#redecode();
    this.#drivePin();
  }

  /** Brings the decoding of every BAR in line with the command register and the BARs. */
  #redecode(): void {
    for (let bar = 0; bar < this.bars.length; bar++) {
      const spec = this.bars[bar]!;
      if (spec === null) continue;
      const enable = spec.kind === 'io' ? CONFIG.COMMAND_STATUS.IO_SPACE : CONFIG.COMMAND_STATUS.MEMORY_SPACE;
      const base = (this.command & enable) === 0 ? null : this.config.barBase(bar);
      if (base === this.#decoded[bar] || this.#slot === null) continue;
      this.#decoded[bar] = base;
      this.#slot.place(bar, base);
      this.onBar?.(bar, base);
    }
  }

  #drivePin(): void {
    const word = this.#words[CONFIG.COMMAND_STATUS.n]!;
    const asserted = (word & CONFIG.COMMAND_STATUS.INTERRUPT_STATUS) !== 0;
    this.#slot?.intx?.set(asserted && (word & CONFIG.COMMAND_STATUS.INTERRUPT_DISABLE) === 0);
  }

  #identify(): void {
    const { vendorId, deviceId, revision, classCode, subsystemVendorId, subsystemId, interruptPin } = this.identity;
    this.#words[CONFIG.ID.n] = vendorId | (deviceId << 16);
    this.#words[CONFIG.CLASS_REVISION.n] = revision | (classCode << 8);
    this.#words[CONFIG.SUBSYSTEM.n] = subsystemVendorId | (subsystemId << 16);
    this.#words[CONFIG.INTERRUPT.n] = interruptPin << 8;
  }
}

/** DMA through the command register's gate. */
class GatedMaster implements BusMaster {
  readonly #words: Int32Array;
  readonly #memory: BusMaster;

  constructor(words: Int32Array, memory: BusMaster) {
    this.#words = words;
    this.#memory = memory;
  }

  dmaRead(address: number, target: Uint8Array, at: number, length: number): boolean {
    if (!this.#open()) {
      target.fill(0, at, at + length);
      return false;
    }
    return this.#memory.dmaRead(address, target, at, length) || this.#masterAbort();
  }

  dmaWrite(address: number, source: Uint8Array, at: number, length: number): boolean {
    if (!this.#open()) return false;
    return this.#memory.dmaWrite(address, source, at, length) || this.#masterAbort();
  }

  #open(): boolean {
    return (this.#words[CONFIG.COMMAND_STATUS.n]! & CONFIG.COMMAND_STATUS.BUS_MASTER) !== 0;
  }

  #masterAbort(): false {
    this.#words[CONFIG.COMMAND_STATUS.n]! |= CONFIG.COMMAND_STATUS.RECEIVED_MASTER_ABORT;
    return false;
  }
}

function configOf(bars: readonly (BarSpec | null)[]): ConfigSpace {
  assert(bars.length <= BAR_COUNT, 'a PCI function has at most six BARs');
  const addressMasks = new Int32Array(BAR_COUNT);
  const typeBits = new Int32Array(BAR_COUNT);
  for (const [index, bar] of bars.entries()) {
    if (bar === null) continue;
    const least = bar.kind === 'io' ? 4 : 16;
    assert(bar.sizeBytes >= least && Number.isInteger(Math.log2(bar.sizeBytes)), 'the size of a BAR is a power of two');
    addressMasks[index] = -bar.sizeBytes;
    typeBits[index] = bar.kind === 'io' ? 1 : 0;
  }
  return new ConfigSpace(addressMasks, typeBits);
}
