/** Events per second: timers that re-arm themselves, so that the number of pending ones stays the same (hold model). */
import { Clock, type Timer } from '../../hw/sim/clock.ts';
import type { Variant } from './paired.ts';

const EVENTS = 100_000;

/** A clock with `pending` timers. */
export function events(pending: number): Variant {
  const clock = new Clock();
  for (let i = 0; i < pending; i++) {
    const timer: Timer = clock.timer(() => timer.armIn(1 + ((i * 7919) % 997)));
    timer.armAt(i + 1);
  }
  let goal = 0;
  return {
    name: `${pending} pending`,
    operations: EVENTS,
    run: () => {
      goal += EVENTS;
      clock.run(Number.MAX_SAFE_INTEGER, () => clock.eventCount >= goal);
    },
  };
}
