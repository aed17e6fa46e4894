/**
 * Driver of one hart's timer in the core-local interruptor (RISC-V ACLINT specification, chapter "MTIMER Device").
 */
import type { ClockEvent, Io } from '../kernel/driver-api.ts';

export const MTIMECMP = 0x4000;
export const MTIMECMP_PER_HART = 8;

const ALL_ONES = 0xffff_ffff;
const TWO_32 = 0x1_0000_0000;

export class ClintDriver implements ClockEvent {
  readonly #io: Io;
  readonly #low: number;
  readonly #high: number;

  /** `base` is the physical address of the CLINT. */
  constructor(io: Io, base: number, hartId: number) {
    this.#io = io;
    this.#low = base + MTIMECMP + hartId * MTIMECMP_PER_HART;
    this.#high = this.#low + 4;
  }

  /**
   * Two words are not written at once. With all ones in the high one the comparator lies in the far future whatever
   * the low one is, so nothing interrupts in between.
   */
  program(tick: number): void {
    const never = tick === Number.POSITIVE_INFINITY;
    this.#io.write32(this.#high, ALL_ONES);
    this.#io.write32(this.#low, never ? ALL_ONES : tick % TWO_32);
    if (!never) this.#io.write32(this.#high, Math.floor(tick / TWO_32));
  }
}
