/**
 * The NIC: an Intel 82540EM. This file is the bus side: PCI, the decoding of its two BARs, and observation. What works
 * behind the registers is the engine that the profile chooses; by default that is `strict.ts`, the chip of the manual.
 */
import { hex } from '../../../src/lib/bytes.ts';
import type { AccessSize, BusDevice } from '../../bus/bus.ts';
import type { BusMaster } from '../../bus/ram.ts';
import { M88E1011, type PhyState } from '../../ethernet/phy/phy.ts';
import { type BarSpec, PciFunction, type PciFunctionState, type PciIdentity } from '../../pci/function.ts';
import type { Clock } from '../../sim/clock.ts';
import type { Prng } from '../../sim/prng.ts';
import { Chip } from './chip.ts';
import type { Engine } from './engine.ts';
import { IO_WINDOW_BYTES, IoWindow } from './io-window.ts';
import { type Profile, STRICT } from './profile.ts';
import { REGISTER_SPACE_BYTES } from './registers.ts';
import type { E1000Taps } from './taps.ts';

const IDENTITY: Omit<PciIdentity, 'subsystemVendorId' | 'subsystemId'> = {
  vendorId: 0x8086,
  deviceId: 0x100e,
  revision: 3,
  classCode: 0x02_00_00,
  interruptPin: 1,
};

export interface E1000State {
  readonly pci: PciFunctionState;
  readonly registers: Int32Array;
  readonly phy: PhyState;
  readonly engine: unknown;
  readonly ioAddress: number;
}

export class E1000Nic implements BusDevice {
  readonly name = 'e1000';
  readonly pci: PciFunction;
  readonly phy: M88E1011;
  readonly profile: Profile;
  readonly #chip: Chip;
  readonly #engine: Engine;
  readonly #ioWindow: IoWindow;

  /** A NIC at power-on. `address` is the MAC address that its EEPROM holds: six octets. */
  constructor(clock: Clock, memory: BusMaster, prng: Prng, address: Uint8Array, profile: Profile = STRICT) {
    this.profile = profile;
    this.#ioWindow = new IoWindow(profile.ioWindow ? this : null);
    const bars: readonly BarSpec[] = [
      { kind: 'memory', sizeBytes: REGISTER_SPACE_BYTES, device: this },
      { kind: 'io', sizeBytes: IO_WINDOW_BYTES, device: this.#ioWindow },
    ];
    this.pci = new PciFunction({ ...IDENTITY, ...profile.subsystem }, bars, memory);
    this.phy = new M88E1011(clock, prng.fork('phy'));
    this.#chip = new Chip(clock, this.pci, profile.registers);
    this.#engine = profile.engine(this.#chip, this.phy, address);
    this.pci.onCommand = () => this.#engine.commandWritten();
  }

  /** Observation; null unless somebody watches. */
  get taps(): E1000Taps | null {
    return this.#chip.taps;
  }

  set taps(taps: E1000Taps | null) {
    this.#chip.taps = taps;
    this.#chip.regs.onReserved =
      taps === null ? null : (name, bits) => taps.suspicion(`${name}: ${hex(bits)} is reserved or not implemented`);
  }

  // From the bus.

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.#readPart(offset, size);
    const value = this.#engine.read(this.#chip.regs.slot(offset));
    this.#chip.taps?.register(false, offset, value);
    return value;
  }

  /** Registers take whole words. The manual leaves anything else undefined; the profile says what becomes of it. */
  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 4) {
      this.#chip.taps?.suspicion(`write of ${size} bytes to ${this.nameAt(offset)}: registers are words`);
      if (!this.profile.partsAreWords) return;
    }
    this.#chip.taps?.register(true, offset, value);
    const slot = this.#chip.regs.slot(offset);
    this.#chip.regs.write(slot, value);
    this.#engine.written(slot);
  }

  /** The register at byte `offset` as software would read it, without side effects. */
  peek(offset: number): number {
    return this.#engine.peek(this.#chip.regs.slot(offset));
  }

  nameAt(offset: number): string {
    const slot = this.#chip.regs.slot(offset);
    return slot === 0 ? `${hex(offset, 5)} (no register)` : this.#chip.regs.nameOf(slot);
  }

  save(): E1000State {
    return {
      pci: this.pci.save(),
      registers: this.#chip.regs.save(),
      phy: this.phy.save(),
      engine: this.#engine.save(),
      ioAddress: this.#ioWindow.save(),
    };
  }

  /** `state` is what a NIC of the same profile has saved. */
  load(state: E1000State): void {
    this.pci.load(state.pci);
    this.#chip.regs.load(state.registers);
    this.phy.load(state.phy);
    this.#engine.load(state.engine);
    this.#ioWindow.load(state.ioAddress);
  }

  #readPart(offset: number, size: 1 | 2): number {
    this.#chip.taps?.suspicion(`read of ${size} bytes from ${this.nameAt(offset)}: registers are words`);
    const word = this.read(offset & ~3, 4) >>> (this.profile.partsAreWords ? 0 : 8 * (offset & 3));
    return word & (size === 1 ? 0xff : 0xffff);
  }
}
