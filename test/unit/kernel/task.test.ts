import { beforeEach, expect, test } from 'vitest';
import { KernelBug } from '../../../kernel/bug.ts';
import { DeferredQueue } from '../../../kernel/deferred.ts';
import { MACHINE_EXTERNAL, MACHINE_TIMER } from '../../../kernel/ports.ts';
import type { Syscalls } from '../../../kernel/syscall.ts';
import { type Blocking, type Program, sleepOn, type Task, TaskExit, Tasks, WaitChannel } from '../../../kernel/task.ts';
import { Timers } from '../../../kernel/timer.ts';
import type { KernelTrace } from '../../../kernel/trace.ts';
import { FakeClockEvent, FakeCpu } from '../../support/fake-cpu.ts';

const TICK_NS = 100;

let cpu: FakeCpu;
let clock: FakeClockEvent;
let deferred: DeferredQueue;
let timers: Timers;
let tasks: Tasks;
let messages: string[];
let released: Task[];
let handler: () => void;
const kernel = { trace: null as KernelTrace | null, log: (text: string) => void messages.push(text) };

beforeEach(() => {
  cpu = new FakeCpu();
  clock = new FakeClockEvent(cpu);
  messages = [];
  released = [];
  handler = () => {};
  kernel.trace = null;
  deferred = new DeferredQueue(kernel);
  timers = new Timers(cpu, clock, (name, work) => deferred.create(name, work));
  tasks = new Tasks(
    kernel,
    fire => timers.timer(fire),
    task => ({ release: () => released.push(task) }) as Partial<Syscalls> as Syscalls,
  );
  cpu.trap = cause => {
    if (cause === MACHINE_TIMER) return timers.interrupt();
    cpu.setInterrupt(MACHINE_EXTERNAL, false);
    handler();
  };
  timers.start();
  cpu.enableCause(MACHINE_TIMER, true);
  cpu.enableCause(MACHINE_EXTERNAL, true);
  cpu.enableInterrupts();
});

/** Deferred work first, then tasks, until nothing is left to do. */
function run(): void {
  for (let steps = 0; deferred.runNext() || tasks.runNext(); steps++) {
    if (steps > 10_000) throw new Error('tasks never sleep');
  }
}

/** Time goes on to the programmed tick, and the timer interrupts. */
function pass(ticks: number): void {
  cpu.advanceTicks(ticks);
  clock.update();
  cpu.access();
  run();
}

/** A program that sleeps on `channel` once and notes what it was told. */
function sleeper(channel: WaitChannel, notes: unknown[], name: string, timeoutNs?: number): Task {
  return tasks.spawn(name, function* () {
    notes.push([name, yield* sleepOn(channel, timeoutNs)]);
  });
}

test('tasks run first ready, first run, each up to its next sleep', () => {
  const channel = new WaitChannel('channel');
  const ran: string[] = [];
  const program = (name: string): Program =>
    function* () {
      for (let round = 0; round < 2; round++) {
        ran.push(`${name}${round}`);
        yield* sleepOn(channel);
      }
    };
  for (const name of ['a', 'b', 'c']) tasks.spawn(name, program(name));
  run();
  expect(ran).toEqual(['a0', 'b0', 'c0']);
  channel.wakeAll();
  run();
  expect(ran).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'c1']);
});

test('wakeOne wakes the longest sleeper, wakeAll all of them, and neither anyone who is awake', () => {
  const channel = new WaitChannel('channel');
  const notes: unknown[] = [];
  for (const name of ['a', 'b', 'c']) sleeper(channel, notes, name);
  run();
  channel.wakeOne();
  run();
  expect(notes).toEqual([['a', true]]);
  channel.wakeAll();
  channel.wakeAll();
  run();
  expect(notes).toEqual([
    ['a', true],
    ['b', true],
    ['c', true],
  ]);
  expect(tasks.runNext()).toBe(false);
});

test('a sleep times out at its tick and not before, and the channel then knows the task no more', () => {
  const channel = new WaitChannel('channel');
  const notes: unknown[] = [];
  sleeper(channel, notes, 'a', 10 * TICK_NS);
  run();
  pass(9);
  expect(notes).toEqual([]);
  pass(1);
  expect(notes).toEqual([['a', false]]);
  channel.wakeAll();
  expect(tasks.runNext()).toBe(false);
});

test('a wake-up cancels the time-out', () => {
  const channel = new WaitChannel('channel');
  const notes: unknown[] = [];
  sleeper(channel, notes, 'a', 10 * TICK_NS);
  run();
  channel.wakeOne();
  run();
  expect(notes).toEqual([['a', true]]);
  expect(clock.tick).toBe(Number.POSITIVE_INFINITY);
});

test('a task that was woken in time, but runs only after its time-out, was woken', () => {
  const channel = new WaitChannel('channel');
  const notes: unknown[] = [];
  sleeper(channel, notes, 'a', 10 * TICK_NS);
  run();
  channel.wakeOne();
  pass(10);
  expect(notes).toEqual([['a', true]]);
});

