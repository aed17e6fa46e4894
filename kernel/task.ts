/**
 * Tasks: programs that can wait. A task is a generator, and yields only to sleep on a channel; between two sleeps it
 * runs without being preempted by other tasks or deferred work, though interrupt handlers run at its bus accesses.
 *
 * No wake-up is lost. A task that found its condition false and sleeps makes no bus access in between, so nobody can
 * make the condition true unseen. It is on the channel's list before its time-out is armed, which is an access: a
 * handler that wakes the channel right then finds it there. Waking is no access: it moves the task to the run queue,
 * and the time-out, which may still fire, finds the task awake and does nothing.
 */
import { InvariantError } from '../src/lib/assert.ts';
import { KernelBug } from './bug.ts';
import type { Observed } from './context.ts';
import type { Syscalls } from './syscall.ts';
import type { Timer } from './timer.ts';

/** Live tasks of one kernel. */
const MAX_TASKS = 1024;
/** Ended tasks of which the result is kept, the latest ones. */
const MAX_ENDED = 64;

/** What a task yields: where it waits, and for how long at most (Infinity: for ever). */
export interface Wait {
  readonly channel: WaitChannel;
  readonly timeoutNs: number;
}

/** A function that may sleep. Call it with `yield*`. */
export type Blocking<T> = Generator<Wait, T, boolean>;

/** The code of a task. */
export type Program = (sys: Syscalls) => Blocking<void>;

/** Something tasks wait for. The waker changes the condition first, then wakes; the sleeper checks it again. */
export class WaitChannel {
  readonly name: string;
  /** Longest sleep first. For this file alone. */
  readonly sleepers: Task[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Wakes every task that sleeps here. May be called from interrupt handlers. */
  wakeAll(): void {
    for (const task of this.sleepers) task.wake(true);
    this.sleepers.length = 0;
  }

  /** Wakes the task that has slept here longest, if any. May be called from interrupt handlers. */
  wakeOne(): void {
    this.sleepers.shift()?.wake(true);
  }
}

/**
 * Sleeps until the channel is woken (true), or until `timeoutNs` passed (false); Infinity: for ever. The caller checks
 * its condition again: another task may have run first. Throws a RangeError unless `timeoutNs` is at least 0.
 */
export function* sleepOn(channel: WaitChannel, timeoutNs = Number.POSITIVE_INFINITY): Blocking<boolean> {
  if (!(timeoutNs >= 0)) throw new RangeError(`cannot sleep for ${timeoutNs} ns`);
  return yield { channel, timeoutNs };
}

/** Thrown by the exit call to unwind a program; its `finally` blocks run. */
export class TaskExit extends Error {
  override readonly name = 'TaskExit';
}

export class Task {
  readonly name: string;
  /** What the program threw; null while it runs, and after it returned or exited. */
  error: Error | null = null;
  ended = false;
  readonly #tasks: Tasks;
  readonly #timeout: Timer;
  /** Where the task sleeps; null while it is ready, runs, or has ended. */
  #channel: WaitChannel | null = null;
  /** What the next resumption tells the program: woken, or timed out. */
  #woken = true;
  #body: Blocking<void> | null = null;
  #sys: Syscalls | null = null;

  /** For {@link Tasks} alone. */
  constructor(tasks: Tasks, name: string, timer: (fire: () => void) => Timer) {
    this.#tasks = tasks;
    this.name = name;
    this.#timeout = timer(() => this.#timedOut());
  }

  /** The name of the channel on which the task sleeps, or null. */
  get waitsFor(): string | null {
    return this.#channel?.name ?? null;
  }

  /** For {@link Tasks} alone: the task gets its code and its way into the kernel. */
  begin(program: Program, sys: Syscalls): void {
    this.#sys = sys;
    this.#body = program(sys);
    this.#tasks.ready(this);
  }

  /** For {@link WaitChannel}, which takes the task off its list, and for the time-out. */
  wake(woken: boolean): void {
    this.#channel = null;
    this.#woken = woken;
    this.#tasks.ready(this);
  }

