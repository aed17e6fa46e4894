/** A view: one kind of table, of a computer or of a switch, now or as it has changed while the world ran. */
import type { Clock } from '../../hw/sim/clock.ts';
import type { Table } from './table.ts';

export interface View<Node> {
  /** What it shows, in a few words. */
  readonly summary: string;
  /** What a node must have for there to be such a table: `packet filter`. Absent: all of them have it. */
  readonly needs?: string;
  /** The table as it stands, at `nowNs`; null when `node` has none. */
  table(node: Node, nowNs: number): Table | null;
  /** Begins to watch the table of `node`; null when it has none. The function returned gives the changes so far. */
  watch?(node: Node, clock: Clock): (() => Table) | null;
}
