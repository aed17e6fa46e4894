import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock, type Runnable } from '../../../../hw/sim/clock.ts';

const TIMERS = 4;

/** What the next thing that happens does, whatever that thing is. */
type Action =
  | { readonly kind: 'arm'; readonly timer: number; readonly delayNs: number }
  | { readonly kind: 'cancel'; readonly timer: number }
  | { readonly kind: 'enqueue'; readonly software: number }
  | { readonly kind: 'spend'; readonly ns: number };

/** A world that follows a script: each timer that fires, and each slice of software, takes the next action from it. */
class World {
  readonly clock = new Clock();
  readonly log: string[] = [];
  readonly #script: Action[];
  readonly #timers = Array.from({ length: TIMERS }, (_, id) =>
    this.clock.timer(() => {
      this.log.push(`timer ${id} @${this.clock.nowNs}`);
      this.#act(false);
    }),
  );
  readonly #software: Runnable[] = [0, 1].map(id => ({
    runSlice: () => {
      this.log.push(`software ${id} @${this.clock.nowNs}`);
      this.#act(true);
      this.#act(true);
    },
  }));

  constructor(script: readonly Action[]) {
    this.#script = [...script];
    this.#timers[0]!.armAt(1);
    this.#timers[1]!.armAt(1);
    this.clock.enqueue(this.#software[0]!);
  }

  #act(isSoftware: boolean): void {
    const action = this.#script.shift();
    if (action === undefined) return;
    if (action.kind === 'arm') this.#timers[action.timer]!.armIn(action.delayNs);
    else if (action.kind === 'cancel') this.#timers[action.timer]!.cancel();
    else if (action.kind === 'enqueue') this.clock.enqueue(this.#software[action.software]!);
    else if (isSoftware) this.clock.advance(action.ns);
  }
}

const small = fc.nat(5);
const script = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('arm' as const), timer: fc.nat(TIMERS - 1), delayNs: small }),
    fc.record({ kind: fc.constant('cancel' as const), timer: fc.nat(TIMERS - 1) }),
    fc.record({ kind: fc.constant('enqueue' as const), software: fc.nat(1) }),
    fc.record({ kind: fc.constant('spend' as const), ns: small }),
  ),
  { maxLength: 60, size: 'max' },
);
const END_NS = 100;

const outcome = (world: World) => ({ log: world.log, clock: world.clock.save() });

describe('virtual clock', () => {
  it('makes no difference between one run and a run in pieces', () => {
    fc.assert(
      fc.property(script, fc.array(fc.nat(END_NS), { maxLength: 10 }), (actions, cuts) => {
        const whole = new World(actions);
        whole.clock.run(END_NS);
        const pieces = new World(actions);
        for (const cut of [...cuts.sort((a, b) => a - b), END_NS]) pieces.clock.run(cut);
        expect(outcome(pieces)).toEqual(outcome(whole));
      }),
    );
  });

  it('makes no difference when a run is stopped by a condition, and then goes on', () => {
    fc.assert(
      fc.property(script, fc.nat(30), (actions, stopAt) => {
        const whole = new World(actions);
        whole.clock.run(END_NS);
        const stopped = new World(actions);
        stopped.clock.run(END_NS, () => stopped.log.length >= stopAt);
        stopped.clock.run(END_NS);
        expect(outcome(stopped)).toEqual(outcome(whole));
      }),
    );
  });

  it('repeats a run up to any step', () => {
    fc.assert(
      fc.property(script, fc.nat(40), (actions, stopAt) => {
        const recorded = new World(actions);
        recorded.clock.run(END_NS, () => recorded.clock.stepCount >= stopAt);
        const repeated = new World(actions);
        repeated.clock.replayTo(recorded.clock.stepCount, recorded.clock.nowNs);
        expect(outcome(repeated)).toEqual(outcome(recorded));
      }),
    );
  });

  it('refuses to repeat a run that has more steps than this world', () => {
    const clock = new Clock();
    expect(() => clock.replayTo(1, 10)).toThrow('the run ends at step 0, before step 1');
  });

  it('runs software that is ready before the next timer, in the order in which it became ready', () => {
    const clock = new Clock();
    const log: string[] = [];
    const software = (name: string): Runnable => ({ runSlice: () => log.push(`${name} @${clock.nowNs}`) });
    clock.timer(() => log.push('timer')).armAt(0);
    clock.enqueue(software('a'));
    clock.enqueue(software('b'));
    clock.run(0);
    expect(log).toEqual(['a @0', 'b @0', 'timer']);
  });

  it('does not run software from inside the nested pump', () => {
    const clock = new Clock();
    const log: string[] = [];
    const other: Runnable = { runSlice: () => log.push('other') };
    clock
      .timer(() => {
        log.push('timer');
        clock.enqueue(other);
      })
      .armAt(5);
    clock.enqueue({
      runSlice: () => {
        clock.advance(10);
        log.push(`after the access @${clock.nowNs}`);
      },
    });
    clock.run(20);
    expect(log).toEqual(['timer', 'after the access @10', 'other']);
  });

  it('stands still while a timer fires', () => {
    const clock = new Clock();
    clock
      .timer(() => {
        clock.timer(() => {}).armIn(0);
        clock.advance(1);
      })
      .armAt(3);
    expect(() => clock.run(10)).toThrow('a device moved time while an event was firing');
  });

  it.each([[-1], [0.5], [Number.POSITIVE_INFINITY], [Number.NaN]])('arms no timer %f from now', delayNs => {
    const clock = new Clock();
    clock.run(10);
    expect(() => clock.timer(() => {}).armIn(delayNs)).toThrow('armed in the past or between two nanoseconds');
  });

  it('stops software that stays ready for ever without spending time', () => {
    const clock = new Clock();
    const busy: Runnable = { runSlice: () => clock.enqueue(busy) };
    clock.enqueue(busy);
    expect(() => clock.run(1)).toThrow('software stays ready for ever without spending time');
  });

  it('is idle when nothing will happen any more', () => {
    const clock = new Clock();
    expect(clock.idle).toBe(true);
    const timer = clock.timer(() => {});
    timer.armAt(4);
    expect([clock.idle, clock.nextDueNs]).toEqual([false, 4]);
    clock.run(4);
    expect([clock.idle, clock.nextDueNs, clock.eventCount]).toEqual([true, Number.POSITIVE_INFINITY, 1]);
  });
});
