/** The history of the mappings of a router that translates addresses. */
import { map } from 'rxjs';
import type { Clock } from '../../hw/sim/clock.ts';
import type { MappingRow } from '../../kernel/net/nat/mapping-row.ts';
import { natEvents, type ObservedNat } from './nat-probe.ts';
import { TableHistory, type TableUpdate } from './table-history.ts';

/**
 * A mapping without the times that go by. Nor is there a state of the whole: that is the state of the session with the
 * longest to live, which may be another one with each packet.
 */
export type MappingEntry = Pick<
  MappingRow,
  'protocol' | 'publicAddress' | 'publicPort' | 'privateAddress' | 'privatePort'
> & {
  /** Newest first; none in a port that is forwarded. */
  readonly sessions: readonly Omit<MappingRow['sessions'][number], 'leftNs'>[];
};

interface NatWithTable extends ObservedNat {
  table(): readonly MappingRow[];
}

/** Begins to watch the NAT of `host`. */
export function natHistory(nat: NatWithTable, host: string, clock: Clock): TableHistory<MappingEntry> {
  const now = { timeNs: clock.nowNs, rows: nat.table().map(entered) };
  const updates = natEvents(nat, host, clock).pipe(
    map(({ timeNs, change, row }): TableUpdate<MappingEntry> => {
      return { timeNs, rows: [change === 'removed' ? [keyOf(row), null] : entered(row)] };
    }),
  );
  return new TableHistory(now, updates);
}

/** The row of the table as its history has it. */
export function mappingEntry(row: MappingRow): MappingEntry {
  const { protocol, publicAddress, publicPort, privateAddress, privatePort } = row;
  const sessions = row.sessions.map(({ remoteAddress, remotePort, state }) => ({ remoteAddress, remotePort, state }));
  return { protocol, publicAddress, publicPort, privateAddress, privatePort, sessions };
}

const entered = (row: MappingRow) => [keyOf(row), mappingEntry(row)] as const;

/** No two mappings of one protocol share a public end. */
const keyOf = ({ protocol, publicAddress, publicPort }: MappingRow): string =>
  `${protocol} ${publicAddress}:${publicPort}`;
