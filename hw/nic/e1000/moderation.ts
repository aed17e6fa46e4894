/**
 * A pair of interrupt delay timers: the relative one starts again at each event and so waits for silence, the absolute
 * one runs from the first event and bounds the wait. RDTR with RADV, TIDV with TADV. 82540EM manual, sections 3.2.7.1
 * and 13.4.44. Both count units of 1.024 microseconds.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';

const UNIT_NS = 1024;

export interface ModerationState {
  readonly relative: TimerState;
  readonly absolute: TimerState;
}

export class Moderation {
  readonly #fire: () => void;
  readonly #relative: Timer;
  readonly #absolute: Timer;

  /** `fire` raises the cause. */
  constructor(clock: Clock, fire: () => void) {
    this.#fire = fire;
    this.#relative = clock.timer(() => this.flush());
    this.#absolute = clock.timer(() => this.flush());
  }

  /** Something happened that is to be told after `relativeUnits` of silence, or `absoluteUnits` (0: unbounded). */
  delay(relativeUnits: number, absoluteUnits: number): void {
    this.#relative.armIn(relativeUnits * UNIT_NS);
    if (absoluteUnits !== 0 && !this.#absolute.armed) this.#absolute.armIn(absoluteUnits * UNIT_NS);
  }

  /** Tells at once; whatever was waiting is told with it. */
  flush(): void {
    this.cancel();
    this.#fire();
  }

  cancel(): void {
    this.#relative.cancel();
    this.#absolute.cancel();
  }

  save(): ModerationState {
    return { relative: this.#relative.save(), absolute: this.#absolute.save() };
  }

  load(state: ModerationState): void {
    this.#relative.load(state.relative);
    this.#absolute.load(state.absolute);
  }
}
