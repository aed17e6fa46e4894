/** Tables as a person reads them, and their rows for a program: what the views are made of. */

export interface Column<Row> {
  readonly heading: string;
  /** Flush right, as numbers are. */
  readonly right?: boolean;
  cell(row: Row): string | number;
}

export interface Table {
  /** They hold nothing but what JSON can say. */
  readonly rows: readonly object[];
  /** Headings, then a line for each row. */
  lines(): readonly string[];
}

export function table<Row extends object>(columns: readonly Column<Row>[], rows: readonly Row[]): Table {
  return { rows, lines: () => linesOf(columns, rows) };
}

function linesOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  const cells = [
    columns.map(({ heading }) => heading),
    ...rows.map(row => columns.map(column => String(column.cell(row)))),
  ];
  // Not by spreading into Math.max: a table may have a million rows.
  const widths = columns.map((_, i) => cells.reduce((widest, line) => Math.max(widest, line[i]!.length), 0));
  return cells.map(line =>
    line
      .map((cell, i) => (columns[i]!.right === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Nanoseconds as seconds, with `digits` decimals. */
export const seconds = (ns: number, digits = 3): string => (ns / 1e9).toFixed(digits);
