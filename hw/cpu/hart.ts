/**
 * The hart contract: what the rest of the machine may know of a processor, whether it runs the TypeScript kernel
 * (`native/`) or machine code.
 *
 * A hart is {@link Runnable}: while it has something to do it stands in the clock's line, and each `runSlice` is
 * bounded. A hart that runs machine code executes exactly as many instructions as fit before the clock's next timer
 * (`Clock.nextDueNs`), then calls `Clock.advance` with their duration, so that an interrupt can arrive between any two
 * instructions. A hart that runs native code spends time at each bus access instead.
 *
 * Interrupt inputs are level-sensitive and carry the numbers of the machine-level causes of the RISC-V privileged
 * specification, table "Machine cause register values".
 */
import type { Runnable } from '../sim/clock.ts';

export const MACHINE_SOFTWARE = 3;
export const MACHINE_TIMER = 7;
export const MACHINE_EXTERNAL = 11;

/** An interrupt cause: the bit number in `mip` and `mie`. */
export type Cause = typeof MACHINE_SOFTWARE | typeof MACHINE_TIMER | typeof MACHINE_EXTERNAL;

/** `waiting` is WFI; `halted` is for ever, with the reason in `halted`. */
export type HartState = 'ready' | 'waiting' | 'halted';

export interface Hart extends Runnable {
  readonly hartId: number;
  readonly state: HartState;
  /** Why the hart halted, or null. */
  readonly fault: Error | null;
  /** Drives one interrupt input. Called by PLIC and CLINT, from a device event or an access. */
  setInterrupt(cause: Cause, level: boolean): void;
}
