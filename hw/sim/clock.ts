/**
 * The oscillator of the world: virtual time in integer nanoseconds, and the queue of what is to happen.
 *
 * Who does what: a device owns {@link Timer} objects and arms them. `run` is the only loop: it lets software that is
 * ready go first, then fires the next timer. While a hart runs software, each bus access calls `advance`, the nested
 * pump: hardware events up to the new time happen inside that access, as they would beside a busy CPU. The pump never
 * runs software, of any hart, and a device may not call it: time stands still while a timer fires.
 *
 * Order is (time, sequence of arming), so ties are first in, first out. Software that becomes ready is run in the
 * order in which it became ready. Where a run is cut into pieces changes nothing.
 */
import { assert } from '../../src/lib/assert.ts';
import { Heap, type HeapEntry } from '../../src/lib/heap.ts';

/** Software slices that may run at one instant before the world counts as stuck. */
const MAX_SLICES_PER_INSTANT = 1_000_000;

/** Sequence numbers from here on are those of observers' timers. */
const FIRST_OBSERVER_SEQ = 2 ** 52;

/** Anything that runs instructions: a hart. `runSlice` returns in bounded time and may call `Clock.advance`. */
export interface Runnable {
  runSlice(): void;
}

/** The state of an armed timer; null for one that is not armed. */
export type TimerState = { readonly dueNs: number; readonly seq: number } | null;

/** One thing that happens later. Owned and re-armed by one device; allocated once, never per event. */
export class Timer implements HeapEntry {
  /** Virtual time in nanoseconds at which the timer fires; meaningful while armed. */
  due = 0;
  seq = 0;
  pos = -1;
  readonly fire: () => void;
  readonly #clock: Clock;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.fire = fire;
  }

  get armed(): boolean {
    return this.pos >= 0;
  }

  /** Arms, or re-arms, for the absolute time `dueNs`, which must not lie in the past. */
  armAt(dueNs: number): void {
    this.#clock.arm(this, dueNs);
  }

  /** Arms, or re-arms, for `delayNs` from now. */
  armIn(delayNs: number): void {
    this.#clock.arm(this, this.#clock.nowNs + delayNs);
  }

  cancel(): void {
    this.#clock.cancel(this);
  }

  save(): TimerState {
    return this.armed ? { dueNs: this.due, seq: this.seq } : null;
  }

  load(state: TimerState): void {
    this.cancel();
    if (state !== null) this.#clock.restore(this, state);
  }
}

export interface ClockState {
  readonly nowNs: number;
  readonly seq: number;
  readonly eventCount: number;
  readonly stepCount: number;
}

export class Clock {
  #nowNs = 0;
  #seq = 0;
  #observerSeq = FIRST_OBSERVER_SEQ;
  #eventCount = 0;
  #stepCount = 0;
  #slicesNow = 0;
  readonly #queue = new Heap<Timer>();
  readonly #ready: Runnable[] = [];
  #readyHead = 0;
  #firing = false;

  /** Virtual time in nanoseconds since the world began. */
  get nowNs(): number {
    return this.#nowNs;
  }

  /** Timers fired since the world began. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Slices of software and timers between them, since the world began: the position of a run, for a journal. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** True when no software is ready and no timer is armed: nothing will ever happen again by itself. */
  get idle(): boolean {
    return this.#queue.size === 0 && this.#readyHead === this.#ready.length;
  }

  /** A timer of this clock that calls `fire` when it is due. */
  timer(fire: () => void): Timer {
    return new Timer(this, fire);
  }

