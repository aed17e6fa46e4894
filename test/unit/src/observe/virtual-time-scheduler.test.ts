import fc from 'fast-check';
import {
  bufferTime,
  config,
  debounceTime,
  delay,
  interval,
  observeOn,
  of,
  type SchedulerLike,
  Subject,
  take,
  throttleTime,
  timeInterval,
  timer,
} from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Clock } from '../../../../hw/sim/clock.ts';
import { virtualTimeScheduler } from '../../../../src/observe/virtual-time-scheduler.ts';

const MS = 1_000_000;

/** A clock, its scheduler, and a journal of `[nanoseconds, value]`. */
function world(): {
  clock: Clock;
  scheduler: SchedulerLike;
  seen: [number, unknown][];
  note: (value: unknown) => void;
} {
  const clock = new Clock();
  const seen: [number, unknown][] = [];
  return { clock, scheduler: virtualTimeScheduler(clock), seen, note: value => seen.push([clock.nowNs, value]) };
}

describe('the scheduler on virtual time', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('counts milliseconds of virtual time, with fractions to the nanosecond', () => {
    const { clock, scheduler, seen, note } = world();
    interval(0.000_5, scheduler).pipe(take(2)).subscribe(note);
    timer(1.000_000_4, scheduler).subscribe(() => note('rounded'));
    timer(3, 2, scheduler).pipe(take(2)).subscribe(note);
    clock.run(10 * MS);
    expect(seen).toEqual([
      [500, 0],
      [1000, 1],
      [MS, 'rounded'],
      [3 * MS, 0],
      [5 * MS, 1],
    ]);
    expect(scheduler.now()).toBe(10);
  });

  it('serves the operators that keep time', () => {
    const { clock, scheduler, seen, note } = world();
    const source = new Subject<number>();
    source.pipe(bufferTime(10, scheduler)).subscribe(values => note(['buffer', ...values]));
    source.pipe(debounceTime(3, scheduler)).subscribe(value => note(['debounce', value]));
    source.pipe(throttleTime(6, scheduler)).subscribe(value => note(['throttle', value]));
    source.pipe(delay(1, scheduler)).subscribe(value => note(['delay', value]));
    source.pipe(timeInterval(scheduler), take(2)).subscribe(({ interval: ms }) => note(['interval', ms]));
    for (const [ms, value] of [
      [1, 10],
      [3, 20],
      [8, 30],
    ] as const) {
      clock.timer(() => source.next(value)).armAt(ms * MS);
    }
    clock.run(20 * MS);
    expect(seen.map(([ns, value]) => [ns / MS, value])).toEqual([
      [1, ['throttle', 10]],
      [1, ['interval', 1]],
      [2, ['delay', 10]],
      [3, ['interval', 2]],
      [4, ['delay', 20]],
      [6, ['debounce', 20]],
      [8, ['throttle', 30]],
      [9, ['delay', 30]],
      [10, ['buffer', 10, 20, 30]],
      [11, ['debounce', 30]],
      [20, ['buffer']],
    ]);
  });

  it('a debounce of any fraction ends within two nanoseconds of its time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000_000 }), fc.integer({ min: 1, max: 3_000_000 }), (atNs, dueNs) => {
        const { clock, scheduler, seen, note } = world();
        const source = new Subject<number>();
        source.pipe(debounceTime(dueNs / MS, scheduler)).subscribe(note);
        clock.timer(() => source.next(1)).armAt(0);
        clock.timer(() => source.next(2)).armAt(atNs);
        clock.run(10 * MS);
        const lastNs = seen.at(-1)![0];
        expect(lastNs - (atNs + dueNs)).toBeGreaterThanOrEqual(-1);
        expect(lastNs - (atNs + dueNs)).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('to unsubscribe disarms the timer, and Infinity never arms it', () => {
    const { clock, scheduler, seen, note } = world();
    const subscription = interval(1, scheduler).subscribe(note);
    timer(Number.POSITIVE_INFINITY, scheduler).subscribe(note);
    clock.run(2 * MS);
    subscription.unsubscribe();
    expect(clock.idle).toBe(true);
    expect(seen).toEqual([
      [MS, 0],
      [2 * MS, 1],
    ]);
  });

  it('work without a delay runs after what the world does at this time, not inside the call', () => {
    const { clock, scheduler, seen, note } = world();
    const late = clock.timer(() => note('world, armed later'));
    clock
      .timer(() => {
        of('observer').pipe(observeOn(scheduler)).subscribe(note);
        late.armIn(0);
        note('world');
      })
      .armAt(5);
    clock.run(5);
    expect(seen.map(([, value]) => value)).toEqual(['world', 'world, armed later', 'observer']);
  });

  it('a run that is watched takes the steps and events of one that is not', () => {
    const run = (watched: boolean) => {
      const { clock, scheduler } = world();
      const log: number[] = [];
      const beat = clock.timer(() => {
        log.push(clock.nowNs);
        if (log.length < 20) beat.armIn(MS / 4);
      });
      beat.armAt(0);
      if (watched) interval(0.25, scheduler).subscribe();
      clock.enqueue({ runSlice: () => clock.advance(2 * MS) });
      clock.run(5 * MS);
      return { log, state: clock.save() };
    };
    expect(run(true)).toEqual(run(false));
  });

  it('work that throws is reported, and the run goes on', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = error => reported.push(error);
    const { clock, scheduler, seen, note } = world();
    const boom = new Error('work');
    const action = scheduler.schedule(function () {
      this.schedule(undefined, 1);
      throw boom;
    }, 1);
    clock.timer(() => note('world')).armAt(3 * MS);
    clock.run(3 * MS);
    expect(seen).toEqual([[3 * MS, 'world']]);
    expect(action.closed).toBe(true);
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(reported).toEqual([boom]);
  });
});
