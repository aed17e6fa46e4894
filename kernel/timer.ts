/**
 * Software timers: any number of them, over the one hardware timer of the hart.
 *
 * Deadlines are ticks of the `time` counter (100 ns). Armed timers stand in a heap; equal deadlines fire in the order
 * of arming. The hardware is programmed for the earliest deadline, or for none. Its interrupt only silences it and
 * schedules deferred work, which fires what is due: so every `fire` runs with interrupts enabled, outside of handlers.
 *
 * The heap is touched by all code, handlers included, but only between bus accesses. Programming the hardware is bus
 * accesses: it is done with interrupts disabled, for a handler that arms an earlier timer half-way through would have
 * its deadline overwritten.
 */
import { Heap, type HeapEntry } from '../src/lib/heap.ts';
import { KernelBug } from './bug.ts';
import type { ClockEvent, DeferredWork, DriverTimer } from './driver-api.ts';
import type { Cpu } from './ports.ts';

/** Nanoseconds in one tick of the `time` counter. */
export const TICK_NS = 100;
/** Timers fired before other deferred work has its turn. */
const FIRES_PER_RUN = 16;

/** A timer of {@link Timers}. Fires once per arming. `due`, `seq` and `pos` are the heap's. */
export class Timer implements DriverTimer, HeapEntry {
  due = 0;
  seq = 0;
  pos = -1;
  readonly fire: () => void;
  readonly #timers: Timers;

  constructor(timers: Timers, fire: () => void) {
    this.#timers = timers;
    this.fire = fire;
  }

  get armed(): boolean {
    return this.pos >= 0;
  }

  /** Arms, or re-arms, for `delayNs` from now, rounded up to a tick. Throws a KernelBug unless 0 <= delayNs < Infinity. */
  armIn(delayNs: number): void {
    this.#timers.arm(this, delayNs);
  }

  cancel(): void {
    if (this.pos >= 0) this.#timers.cancel(this);
  }
}

export class Timers {
  readonly #cpu: Cpu;
  readonly #clockEvent: ClockEvent;
  readonly #expiry: DeferredWork;
  readonly #heap = new Heap<Timer>();
  #nextSeq = 0;
  /** What the hardware is programmed for. May be too early, never too late. */
  #programmedTick = Number.POSITIVE_INFINITY;
  /** Expiry is scheduled or runs. It programs the hardware at its end, so nobody else need do so. */
  #expiring = false;

  constructor(cpu: Cpu, clockEvent: ClockEvent, deferred: (name: string, work: () => boolean) => DeferredWork) {
    this.#cpu = cpu;
    this.#clockEvent = clockEvent;
    this.#expiry = deferred('timers', () => this.#fireDue());
  }

  /** A timer, not armed. */
  timer(fire: () => void): Timer {
    return new Timer(this, fire);
  }

  /** Silences the hardware; for boot. */
  start(): void {
    this.#program(Number.POSITIVE_INFINITY);
  }

  /** The machine timer interrupt. The line stays high until the hardware is told of a later tick. */
  interrupt(): void {
    this.#program(Number.POSITIVE_INFINITY);
    this.#expiring = true;
    this.#expiry.schedule();
  }

  /** For {@link Timer} alone. */
  arm(timer: Timer, delayNs: number): void {
    if (!(delayNs >= 0 && delayNs < Number.POSITIVE_INFINITY)) throw new KernelBug(`timer armed for ${delayNs} ns`);
    timer.due = this.#cpu.time() + Math.ceil(delayNs / TICK_NS);
    timer.seq = this.#nextSeq++;
    if (timer.pos >= 0) this.#heap.update(timer);
    else this.#heap.push(timer);
    this.#reprogram();
  }

  /** For {@link Timer} alone; it is armed. */
  cancel(timer: Timer): void {
    this.#heap.remove(timer);
    this.#reprogram();
  }

  /** Deferred work. `fire` may arm and cancel any timer, so the heap is looked at anew each time. */
  #fireDue(): boolean {
    for (let fired = 0; fired < FIRES_PER_RUN; fired++) {
      const first = this.#heap.peek();
      if (first === undefined || first.due > this.#cpu.time()) {
        this.#expiring = false;
        this.#reprogram();
        return false;
      }
      this.#heap.pop();
      first.fire();
    }
    return true;
  }

  /**
   * Programs the hardware when the earliest deadline moved forward, or when nothing is armed any more. A deadline that
   * moved back is left as it is, which saves two accesses for each acknowledgement TCP receives: the interrupt then
   * comes early, finds nothing due, and programs the next.
   */
  #reprogram(): void {
    if (this.#expiring) return;
    const tick = this.#heap.peek()?.due ?? Number.POSITIVE_INFINITY;
    if (tick < this.#programmedTick || (tick !== this.#programmedTick && this.#heap.size === 0)) this.#program(tick);
  }

  #program(tick: number): void {
    const enabled = this.#cpu.interruptsEnabled;
    this.#cpu.disableInterrupts();
    this.#programmedTick = tick;
    this.#clockEvent.program(tick);
    if (enabled) this.#cpu.enableInterrupts();
  }
}
