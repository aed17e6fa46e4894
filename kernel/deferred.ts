/**
 * Deferred work: what interrupt handlers leave for later, so that they stay short. The queue is first in, first out,
 * and a piece of work stands in it at most once. Work runs with interrupts enabled, one bounded piece per step of the
 * kernel, before any task; work that says more is left goes to the end of the line.
 *
 * Handlers put work in line while the kernel may be anywhere. Neither end of the queue is moved by more than a few
 * assignments, with no bus access among them, so no handler sees it half moved.
 */
import { blame } from './bug.ts';
import type { Observed } from './context.ts';
import type { DeferredWork } from './driver-api.ts';

class WorkItem implements DeferredWork {
  readonly name: string;
  readonly work: () => boolean;
  next: WorkItem | null = null;
  queued = false;
  readonly #queue: DeferredQueue;

  constructor(queue: DeferredQueue, name: string, work: () => boolean) {
    this.#queue = queue;
    this.name = name;
    this.work = work;
  }

  schedule(): void {
    if (!this.queued) this.#queue.append(this);
  }
}

export class DeferredQueue {
  readonly #kernel: Observed;
  #first: WorkItem | null = null;
  #last: WorkItem | null = null;

  constructor(kernel: Observed) {
    this.#kernel = kernel;
  }

  /** A piece of work, not yet in line. `work` returns true when more is left; `name` appears in errors and traces. */
  create(name: string, work: () => boolean): DeferredWork {
    return new WorkItem(this, name, work);
  }

  /** For {@link WorkItem} alone. */
  append(item: WorkItem): void {
    item.queued = true;
    if (this.#last === null) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  /**
   * Runs the first piece of work; false when there is none. It leaves the line before it runs: an interrupt in the
   * middle of it puts it in line again, and what it may just have missed is seen then.
   */
  runNext(): boolean {
    const item = this.#first;
    if (item === null) return false;
    this.#first = item.next;
    if (item.next === null) this.#last = null;
    item.next = null;
    item.queued = false;
    this.#kernel.trace?.deferred(item.name);
    try {
      if (item.work()) item.schedule();
    } catch (error) {
      throw blame(`deferred work "${item.name}"`, error);
    }
    return true;
  }
}
