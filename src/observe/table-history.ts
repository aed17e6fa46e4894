/**
 * The history of a table: how it stood at any time since somebody began to watch. Each change makes a new immutable
 * snapshot, and leaves the patches that lead to it, which immer writes; those of all changes, one after the other, lead
 * from the empty table to the present one.
 *
 * It listens to taps that tell of changes only, never of packets. A change costs time in proportion to the rows of the
 * table, some microseconds for a small one. What is kept is bounded: of a long run the beginning is forgotten.
 */
import { applyPatches, enablePatches, type Patch, produceWithPatches } from 'immer';
import type { Observable, Subscription } from 'rxjs';

enablePatches();

/** Changes that are kept. When there are more, the oldest {@link STRIDE} are forgotten. */
export const MAX_CHANGES = 16_384;
/** A snapshot is kept for every so many changes; those between are made again from patches when they are asked for. */
const STRIDE = 256;

/** A table at one time: rows by what tells them apart, in the order in which they came. */
export type Snapshot<Row> = Readonly<Record<string, Row>>;

/**
 * What happens to a table at one moment: rows are entered or take the place of others; null: the row is gone. The last
 * word about a row counts. A row always has the same fields.
 */
export interface TableUpdate<Row> {
  readonly timeNs: number;
  readonly rows: readonly (readonly [key: string, row: Row | null])[];
}

export interface RowChange<Row> {
  readonly change: 'added' | 'changed' | 'removed';
  readonly key: string;
  /** After the change; of a row that is gone, what it was. */
  readonly row: Row;
}

export interface TableChange<Row> {
  /** Virtual time, nanoseconds. */
  readonly timeNs: number;
  readonly rows: readonly RowChange<Row>[];
  /** They lead from the snapshot before to the one after. */
  readonly patches: readonly Patch[];
}

export class TableHistory<Row extends object> {
  readonly #changes: TableChange<Row>[] = [];
  /** After every {@link STRIDE} changes. */
  readonly #kept: Snapshot<Row>[] = [];
  readonly #subscription: Subscription;
  /** The table before the first change that is kept, and since when that is known. */
  #first: Snapshot<Row> = {};
  #firstNs: number;
  #current: Snapshot<Row> = {};
  #forgottenCount = 0;

  /** Watches `updates` from now on, when the table is as `now` says. */
  constructor(now: TableUpdate<Row>, updates: Observable<TableUpdate<Row>>) {
    this.#firstNs = now.timeNs;
    this.#record(now);
    this.#subscription = updates.subscribe(update => this.#record(update));
  }

  /** The table as it stands, or, once closed, as it stood then. */
  get current(): Snapshot<Row> {
    return this.#current;
  }

  /** Changes of which nothing is known any more, since there have been so many after them. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }

  /** The changes that are kept, oldest first. The very first one enters what was in the table already. */
  changes(): readonly TableChange<Row>[] {
    return this.#changes;
  }

  /** The table as it stood at `timeNs`, after all that happened then. Throws a RangeError for a time that is forgotten. */
  at(timeNs: number): Snapshot<Row> {
    if (timeNs < this.#firstNs) throw new RangeError(`the history begins at ${this.#firstNs} ns, not at ${timeNs} ns`);
    const count = this.#countUntil(timeNs);
    if (count === this.#changes.length) return this.#current;
    const strides = Math.floor(count / STRIDE);
    const from = strides === 0 ? this.#first : this.#kept[strides - 1]!;
    const patches = this.#changes.slice(strides * STRIDE, count).flatMap(change => change.patches);
    return applyPatches(from, patches);
  }

  /** Watches no longer. */
  close(): void {
    this.#subscription.unsubscribe();
  }

  #record({ timeNs, rows }: TableUpdate<Row>): void {
    const before = this.#current;
    const [after, patches] = produceWithPatches(before, draft => {
      const table = draft as Record<string, Row>;
      for (const [key, row] of new Map(rows)) {
        if (row === null) delete table[key];
        else if (key in table) Object.assign(table[key]!, row);
        else table[key] = row;
      }
    });
    if (patches.length === 0) return;
    const keys = new Set(patches.map(({ path }) => String(path[0])));
    this.#current = after;
    this.#changes.push({ timeNs, rows: Array.from(keys, key => rowChange(key, before[key], after[key])), patches });
    if (this.#changes.length % STRIDE === 0) this.#kept.push(after);
    if (this.#changes.length > MAX_CHANGES) this.#forget();
  }

  #forget(): void {
    this.#first = this.#kept.shift()!;
    this.#firstNs = this.#changes[STRIDE - 1]!.timeNs;
    this.#changes.splice(0, STRIDE);
    this.#forgottenCount += STRIDE;
  }

  /** How many changes there were up to and including `timeNs`. */
  #countUntil(timeNs: number): number {
    let [low, high] = [0, this.#changes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#changes[middle]!.timeNs <= timeNs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function rowChange<Row>(key: string, before: Row | undefined, after: Row | undefined): RowChange<Row> {
  if (after === undefined) return { change: 'removed', key, row: before! };
  return { change: before === undefined ? 'added' : 'changed', key, row: after };
}
