import { applyPatches } from 'immer';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MAX_CHANGES, TableHistory, type TableUpdate } from '../../../../src/observe/table-history.ts';

interface Row {
  readonly name: string;
  readonly port: number;
}

const row = (name: string, port: number): readonly [string, Row] => [name, { name, port }];
const gone = (name: string) => [name, null] as const;

function watched(...rows: (readonly [string, Row])[]) {
  const updates = new Subject<TableUpdate<Row>>();
  const history = new TableHistory<Row>({ timeNs: 100, rows }, updates);
  const at = (timeNs: number, ...changed: TableUpdate<Row>['rows']) => updates.next({ timeNs, rows: changed });
  return { updates, history, at };
}

describe('the history of a table', () => {
  it('has the table as it stood at any time, after all that happened then', () => {
    const { history, at } = watched(row('a', 1));
    at(200, row('b', 2));
    at(200, row('a', 3));
    at(300, gone('b'));
    expect(history.at(100)).toEqual({ a: { name: 'a', port: 1 } });
    expect(history.at(200)).toEqual({ a: { name: 'a', port: 3 }, b: { name: 'b', port: 2 } });
    expect(history.at(299)).toEqual(history.at(200));
    expect(history.at(300)).toEqual({ a: { name: 'a', port: 3 } });
    expect(history.at(10_000)).toBe(history.current);
  });

  it('tells of each change which rows, and its patches lead from one snapshot to the next', () => {
    const { history, at } = watched(row('a', 1));
    at(200, row('b', 2), row('a', 3));
    at(300, gone('b'));
    expect(history.changes().map(({ timeNs, rows }) => [timeNs, rows])).toEqual([
      [100, [{ change: 'added', key: 'a', row: { name: 'a', port: 1 } }]],
      [
        200,
        [
          { change: 'changed', key: 'a', row: { name: 'a', port: 3 } },
          { change: 'added', key: 'b', row: { name: 'b', port: 2 } },
        ],
      ],
      [300, [{ change: 'removed', key: 'b', row: { name: 'b', port: 2 } }]],
    ]);
    expect(history.changes()[2]!.patches).toEqual([{ op: 'remove', path: ['b'] }]);
    let table = {};
    for (const { timeNs, patches } of history.changes()) {
      table = applyPatches(table, patches);
      expect(table).toEqual(history.at(timeNs));
    }
  });

  it('has snapshots that nobody can change', () => {
    const { history } = watched(row('a', 1));
    expect(() => {
      (history.at(100)['a'] as { port: number }).port = 2;
    }).toThrow(TypeError);
  });

  it('notes nothing when nothing is different', () => {
    const { history, at } = watched(row('a', 1));
    at(200, row('a', 1));
    at(200, gone('b'));
    at(200, gone('a'), row('a', 1));
    expect(history.changes()).toHaveLength(1);
  });

  it('has no table from before it began', () => {
    const { history } = watched();
    expect(history.at(100)).toEqual({});
    expect(() => history.at(99)).toThrow(new RangeError('the history begins at 100 ns, not at 99 ns'));
  });

  it('forgets the beginning of a long run, and says so', () => {
    const { history, at } = watched(row('a', 0));
    for (let i = 1; i <= MAX_CHANGES + 300; i++) at(100 + i, row('a', i));
    const forgotten = history.forgottenCount;
    expect(forgotten).toBeGreaterThan(300);
    expect(history.changes().length + forgotten).toBe(MAX_CHANGES + 301);
    expect(history.changes().length).toBeLessThanOrEqual(MAX_CHANGES);
    expect(history.changes()[0]!.rows[0]!.row.port).toBe(forgotten);
    for (const i of [forgotten - 1, forgotten, forgotten + 1, forgotten + 255, forgotten + 256, 9_000, MAX_CHANGES]) {
      expect(history.at(100 + i)['a']!.port).toBe(i);
    }
    expect(() => history.at(100 + forgotten - 2)).toThrow(RangeError);
  });

  it('ends when it is closed', () => {
    const { updates, history, at } = watched(row('a', 1));
    history.close();
    expect(updates.observed).toBe(false);
    at(200, gone('a'));
    expect(history.current).toEqual({ a: { name: 'a', port: 1 } });
  });
});
