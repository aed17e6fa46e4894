/**
 * Counters: those of the hardware (13.7), which clear when read and are therefore added up here, and the driver's own.
 * All that a copper part counts is read, by one call of `NetDriverOps.statistics`; SYMERRS and SEC belong to parts with
 * a SerDes, MGTPRC, MGTPDC and MGTPTC to management, of which there is none.
 *
 * There is no timer to read them: a 32-bit counter sticks after 2**32 frames, which are 48 minutes of nothing but the
 * shortest frames at 1000 Mb/s, and octets are counted in 64 bits.
 */
import type { Mmio } from './mmio.ts';
import { COUNTERS, WIDE_COUNTERS } from './registers.ts';

/** What only the driver can count. */
export interface DriverCounters {
  /** Frames dropped because no packet was free to take their place in the ring. */
  rxNoBuffer: number;
  /** Frames that the hardware marked as damaged, or whose length cannot be. */
  rxErrors: number;
  /** Frames that took more than one descriptor. */
  rxMultiDescriptor: number;
  /** Frames whose TCP or UDP checksum is wrong, as the hardware has it; they are handed up all the same. */
  rxChecksumErrors: number;
  /** Frames that met too many collisions, or a late one. */
  txErrors: number;
}

const NARROW = Object.entries(COUNTERS);
const WIDE = Object.entries(WIDE_COUNTERS);

export class Statistics {
  readonly driver: DriverCounters = {
    rxNoBuffer: 0,
    rxErrors: 0,
    rxMultiDescriptor: 0,
    rxChecksumErrors: 0,
    txErrors: 0,
  };
  readonly #regs: Mmio;
  readonly #hardware: Record<string, number> = Object.fromEntries([...NARROW, ...WIDE].map(([name]) => [name, 0]));

  constructor(regs: Mmio) {
    this.#regs = regs;
  }

  /** Adds what the hardware has counted since the last time. A reset clears its counters: call this before one. */
  accumulate(): void {
    for (const [name, register] of NARROW) this.#hardware[name]! += this.#regs.read(register);
    for (const [name, register] of WIDE) {
      const low = this.#regs.read(register); // first: reading the high half clears both
      this.#hardware[name]! += low + this.#regs.read(register + 4) * 0x1_0000_0000;
    }
  }

  /** Totals since the device was found, hardware's by their names in the manual. */
  totals(): Readonly<Record<string, number>> {
    return { ...this.#hardware, ...this.driver };
  }
}
