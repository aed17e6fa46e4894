/**
 * An rxjs scheduler on virtual time: `interval(1, scheduler)`, `bufferTime`, `debounceTime` and their like then count
 * the world's milliseconds, not the wall's. One unit is one millisecond of virtual time, fractions allowed, rounded to
 * the nanosecond; a positive delay is at least one nanosecond, so that an operator which waits for the rest of a
 * fraction gets on. `now()` is in the same unit. A delay of Infinity is never.
 *
 * Watching changes nothing: the clock fires these timers after everything else that it has for the same nanosecond and
 * counts them as no event and no step, so a run that is watched takes the steps of one that is not. They do keep the
 * clock from being idle, and they are no part of a saved state: unsubscribe before a state is loaded.
 *
 * Work that throws is reported as rxjs reports an unhandled error; neither clock nor hart sees the exception.
 */
import { type SchedulerAction, type SchedulerLike, Subscription, throwError } from 'rxjs';
import type { Clock, Timer } from '../../hw/sim/clock.ts';

const NS_PER_UNIT = 1_000_000;

/** The scheduler of one world. */
export function virtualTimeScheduler(clock: Clock): SchedulerLike {
  return {
    now: () => clock.nowNs / NS_PER_UNIT,
    schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delay = 0, state?: T): Subscription {
      return new VirtualAction<T>(clock, work).schedule(state, delay);
    },
  };
}

/** One piece of scheduled work. It runs once each time it is scheduled; to schedule it again replaces what waits. */
class VirtualAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #clock: Clock;
  readonly #timer: Timer;
  #state: T | undefined;

  constructor(clock: Clock, work: (this: SchedulerAction<T>, state: T) => void) {
    super(() => this.#timer.cancel());
    this.#clock = clock;
    this.#timer = clock.timer(() => {
      try {
        work.call(this, this.#state as T);
      } catch (error) {
        this.unsubscribe();
        throwError(() => error).subscribe();
      }
    });
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this;
    this.#state = state;
    const delayNs = delay > 0 ? Math.max(1, Math.round(delay * NS_PER_UNIT)) : 0;
    const dueNs = this.#clock.nowNs + delayNs;
    if (Number.isSafeInteger(dueNs)) this.#clock.armForObserver(this.#timer, dueNs);
    else this.#timer.cancel();
    return this;
  }
}