  arm(timer: Timer, dueNs: number): void {
    assert(dueNs >= this.#nowNs && Number.isSafeInteger(dueNs), 'timer armed in the past or between two nanoseconds');
    timer.due = dueNs;
    timer.seq = this.#seq++;
    if (timer.pos < 0) this.#queue.push(timer);
    else this.#queue.update(timer);
  }

  /**
   * Arms a timer that only looks. It fires after the world's own timers of the same time, and counts as no event and
   * no step: a run that is watched takes the same steps as one that is not.
   */
  armForObserver(timer: Timer, dueNs: number): void {
    timer.cancel();
    this.restore(timer, { dueNs, seq: this.#observerSeq++ });
  }

  cancel(timer: Timer): void {
    if (timer.pos >= 0) this.#queue.remove(timer);
  }

  /** Puts software in line; it runs when `run` next looks. The caller makes sure that it is in line only once. */
  enqueue(software: Runnable): void {
    this.#ready.push(software);
  }

  /** The nested pump: moves time on by `deltaNs` and lets the hardware's events up to then happen. */
  advance(deltaNs: number): void {
    const untilNs = this.#nowNs + deltaNs;
    const first = this.#queue.peek();
    if (first === undefined || first.due > untilNs) {
      this.#nowNs = untilNs;
      return;
    }
    assert(!this.#firing, 'a device moved time while an event was firing');
    while (this.#fireNext(untilNs));
    this.#nowNs = untilNs;
  }

  /**
   * Runs the world up to and including `untilNs`, or until `stop` says so. Software that costs time may overshoot
   * `untilNs`, and may then still be ready; the next run goes on from there.
   */
  run(untilNs: number, stop?: () => boolean): void {
    while (stop?.() !== true) {
      if (this.#step(untilNs)) continue;
      if (this.#nowNs < untilNs) this.#nowNs = untilNs;
      return;
    }
  }

  /**
   * Repeats a recorded run: takes steps until `stepCount` have been taken since the world began, then lets time pass
   * to `nowNs`. Throws when the world has less to do, or more, which means that it is not the world that was recorded.
   */
  replayTo(stepCount: number, nowNs: number): void {
    while (this.#stepCount < stepCount) {
      if (!this.#step(nowNs)) throw new RangeError(`the run ends at step ${this.#stepCount}, before step ${stepCount}`);
    }
    if (this.#nowNs >= nowNs) return;
    while (this.nextDueNs <= nowNs && this.#queue.peek()!.seq >= FIRST_OBSERVER_SEQ) this.#fireNext(nowNs);
    if (this.#readyHead < this.#ready.length || this.nextDueNs <= nowNs) {
      throw new RangeError(`the run goes on before ${nowNs} ns, where it had nothing to do after step ${stepCount}`);
    }
    this.#nowNs = nowNs;
  }

  /** Time of the next timer in nanoseconds, or Infinity. */
  get nextDueNs(): number {
    return this.#queue.peek()?.due ?? Number.POSITIVE_INFINITY;
  }

  save(): ClockState {
    return { nowNs: this.#nowNs, seq: this.#seq, eventCount: this.#eventCount, stepCount: this.#stepCount };
  }

  /** Restores time and sequence; the owners of timers then load those. */
  load(state: ClockState): void {
    this.#nowNs = state.nowNs;
    this.#seq = state.seq;
    this.#eventCount = state.eventCount;
    this.#stepCount = state.stepCount;
  }

  /** Queues `timer` with the place in the order that it had when it was saved. */
  restore(timer: Timer, state: NonNullable<TimerState>): void {
    timer.due = state.dueNs;
    timer.seq = state.seq;
    this.#queue.push(timer);
  }

  /** One slice of software, or one timer. False when neither is to happen by `untilNs`. */
  #step(untilNs: number): boolean {
    if (this.#readyHead === this.#ready.length) {
      const timer = this.#queue.peek();
      if (!this.#fireNext(untilNs)) return false;
      if (timer!.seq >= FIRST_OBSERVER_SEQ) return true;
    } else {
      if (this.#nowNs > untilNs) return false;
      this.#runReady();
    }
    this.#stepCount += 1;
    return true;
  }

  #runReady(): void {
    const software = this.#ready[this.#readyHead++]!;
    if (this.#readyHead === this.#ready.length) this.#ready.length = this.#readyHead = 0;
    const beganNs = this.#nowNs;
    software.runSlice();
    this.#slicesNow = this.#nowNs === beganNs ? this.#slicesNow + 1 : 0;
    assert(this.#slicesNow < MAX_SLICES_PER_INSTANT, 'software stays ready for ever without spending time');
  }

  #fireNext(untilNs: number): boolean {
    const timer = this.#queue.peek();
    if (timer === undefined || timer.due > untilNs) return false;
    this.#queue.pop();
    this.#nowNs = timer.due;
    if (timer.seq < FIRST_OBSERVER_SEQ) this.#eventCount += 1;
    this.#slicesNow = 0;
    this.#firing = true;
    try {
      timer.fire();
    } finally {
      this.#firing = false;
    }
    return true;
  }
}
