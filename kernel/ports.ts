/**
 * What the kernel needs of the machine. The kernel imports nothing of `hw/`: whatever fits these interfaces can run
 * it. `src/world/host.ts` is where the compiler proves the fit.
 */

/** Interrupt causes as numbered in the RISC-V privileged specification. */
export const MACHINE_TIMER = 7;
export const MACHINE_EXTERNAL = 11;
export type Cause = 3 | 7 | 11;

/** The processor as the kernel sees it. Addresses are physical. An access that nothing answers throws. */
export interface Cpu {
  readonly interruptsEnabled: boolean;
  enableInterrupts(): void;
  disableInterrupts(): void;
  /** Sets or clears one bit of `mie`. */
  enableCause(cause: Cause, enabled: boolean): void;
  /** Ticks of 100 ns since power-on. */
  time(): number;
  /** Runs for `ns` nanoseconds without touching a device. */
  spend(ns: number): void;
  read8(address: number): number;
  read16(address: number): number;
  /** Unsigned. */
  read32(address: number): number;
  write8(address: number, value: number): void;
  write16(address: number, value: number): void;
  write32(address: number, value: number): void;
}

/** Main memory as the processor's caches show it: reading and writing it costs nothing. */
export interface Memory {
  /** Physical address of `bytes[0]`. */
  readonly base: number;
  readonly bytes: Uint8Array;
}
