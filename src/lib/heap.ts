/**
 * A binary heap whose entries know their own place, so that an entry can be cancelled or moved in O(log n) without a
 * search. Nothing is allocated per operation. The virtual clock (`hw/sim/clock.ts`) and the kernel's timers
 * (`kernel/timer.ts`) both stand on it.
 *
 * Order is (due, seq): equal `due` values leave the heap in the order of their `seq`, which makes ties FIFO.
 */

/** What an entry must carry. The heap alone writes `pos`; the owner sets `due` and `seq` before a push. */
export interface HeapEntry {
  due: number;
  seq: number;
  /** Index in the heap, or -1 while the entry is not queued. */
  pos: number;
}

export class Heap<T extends HeapEntry> {
  readonly #entries: T[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The earliest entry, or undefined when the heap is empty. */
  peek(): T | undefined {
    return this.#entries[0];
  }

  push(entry: T): void {
    entry.pos = this.#entries.length;
    this.#entries.push(entry);
    this.#rise(entry, entry.pos);
  }

  /** Removes and returns the earliest entry. */
  pop(): T | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Removes `entry`, which must be queued here. */
  remove(entry: T): void {
    const pos = entry.pos;
    const last = this.#entries.pop()!;
    entry.pos = -1;
    if (last === entry) return;
    last.pos = pos;
    this.#entries[pos] = last;
    this.update(last);
  }

  /** Restores the order after `due` or `seq` of a queued entry changed. */
  update(entry: T): void {
    const pos = entry.pos;
    this.#rise(entry, pos);
    if (entry.pos === pos) this.#sink(entry, pos);
  }

  /** The queued entries, in no particular order. */
  entries(): readonly T[] {
    return this.#entries;
  }

  #rise(entry: T, from: number): void {
    const entries = this.#entries;
    let pos = from;
    while (pos > 0) {
      const parentPos = (pos - 1) >> 1;
      const parent = entries[parentPos]!;
      if (!before(entry, parent)) break;
      entries[pos] = parent;
      parent.pos = pos;
      pos = parentPos;
    }
    entries[pos] = entry;
    entry.pos = pos;
  }

  #sink(entry: T, from: number): void {
    const entries = this.#entries;
    const count = entries.length;
    let pos = from;
    for (;;) {
      let childPos = 2 * pos + 1;
      if (childPos >= count) break;
      if (childPos + 1 < count && before(entries[childPos + 1]!, entries[childPos]!)) childPos += 1;
      const child = entries[childPos]!;
      if (!before(child, entry)) break;
      entries[pos] = child;
      child.pos = pos;
      pos = childPos;
    }
    entries[pos] = entry;
    entry.pos = pos;
  }
}

function before(a: HeapEntry, b: HeapEntry): boolean {
  return a.due < b.due || (a.due === b.due && a.seq < b.seq);
}