  /** For {@link Tasks} alone: runs up to the next sleep (true), or to the end (false). */
  run(): boolean {
    this.#timeout.cancel();
    const result = this.#body!.next(this.#woken);
    if (result.done === true) return false;
    this.#sleep(result.value);
    return true;
  }

  /** For {@link Tasks} alone: gives back what the task holds. */
  end(): void {
    this.ended = true;
    this.#sys!.release();
  }

  #sleep(wait: Wait): void {
    this.#channel = wait.channel;
    wait.channel.sleepers.push(this);
    if (wait.timeoutNs !== Number.POSITIVE_INFINITY) this.#timeout.armIn(wait.timeoutNs);
  }

  /** Deferred work. The task may have been woken, but not have run yet: then it was in time. */
  #timedOut(): void {
    const sleepers = this.#channel?.sleepers;
    if (sleepers === undefined) return;
    sleepers.splice(sleepers.indexOf(this), 1);
    this.wake(false);
  }
}

/** The tasks of one kernel, and their run queue: first ready, first run. */
export class Tasks {
  readonly #kernel: Observed;
  readonly #timer: (fire: () => void) => Timer;
  readonly #syscalls: (task: Task) => Syscalls;
  readonly #live = new Set<Task>();
  readonly #endedTasks: Task[] = [];
  #firstFailed: Task | null = null;
  /** A ring: at most {@link MAX_TASKS} tasks are ready, so it never overflows. */
  readonly #queue: (Task | null)[] = new Array(MAX_TASKS).fill(null);
  #head = 0;
  #count = 0;

  /** `syscalls` makes the object through which a task's program calls the kernel. */
  constructor(kernel: Observed, timer: (fire: () => void) => Timer, syscalls: (task: Task) => Syscalls) {
    this.#kernel = kernel;
    this.#timer = timer;
    this.#syscalls = syscalls;
  }

  /** The live tasks, then the latest of those that ended. */
  list(): readonly Task[] {
    return [...this.#live, ...this.#endedTasks];
  }

  /** The first task whose program threw an error; kept however many end after it. */
  get firstFailed(): Task | null {
    return this.#firstFailed;
  }

  /** Starts `program` as a task, which runs when its turn comes. Throws when there are too many. */
  spawn(name: string, program: Program): Task {
    if (this.#live.size === MAX_TASKS) throw new Error(`no more than ${MAX_TASKS} tasks`);
    const task = new Task(this, name, this.#timer);
    this.#live.add(task);
    task.begin(program, this.#syscalls(task));
    return task;
  }

  /** For {@link Task} alone: puts it in line. May be called from interrupt handlers. */
  ready(task: Task): void {
    this.#queue[(this.#head + this.#count) % MAX_TASKS] = task;
    this.#count += 1;
  }

  /** Runs the first ready task up to its next sleep. False when none is ready. */
  runNext(): boolean {
    if (this.#count === 0) return false;
    const task = this.#queue[this.#head]!;
    this.#queue[this.#head] = null;
    this.#head = (this.#head + 1) % MAX_TASKS;
    this.#count -= 1;
    this.#kernel.trace?.task(task.name, true, null);
    let alive = false;
    try {
      alive = task.run();
    } catch (error) {
      // The kernel's own mistakes are not the program's, although they happened in its name.
      if (error instanceof KernelBug || error instanceof InvariantError) throw error;
      this.#failed(task, error);
    }
    if (!alive) this.#end(task);
    this.#kernel.trace?.task(task.name, false, task.waitsFor);
    return true;
  }

  #failed(task: Task, error: unknown): void {
    if (error instanceof TaskExit) return;
    task.error = error instanceof Error ? error : new Error(String(error));
    this.#firstFailed ??= task;
    this.#kernel.log(`${task.name}: ${task.error.message}`);
  }

  #end(task: Task): void {
    task.end();
    this.#live.delete(task);
    this.#endedTasks.push(task);
    if (this.#endedTasks.length > MAX_ENDED) this.#endedTasks.shift();
  }
}
