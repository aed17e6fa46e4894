/**
 * What the kernel offers its larger parts, the network stack first of all. `Kernel` is the one implementation; the
 * interfaces are here so that a part can be read, and tested, without the rest.
 *
 * Who may run when: interrupt handlers run at any bus access of other code while interrupts are enabled. All else
 * (deferred work, timers, tasks) runs from the kernel's `step`, one after the other, never nested. So what handlers do
 * not touch needs no lock; and what they do touch is safe between two bus accesses, for nothing can come in between.
 */
import type { DeferredWork } from './driver-api.ts';
import type { PacketPool } from './packet-pool.ts';
import type { Timer } from './timer.ts';
import type { KernelTrace } from './trace.ts';

/** Messages and observation: the same object for all parts, so that an observer set later is seen everywhere. */
export interface Observed {
  readonly trace: KernelTrace | null;
  /** One line for the console, without line end. Usable from interrupt handlers. */
  log(text: string): void;
}

export interface KernelContext extends Observed {
  readonly hostname: string;
  readonly packets: PacketPool;
  /** Nanoseconds since power-on, in steps of 100. */
  nowNs(): number;
  /** A timer, not armed. `fire` runs as deferred work does: interrupts enabled, no task running. */
  timer(fire: () => void): Timer;
  /** `work` returns true when more is left, and is then run again after other work had its turn. */
  deferred(name: string, work: () => boolean): DeferredWork;
  /** A random word, int32, from this host's seeded stream. */
  random(): number;
}
