/** Tables of the computers or switches of a world, each under its name: as text, and as JSON. */
import type { Table } from '../views/table.ts';
import type { View } from '../views/view.ts';

export interface NamedTable {
  /** Of the computer or switch. */
  readonly name: string;
  readonly table: Table;
}

/** The tables of those of `nodes` that have one. */
export function tablesOf<Node extends { readonly name: string }>(
  view: View<Node>,
  nodes: Iterable<Node>,
  nowNs: number,
): readonly NamedTable[] {
  return Array.from(nodes).flatMap(node => {
    const table = view.table(node, nowNs);
    return table === null ? [] : [{ name: node.name, table }];
  });
}

/** For a person. */
export function tableLines(tables: readonly NamedTable[]): readonly string[] {
  return tables.flatMap(({ name, table }) => ['', name, ...table.lines().map(line => `  ${line}`)]);
}

/** The rows, by name. */
export function tableRows(tables: readonly NamedTable[]): Readonly<Record<string, readonly object[]>> {
  return Object.fromEntries(tables.map(({ name, table }) => [name, table.rows]));
}
