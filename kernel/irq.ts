/**
 * The interrupt table: which handlers serve which source of the interrupt controller. Lines are level-triggered and
 * shared, so every handler of a source is called, and each says whether its device was the cause.
 *
 * Two mistakes would keep the CPU in handlers for ever, and end with the source disabled and a message:
 * - nobody's: no handler finds its device to be the cause, again and again (the driver looks at the wrong register, or
 *   a device interrupts before its driver is there);
 * - a storm: a handler says "handled" each time but never clears the cause, so the level stays high.
 *
 * `dispatch` runs with interrupts disabled, all else with interrupts as they are. Lists of handlers are replaced, never
 * changed, so a handler may release itself while its list is walked.
 */
import { blame, KernelBug } from './bug.ts';
import type { Observed } from './context.ts';
import type { InterruptController, InterruptHandler, Interrupts } from './driver-api.ts';
import type { Cpu } from './ports.ts';
import { TICK_NS } from './timer.ts';

/** Interrupts in a row for which nobody was the cause, after which a source is disabled. */
export const MAX_UNHANDLED = 1000;
/** Interrupts of one source within {@link STORM_WINDOW_NS} that make a storm: 3 times what gigabit Ethernet can need. */
export const STORM_COUNT = 5000;
const STORM_WINDOW_NS = 1_000_000;
const STORM_WINDOW_TICKS = STORM_WINDOW_NS / TICK_NS;
/** Sources of a RISC-V PLIC; 0 means none. */
const MAX_SOURCE = 1023;

interface Action {
  readonly name: string;
  readonly handler: InterruptHandler;
}

class Source {
  readonly number: number;
  actions: readonly Action[] = [];
  enabled = false;
  count = 0;
  unhandledCount = 0;
  /** Since somebody was the cause. */
  unhandledInRow = 0;
  windowTick = 0;
  windowCount = 0;

  constructor(number: number) {
    this.number = number;
  }

  get names(): string {
    return this.actions.map(action => action.name).join(', ') || 'no handler';
  }
}

/** A line of the table that a person reads. */
export interface IrqUsage {
  readonly irq: number;
  readonly names: string;
  readonly count: number;
  /** Interrupts for which nobody was the cause. */
  readonly unhandled: number;
  readonly enabled: boolean;
}

export class IrqTable implements Interrupts {
  readonly #kernel: Observed;
  readonly #cpu: Cpu;
  readonly #controller: InterruptController;
  readonly #sources: (Source | undefined)[] = [];
  /** The source being dispatched: claimed, not yet completed. */
  #current: Source | null = null;

  constructor(kernel: Observed, cpu: Cpu, controller: InterruptController) {
    this.#kernel = kernel;
    this.#cpu = cpu;
    this.#controller = controller;
  }

  /** See {@link Interrupts}. A source that was disabled for misbehaviour gets a new chance. */
  request(irq: number, name: string, handler: InterruptHandler): void {
    if (!(irq >= 1 && irq <= MAX_SOURCE)) throw new KernelBug(`${name} requested irq ${irq}`);
    const source = this.#source(irq);
    source.actions = [...source.actions, { name, handler }];
    source.unhandledInRow = 0;
    source.windowCount = 0;
    this.#enable(source, true);
  }

  /** See {@link Interrupts}. The line is disabled with its last handler. */
  release(irq: number, handler: InterruptHandler): void {
    const source = this.#sources[irq];
    const rest = source?.actions.filter(action => action.handler !== handler);
    if (source === undefined || rest!.length === source.actions.length) {
      throw new KernelBug(`irq ${irq} released by a handler that was not on it`);
    }
    source.actions = rest!;
    if (rest!.length === 0) this.#enable(source, false);
  }

  /**
   * Calls the handlers of a claimed source. False: it is to be disabled, but after its completion only, since a PLIC
   * ignores the completion of a source that is not enabled.
   */
  dispatch(irq: number): boolean {
    const source = this.#source(irq);
    this.#current = source;
    source.count += 1;
    if (this.#callHandlers(source)) source.unhandledInRow = 0;
    else this.#unhandled(source);
    this.#watchForStorm(source);
    this.#current = null;
    return source.enabled;
  }

  /** The sources that ever had a handler or an interrupt. */
  table(): readonly IrqUsage[] {
    return this.#sources
      .filter(source => source !== undefined)
      .map(({ number, names, count, unhandledCount, enabled }) => {
        return { irq: number, names, count, unhandled: unhandledCount, enabled };
      });
  }

  #callHandlers(source: Source): boolean {
    let anyHandled = false;
    for (const action of source.actions) {
      let handled: boolean;
      try {
        handled = action.handler();
      } catch (error) {
        throw blame(`interrupt handler "${action.name}" of irq ${source.number}`, error);
      }
      this.#kernel.trace?.irq(source.number, action.name, handled);
      if (handled) anyHandled = true;
    }
    return anyHandled;
  }

  #unhandled(source: Source): void {
    source.unhandledCount += 1;
    source.unhandledInRow += 1;
    if (source.unhandledInRow !== MAX_UNHANDLED) return;
    this.#enable(source, false);
    this.#kernel.log(`irq ${source.number}: nobody cared, ${MAX_UNHANDLED} times in a row (${source.names}); disabled`);
  }

  #watchForStorm(source: Source): void {
    const tick = this.#cpu.time();
    if (tick - source.windowTick >= STORM_WINDOW_TICKS) {
      source.windowTick = tick;
      source.windowCount = 0;
    }
    source.windowCount += 1;
    if (source.windowCount !== STORM_COUNT) return;
    this.#enable(source, false);
    this.#kernel.log(`irq ${source.number}: storm, ${STORM_COUNT} times in 1 ms (${source.names}); disabled`);
  }

  #source(irq: number): Source {
    this.#sources[irq] ??= new Source(irq);
    return this.#sources[irq];
  }

  /** The controller's driver may read, change and write back: no handler may do the same half-way through. */
  #enable(source: Source, on: boolean): void {
    source.enabled = on;
    if (source === this.#current) return;
    const interruptsEnabled = this.#cpu.interruptsEnabled;
    this.#cpu.disableInterrupts();
    if (on) this.#controller.enable(source.number);
    else this.#controller.disable(source.number);
    if (interruptsEnabled) this.#cpu.enableInterrupts();
  }
}
