/** The clock's event queue against a list that is sorted anew whenever something is looked for. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Clock, type Timer } from '../../hw/sim/clock.ts';

const TIMERS = 6;

interface Entry {
  readonly id: number;
  readonly dueNs: number;
  readonly seq: number;
}

/** What timer `id` does when it fires: arms another, or itself. */
interface Reaction {
  readonly target: number;
  readonly delayNs: number;
}

class Model {
  nowNs = 0;
  seq = 0;
  queue: Entry[] = [];
  readonly reactions = new Map<number, Reaction>();
  readonly log: string[] = [];

  arm(id: number, delayNs: number): void {
    this.cancel(id);
    this.queue.push({ id, dueNs: this.nowNs + delayNs, seq: this.seq++ });
  }

  cancel(id: number): void {
    this.queue = this.queue.filter(entry => entry.id !== id);
  }

  run(untilNs: number): void {
    for (;;) {
      this.queue.sort((a, b) => a.dueNs - b.dueNs || a.seq - b.seq);
      const next = this.queue[0];
      if (next === undefined || next.dueNs > untilNs) break;
      this.queue.shift();
      this.nowNs = next.dueNs;
      this.log.push(`${next.id}@${this.nowNs}`);
      const reaction = this.reactions.get(next.id);
      this.reactions.delete(next.id);
      if (reaction !== undefined) this.arm(reaction.target, reaction.delayNs);
    }
    this.nowNs = untilNs;
  }
}

class Real {
  clock = new Clock();
  timers: Timer[] = this.build();
  readonly reactions = new Map<number, Reaction>();
  readonly log: string[] = [];

  build(): Timer[] {
    return Array.from({ length: TIMERS }, (_, id) => this.clock.timer(() => this.fire(id)));
  }

  fire(id: number): void {
    this.log.push(`${id}@${this.clock.nowNs}`);
    const reaction = this.reactions.get(id);
    this.reactions.delete(id);
    if (reaction !== undefined) this.timers[reaction.target]!.armIn(reaction.delayNs);
  }

  /** Goes on in another clock, restored from this one; the timers come in any order. */
  restore(order: readonly number[]): void {
    const saved = { clock: this.clock.save(), timers: this.timers.map(timer => timer.save()) };
    this.clock = new Clock();
    this.timers = this.build();
    this.clock.load(saved.clock);
    for (const id of order) this.timers[id]!.load(saved.timers[id]!);
  }
}

function command(text: string, model: (m: Model) => void, real: (r: Real) => void): fc.Command<Model, Real> {
  return {
    check: () => true,
    toString: () => text,
    run: (m, r) => {
      model(m);
      real(r);
      if (m.log.join() !== r.log.join()) throw new Error(`${text}: expected ${m.log}, got ${r.log}`);
      if (m.nowNs !== r.clock.nowNs) throw new Error(`${text}: it should be ${m.nowNs}, not ${r.clock.nowNs}`);
      const next = Math.min(...m.queue.map(entry => entry.dueNs));
      if (next !== r.clock.nextDueNs) throw new Error(`${text}: next is ${next}, not ${r.clock.nextDueNs}`);
      const armed = m.queue.map(entry => entry.id).sort();
      const realArmed = r.timers.flatMap((timer, id) => (timer.armed ? [id] : []));
      if (armed.join() !== realArmed.join()) throw new Error(`${text}: armed are ${realArmed}, not ${armed}`);
    },
  };
}

const id = fc.nat(TIMERS - 1);
/** Few and small, so that ties are common. */
const delayNs = fc.nat(4);

const commands = [
  fc.tuple(id, delayNs).map(([timer, delay]) =>
    command(
      `arm ${timer} in ${delay}`,
      m => m.arm(timer, delay),
      r => r.timers[timer]!.armIn(delay),
    ),
  ),
  fc.tuple(id, id, delayNs).map(([timer, target, delay]) =>
    command(
      `when ${timer} fires, arm ${target} in ${delay}`,
      m => void m.reactions.set(timer, { target, delayNs: delay }),
      r => void r.reactions.set(timer, { target, delayNs: delay }),
    ),
  ),
  id.map(timer =>
    command(
      `cancel ${timer}`,
      m => m.cancel(timer),
      r => r.timers[timer]!.cancel(),
    ),
  ),
  delayNs.map(delay =>
    command(
      `run ${delay}`,
      m => m.run(m.nowNs + delay),
      r => r.clock.run(r.clock.nowNs + delay),
    ),
  ),
  delayNs.map(delay =>
    command(
      `advance ${delay}`,
      m => m.run(m.nowNs + delay),
      r => r.clock.advance(delay),
    ),
  ),
  fc.shuffledSubarray([...Array(TIMERS).keys()], { minLength: TIMERS }).map(order =>
    command(
      `save, load in order ${order}`,
      () => {},
      r => r.restore(order),
    ),
  ),
];

describe('event queue against a sorted list', () => {
  it('fires in order of time, then of arming, through cancelling, re-arming, saving and loading', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 80, size: 'max' }), sequence => {
        fc.modelRun(() => ({ model: new Model(), real: new Real() }), sequence);
      }),
      { numRuns: 300 },
    );
  });
});
