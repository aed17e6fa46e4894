/** The kernel's timers against a sorted list: any order of arming, re-arming, cancelling and passing of time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MACHINE_TIMER } from '../../kernel/ports.ts';
import { TICK_NS, type Timer, Timers } from '../../kernel/timer.ts';
import { FakeClockEvent, FakeCpu } from '../support/fake-cpu.ts';

const TIMER_COUNT = 6;
/** What fires timer 0 arms timer 1 again: timers are used from within `fire`. */
const CHAIN_TICKS = 7;

class Bench {
  readonly cpu = new FakeCpu();
  readonly clock = new FakeClockEvent(this.cpu);
  readonly fired: string[] = [];
  readonly timers: Timers;
  readonly all: Timer[];
  #scheduled = false;
  #work: () => boolean = () => false;

  constructor() {
    this.timers = new Timers(this.cpu, this.clock, (_name, work) => {
      this.#work = work;
      return { schedule: () => (this.#scheduled = true) };
    });
    this.all = Array.from({ length: TIMER_COUNT }, (_, i) => this.timers.timer(() => this.#fire(i)));
    this.cpu.trap = () => this.timers.interrupt();
    this.timers.start();
    this.cpu.enableCause(MACHINE_TIMER, true);
    this.cpu.enableInterrupts();
  }

  /** Time goes from interrupt to interrupt, up to `ticks` later. */
  pass(ticks: number): void {
    const until = this.cpu.time() + ticks;
    this.run();
    while (this.clock.tick <= until) {
      this.cpu.advanceTicks(this.clock.tick - this.cpu.time());
      this.run();
    }
    this.cpu.advanceTicks(until - this.cpu.time());
    this.run();
  }

  run(): void {
    this.clock.update();
    this.cpu.access();
    while (this.#scheduled) {
      this.#scheduled = false;
      if (this.#work()) this.#scheduled = true;
    }
  }

  #fire(i: number): void {
    this.fired.push(`${i}@${this.cpu.time()}`);
    if (i === 0) this.all[1]!.armIn(CHAIN_TICKS * TICK_NS);
  }
}

interface Armed {
  timer: number;
  due: number;
}

/** The same by hand: a list in the order of arming, searched for the first of the earliest. */
class Model {
  now = 0;
  armed: Armed[] = [];
  fired: string[] = [];

  arm(timer: number, ticks: number): void {
    this.cancel(timer);
    this.armed.push({ timer, due: this.now + ticks });
  }

  cancel(timer: number): void {
    this.armed = this.armed.filter(entry => entry.timer !== timer);
  }

  pass(ticks: number): void {
    const until = this.now + ticks;
    for (;;) {
      const next = this.armed.reduce<Armed | null>((best, x) => (best === null || x.due < best.due ? x : best), null);
      if (next === null || next.due > until) break;
      this.now = Math.max(this.now, next.due);
      this.cancel(next.timer);
      this.fired.push(`${next.timer}@${this.now}`);
      if (next.timer === 0) this.arm(1, CHAIN_TICKS);
    }
    this.now = until;
  }
}

type Command = fc.Command<Model, Bench>;
const check = () => true;

function settle(model: Model, bench: Bench): void {
  expect(bench.fired).toEqual(model.fired);
  expect(bench.all.map(timer => timer.armed)).toEqual(
    bench.all.map((_, i) => model.armed.some(({ timer }) => timer === i)),
  );
  // Never late; and an idle machine is not woken.
  const earliest = Math.min(...model.armed.map(({ due }) => due));
  expect(bench.clock.tick).toBeLessThanOrEqual(earliest);
  if (model.armed.length === 0) expect(bench.clock.tick).toBe(Number.POSITIVE_INFINITY);
}

const index = fc.nat(TIMER_COUNT - 1);
const ticks = fc.oneof(fc.nat(3), fc.nat(40));

const arm = fc.tuple(index, ticks, fc.integer({ min: 1, max: TICK_NS })).map(
  ([i, delay, lastNs]): Command => ({
    check,
    // 1 to 100 ns are one tick: rounded up.
    run: (model, bench) => {
      model.arm(i, delay + 1);
      bench.all[i]!.armIn(delay * TICK_NS + lastNs);
      model.pass(0);
      bench.pass(0);
      settle(model, bench);
    },
    toString: () => `arm(${i}, ${delay} ticks + ${lastNs} ns)`,
  }),
);
const cancel = index.map(
  (i): Command => ({
    check,
    run: (model, bench) => {
      model.cancel(i);
      bench.all[i]!.cancel();
      settle(model, bench);
    },
    toString: () => `cancel(${i})`,
  }),
);
const pass = ticks.map(
  (delta): Command => ({
    check,
    run: (model, bench) => {
      model.pass(delta);
      bench.pass(delta);
      settle(model, bench);
    },
    toString: () => `pass(${delta})`,
  }),
);

test('timers fire at their tick, ties in the order of arming, and never after a cancel', () => {
  fc.assert(
    fc.property(fc.commands([arm, cancel, pass], { maxCommands: 80 }), list => {
      fc.modelRun(() => ({ model: new Model(), real: new Bench() }), list);
    }),
  );
});

test('many timers due at once fire in several runs of deferred work, all in order', () => {
  const bench = new Bench();
  const order: number[] = [];
  const due = Array.from({ length: 50 }, (_, i) => bench.timers.timer(() => order.push(i)));
  for (const timer of due) timer.armIn(1000);
  bench.pass(10);
  expect(order).toEqual(due.map((_, i) => i));
});

test('a deadline moved back costs the hardware nothing; the last one cancelled silences it', () => {
  const bench = new Bench();
  const [timer] = bench.all;
  timer!.armIn(1000);
  const count = bench.clock.programmed.length;
  for (let i = 0; i < 20; i++) timer!.armIn(2000);
  expect(bench.clock.programmed.length).toBe(count);
  bench.pass(19);
  expect(bench.fired).toEqual([]);
  bench.pass(1);
  expect(bench.fired).toEqual(['0@20']);
  timer!.armIn(1000);
  for (const other of bench.all) other.cancel();
  expect(bench.clock.tick).toBe(Number.POSITIVE_INFINITY);
});

test('an earlier deadline armed by a handler while the hardware is being programmed is kept', () => {
  const bench = new Bench();
  let armed = false;
  const trap = bench.cpu.trap;
  bench.cpu.enableCause(11, true);
  bench.cpu.trap = cause => {
    if (cause !== 11) return trap(cause);
    bench.cpu.setInterrupt(11, false);
    bench.all[2]!.armIn(3 * TICK_NS);
  };
  bench.cpu.onAccess = () => {
    if (armed) return;
    armed = true;
    bench.cpu.setInterrupt(11, true);
  };
  bench.all[3]!.armIn(9 * TICK_NS);
  expect(bench.clock.tick).toBe(3);
  bench.pass(20);
  expect(bench.fired).toEqual(['2@3', '3@9']);
});

test('between the interrupt and the expiry, arming costs no further interrupt', () => {
  const bench = new Bench();
  bench.all[2]!.armIn(5 * TICK_NS);
  bench.cpu.advanceTicks(5);
  bench.clock.update();
  bench.cpu.access();
  const { trapCount } = bench.cpu;
  const count = bench.clock.programmed.length;
  for (const timer of bench.all.slice(3)) timer.armIn(2 * TICK_NS);
  expect([bench.cpu.trapCount, bench.clock.programmed.length]).toEqual([trapCount, count]);
  bench.pass(2);
  expect(bench.fired).toEqual(['2@5', '3@7', '4@7', '5@7']);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('a timer cannot be armed for %d ns', delayNs => {
  expect(() => new Bench().all[0]!.armIn(delayNs)).toThrow(`timer armed for ${delayNs} ns`);
});
