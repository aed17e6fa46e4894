/** The changes of a table, a line for each row that changed: when, how, and the row after it, or as it last was. */
import type { RowChange, TableHistory } from '../observe/table-history.ts';
import { type Column, seconds, type Table, table } from './table.ts';

const SIGNS = { added: '+', changed: '~', removed: '-' } as const;

interface LoggedChange<Row> {
  readonly timeNs: number;
  readonly change: RowChange<Row>['change'];
  readonly row: Row;
}

/** `shown` makes of an entry of the history the row that `columns` are about. */
export function changeLog<Entry extends object, Row>(
  history: TableHistory<Entry>,
  columns: readonly Column<Row>[],
  shown: (entry: Entry) => Row,
): Table {
  const rows = history
    .changes()
    .flatMap(({ timeNs, rows }) => rows.map(({ change, row }) => ({ timeNs, change, row: shown(row) })));
  const log = table(logColumns(columns), rows);
  const { forgottenCount } = history;
  if (forgottenCount === 0) return log;
  return { rows, lines: () => [`${forgottenCount} earlier changes are forgotten`, ...log.lines()] };
}

function logColumns<Row>(columns: readonly Column<Row>[]): readonly Column<LoggedChange<Row>>[] {
  return [
    { heading: 'Time (s)', right: true, cell: ({ timeNs }) => seconds(timeNs, 9) },
    { heading: '', cell: ({ change }) => SIGNS[change] },
    ...columns.map(column => ({ ...column, cell: ({ row }: LoggedChange<Row>) => column.cell(row) })),
  ];
}
