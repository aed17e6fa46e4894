/**
 * Puts what was observed back into the order of its time. An observer often hears of a beginning only at the end: a
 * frame is told when its last bit has arrived, its first bit was earlier. Items wait here until nothing earlier can
 * come any more, then leave in the order (time, rank, arrival).
 */

/** An item may be told this much after its time: longer than the longest frame at 10 Mb/s takes, with its delays. */
export const REORDER_NS = 20_000_000;
/** Items that wait at most. At this bound the older half leaves early, and an item that comes too late is `late`. */
const MAX_WAITING = 65_536;
/** So many items are worth a look at which of them may leave. */
const FIRST_LOOK = 4_096;

interface Waiting<T> {
  timeNs: number;
  readonly rank: number;
  readonly arrival: number;
  readonly item: T;
}

export class TimeOrder<T> {
  readonly #leave: (timeNs: number, item: T, late: boolean) => void;
  #waiting: Waiting<T>[] = [];
  #newestNs = 0;
  #leftNs = 0;
  #arrivals = 0;
  #nextLook = FIRST_LOOK;

  /**
   * `leave` takes each item in its turn, with times that never decrease. An item that came after later ones had to
   * leave is passed with the time of the last of those, and `late`.
   */
  constructor(leave: (timeNs: number, item: T, late: boolean) => void) {
    this.#leave = leave;
  }

  /** Adds an item of time `timeNs`. Of equal times the lower `rank` leaves first, then the earlier arrival. */
  add(timeNs: number, rank: number, item: T): void {
    this.#waiting.push({ timeNs, rank, arrival: this.#arrivals++, item });
    if (timeNs > this.#newestNs) this.#newestNs = timeNs;
    if (this.#waiting.length < this.#nextLook) return;
    this.#waiting.sort(byTime);
    const due = this.#waiting.findIndex(({ timeNs: itemNs }) => itemNs > this.#newestNs - REORDER_NS);
    this.#release(this.#waiting.length < MAX_WAITING ? due : Math.max(due, MAX_WAITING / 2));
    this.#nextLook = Math.min(MAX_WAITING, Math.max(FIRST_LOOK, 2 * this.#waiting.length));
  }

  /** Lets everything leave. */
  flush(): void {
    this.#waiting.sort(byTime);
    this.#release(this.#waiting.length);
  }

  #release(count: number): void {
    const leaving = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    for (const { timeNs, item } of leaving) {
      const late = timeNs < this.#leftNs;
      if (!late) this.#leftNs = timeNs;
      this.#leave(this.#leftNs, item, late);
    }
  }
}

function byTime<T>(a: Waiting<T>, b: Waiting<T>): number {
  return a.timeNs - b.timeNs || a.rank - b.rank || a.arrival - b.arrival;
}