test('no wake-up is lost: a handler that wakes the channel while the time-out is being armed finds the task there', () => {
  const channel = new WaitChannel('channel');
  const notes: unknown[] = [];
  let ready = false;
  tasks.spawn('reader', function* (): Blocking<void> {
    while (!ready) notes.push(yield* sleepOn(channel, 1000 * TICK_NS));
  });
  handler = () => {
    ready = true;
    channel.wakeAll();
  };
  // The interrupt comes with the first access after the condition was found false: that which arms the time-out.
  cpu.onAccess = () => {
    cpu.onAccess = null;
    cpu.setInterrupt(MACHINE_EXTERNAL, true);
  };
  run();
  expect(notes).toEqual([true]);
  expect(tasks.list()[0]!.ended).toBe(true);
  expect(cpu.time()).toBe(0);
});

test('producer and consumer meet at every interleaving of their accesses with the producer’s interrupt', () => {
  for (let at = 1; at <= 40; at++) {
    const channel = new WaitChannel('channel');
    let available = 0;
    let taken = 0;
    let accesses = 0;
    let produced = 0;
    const task = tasks.spawn(`consumer ${at}`, function* (): Blocking<void> {
      while (taken < 3) {
        while (available === 0) {
          if (!(yield* sleepOn(channel, 1_000_000 * TICK_NS))) throw new Error('overslept');
        }
        available -= 1;
        taken += 1;
        cpu.access();
      }
    });
    handler = () => {
      available += produced;
      produced = 0;
      channel.wakeOne();
    };
    cpu.onAccess = () => {
      if (++accesses % at !== 0 || accesses > 3 * at) return;
      produced += 1;
      cpu.setInterrupt(MACHINE_EXTERNAL, true);
    };
    for (let i = 0; i < 3 * at; i++) {
      run();
      cpu.access();
    }
    run();
    cpu.onAccess = null;
    expect(task.error).toBeNull();
    expect(task.ended).toBe(true);
  }
});

test('an uncaught error ends the task, is logged and kept; others go on', () => {
  const channel = new WaitChannel('channel');
  const notes: unknown[] = [];
  const bad = tasks.spawn('bad', function* () {
    yield* sleepOn(channel);
    throw new RangeError('no such host');
  });
  sleeper(channel, notes, 'good');
  run();
  channel.wakeAll();
  run();
  expect(bad.ended).toBe(true);
  expect(bad.error).toEqual(new RangeError('no such host'));
  expect(messages).toEqual(['bad: no such host']);
  expect(notes).toEqual([['good', true]]);
});

test('exit ends the task from within, runs finally blocks, and is no error', () => {
  const notes: string[] = [];
  const task = tasks.spawn('exits', function* () {
    yield* [];
    try {
      throw new TaskExit();
    } finally {
      notes.push('finally');
    }
  });
  run();
  expect([task.ended, task.error, notes, messages]).toEqual([true, null, ['finally'], []]);
});

test('a mistake of the kernel is not the program’s error', () => {
  tasks.spawn('innocent', function* () {
    yield* [];
    throw new KernelBug('packet freed twice');
  });
  expect(() => tasks.runNext()).toThrow(new KernelBug('packet freed twice'));
});

test('what a task held is released when it ends, however it ends', () => {
  const returns = tasks.spawn('returns', function* () {
    yield* [];
  });
  const fails = tasks.spawn('fails', function* () {
    yield* [];
    throw new Error('fails');
  });
  run();
  expect(released).toEqual([returns, fails]);
});

test('a program cannot sleep for a time that is none: the error is its own', () => {
  const channel = new WaitChannel('channel');
  const task = sleeper(channel, [], 'a', -1);
  run();
  expect(task.error).toEqual(new RangeError('cannot sleep for -1 ns'));
  expect(channel.sleepers).toEqual([]);
});

test('there is a limit to live tasks, and to the results that are kept', () => {
  const channel = new WaitChannel('channel');
  for (let i = 0; i < 1024; i++) sleeper(channel, [], `${i}`);
  expect(() => sleeper(channel, [], 'one too many')).toThrow('no more than 1024 tasks');
  run();
  expect(tasks.list().every(task => task.waitsFor === 'channel')).toBe(true);
  channel.wakeAll();
  run();
  expect(tasks.list().map(task => task.name)).toEqual(Array.from({ length: 64 }, (_, i) => `${960 + i}`));
});

test('an observer sees a task run, and what it then waits for', () => {
  const seen: unknown[] = [];
  kernel.trace = { task: (...args: unknown[]) => seen.push(args) } as Partial<KernelTrace> as KernelTrace;
  const channel = new WaitChannel('channel');
  sleeper(channel, [], 'a');
  run();
  channel.wakeAll();
  run();
  expect(seen).toEqual([
    ['a', true, null],
    ['a', false, 'channel'],
    ['a', true, null],
    ['a', false, null],
  ]);
});
