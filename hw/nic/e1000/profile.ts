/**
 * Profiles: whose 82540EM this is. `strict` is the chip of the manual. `qemu72` behaves as the e1000 of QEMU 7.2 does,
 * for comparison with it and for software that was only ever run there; docs/e1000-profiles.md lists the differences.
 *
 * A profile is looked at in one place only, the bus side (`e1000.ts`). Most of the differences lie in how the NIC works
 * at all, not in details, so they are in an engine of their own, and the units of the one know nothing of the other.
 */
import type { RegisterMap } from '../../bus/registers.ts';
import type { PciIdentity } from '../../pci/function.ts';
import type { EngineMaker } from './engine.ts';
import { Qemu72Engine } from './qemu72/engine.ts';
import { QEMU72_REGISTERS } from './qemu72/registers.ts';
import { WireNetdev } from './qemu72/wire-netdev.ts';
import { E1000 } from './registers.ts';
import { StrictEngine } from './strict.ts';

export type ProfileName = 'strict' | 'qemu72';

export interface Profile {
  readonly name: ProfileName;
  /** What the registers store, and what reading does to them. E1000's registers are in their slots. */
  readonly registers: RegisterMap;
  /** An access to a part of a register acts on the whole, whatever the byte offset; else it reads, and writes nothing. */
  readonly partsAreWords: boolean;
  /** The I/O BAR leads to the registers; else it reads zero. */
  readonly ioWindow: boolean;
  readonly subsystem: Pick<PciIdentity, 'subsystemVendorId' | 'subsystemId'>;
  readonly engine: EngineMaker;
}

export const STRICT: Profile = Object.freeze({
  name: 'strict',
  registers: E1000,
  partsAreWords: false,
  ioWindow: true,
  subsystem: { subsystemVendorId: 0x8086, subsystemId: 0x100e },
  engine: (chip, phy, address) => new StrictEngine(chip, phy, address),
} satisfies Profile);

export const QEMU72: Profile = Object.freeze({
  name: 'qemu72',
  registers: QEMU72_REGISTERS,
  partsAreWords: true,
  ioWindow: false,
  subsystem: { subsystemVendorId: 0x1af4, subsystemId: 0x1100 },
  engine: (chip, phy, address) => new Qemu72Engine(chip, new WireNetdev(chip.clock, phy), address),
} satisfies Profile);

export const PROFILES: Readonly<Record<ProfileName, Profile>> = { strict: STRICT, qemu72: QEMU72 };
