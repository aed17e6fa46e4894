/**
 * The trap vector: why was the hart interrupted, and who serves that. Runs with interrupts disabled, in the middle of
 * whatever made the last bus access, and returns there.
 */
import type { Observed } from './context.ts';
import type { InterruptController } from './driver-api.ts';
import type { IrqTable } from './irq.ts';
import { type Cause, MACHINE_EXTERNAL, MACHINE_TIMER } from './ports.ts';
import type { Timers } from './timer.ts';

/** Sources served in one trap. When more are pending, the hart traps again, one instruction later. */
const MAX_CLAIMS = 16;

export class Traps {
  readonly #kernel: Observed;
  readonly #controller: InterruptController;
  readonly #irqs: IrqTable;
  readonly #timers: Timers;
  /** Traps in which the controller named no source: the line went low before the claim. */
  spuriousCount = 0;

  constructor(kernel: Observed, controller: InterruptController, irqs: IrqTable, timers: Timers) {
    this.#kernel = kernel;
    this.#controller = controller;
    this.#irqs = irqs;
    this.#timers = timers;
  }

  take(cause: Cause): void {
    this.#kernel.trace?.trap(cause);
    if (cause === MACHINE_EXTERNAL) this.#external();
    else if (cause === MACHINE_TIMER) this.#timers.interrupt();
  }

  #external(): void {
    for (let claimCount = 0; claimCount < MAX_CLAIMS; claimCount++) {
      const source = this.#controller.claim();
      this.#kernel.trace?.claim(source);
      if (source === 0) {
        if (claimCount === 0) this.spuriousCount += 1;
        return;
      }
      const keep = this.#irqs.dispatch(source);
      this.#controller.complete(source);
      this.#kernel.trace?.complete(source);
      if (!keep) this.#controller.disable(source);
    }
  }
}
