/**
 * What the units of the NIC share: the registers, the clock, the way to memory, and the observer. The device
 * (`e1000.ts`) owns the chip and the units; a unit knows the chip, and of other units only what its constructor says.
 */
import { RegisterFile, type RegisterMap } from '../../bus/registers.ts';
import type { PciFunction } from '../../pci/function.ts';
import type { Clock } from '../../sim/clock.ts';
import { REGISTER_SPACE_BYTES } from './registers.ts';
import type { E1000Taps, Ring } from './taps.ts';

/** From asking for the bus to the first data: arbitration, address phase, the target's latency. */
const BUS_LATENCY_NS = 300;
/** Four bytes a clock on a 32-bit bus at 66 MHz. */
const BUS_NS_PER_4_BYTES = 15;

/** Bytes of one descriptor, in every format. */
export const DESCRIPTOR_BYTES = 16;
/** Descriptors that the chip holds of each ring. */
export const CACHE_DESCRIPTORS = 64;

/** How long a bus master needs the bus to move `bytes`. */
export const busTimeNs = (bytes: number): number => BUS_LATENCY_NS + ((bytes * BUS_NS_PER_4_BYTES + 3) >> 2);

export class Chip {
  readonly clock: Clock;
  readonly pci: PciFunction;
  readonly regs: RegisterFile;
  /** Contents of the registers by slot: `words[RCTL.n]`. */
  readonly words: Int32Array;
  taps: E1000Taps | null = null;

  /** `map` has the registers of E1000 in their slots. */
  constructor(clock: Clock, pci: PciFunction, map: RegisterMap) {
    this.clock = clock;
    this.pci = pci;
    this.regs = new RegisterFile(map, REGISTER_SPACE_BYTES);
    this.words = this.regs.values;
  }

  /** Copies memory into the chip; zeros where there is no memory. */
  dmaRead(address: number, target: Uint8Array, at: number, length: number): void {
    this.pci.dma.dmaRead(address, target, at, length);
    if (this.taps !== null) this.taps.dma('read', address, length);
  }

  /** Copies to memory; nothing where there is none. */
  dmaWrite(address: number, source: Uint8Array, at: number, length: number): void {
    this.pci.dma.dmaWrite(address, source, at, length);
    if (this.taps !== null) this.taps.dma('write', address, length);
  }

  /** Tells the observer of `count` descriptors at `at` of `cache`, the first of which is the ring's `index`th. */
  tapDescriptors(
    ring: Ring,
    action: 'fetch' | 'write-back',
    index: number,
    address: number,
    cache: Uint8Array,
    at: number,
    count: number,
  ): void {
    const taps = this.taps;
    if (taps === null) return;
    for (let i = 0; i < count; i++) {
      const from = at + i * DESCRIPTOR_BYTES;
      const bytes = cache.subarray(from, from + DESCRIPTOR_BYTES);
      taps.descriptor(ring, index + i, address + i * DESCRIPTOR_BYTES, action, bytes);
    }
  }
}
