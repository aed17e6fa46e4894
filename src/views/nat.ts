/** The mappings of a router that translates addresses: public address and port, private ones, protocol and state. */
import type { MappingRow } from '../../kernel/net/nat/mapping-row.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import { type MappingEntry, natHistory } from '../observe/nat-history.ts';
import type { Computer } from '../world/computer.ts';
import { changeLog } from './change-log.ts';
import { type Column, seconds, table } from './table.ts';
import type { View } from './view.ts';

interface PeerRow {
  /** Null where the filter does not tell one from another. */
  readonly remoteAddress: string | null;
  readonly remotePort: number | null;
  readonly state: string;
}

interface MappedRow<Peer extends PeerRow = PeerRow> {
  readonly publicAddress: string;
  readonly publicPort: number;
  readonly privateAddress: string;
  readonly privatePort: number;
  readonly protocol: MappingRow['protocol'];
  readonly state: string;
  /** Newest first. */
  readonly sessions: readonly Peer[];
}

interface NatRow extends MappedRow<PeerRow & { readonly leftNs: number }> {
  readonly ageNs: number;
  /** Null: it stays for good. */
  readonly leftNs: number | null;
}

const MAPPED_COLUMNS: readonly Column<MappedRow>[] = [
  { heading: 'Public', cell: ({ publicAddress }) => publicAddress },
  { heading: 'Port', right: true, cell: ({ publicPort }) => publicPort },
  { heading: 'Private', cell: ({ privateAddress }) => privateAddress },
  { heading: 'Port', right: true, cell: ({ privatePort }) => privatePort },
  { heading: 'Protocol', cell: ({ protocol }) => protocol },
  { heading: 'State', cell: ({ state }) => state },
];
const COLUMNS: readonly Column<NatRow>[] = [
  ...MAPPED_COLUMNS,
  { heading: 'Peer', cell: ({ sessions }) => peerText(sessions) },
  { heading: 'Age (s)', right: true, cell: ({ ageNs }) => seconds(ageNs) },
  { heading: 'Left (s)', right: true, cell: ({ leftNs }) => (leftNs === null ? '-' : seconds(leftNs)) },
];

export const natView: View<Computer> = {
  summary: 'the mappings of a router that translates addresses',
  needs: 'address translation',
  table: ({ kernel: { net } }) => (net.nat === null ? null : table(COLUMNS, net.nat.table().map(rowOf))),
  watch({ name, kernel: { net } }, clock) {
    if (net.nat === null) return null;
    const history = natHistory(net.nat, name, clock);
    const columns = [...MAPPED_COLUMNS, { heading: 'Peer', cell: ({ sessions }: MappedRow) => peerText(sessions) }];
    return () => changeLog(history, columns, entryRow);
  },
};

function rowOf({ publicAddress, privateAddress, sessions, ...row }: MappingRow): NatRow {
  return {
    ...row,
    publicAddress: formatIpv4(publicAddress),
    privateAddress: formatIpv4(privateAddress),
    sessions: sessions.map(session => ({ ...peerOf(session), leftNs: session.leftNs })),
  };
}

function entryRow({ publicAddress, privateAddress, sessions, ...entry }: MappingEntry): MappedRow {
  return {
    ...entry,
    publicAddress: formatIpv4(publicAddress),
    privateAddress: formatIpv4(privateAddress),
    state: sessions.length === 0 ? 'FORWARD' : [...new Set(sessions.map(({ state }) => state))].join(', '),
    sessions: sessions.map(peerOf),
  };
}

function peerOf({ remoteAddress, remotePort, state }: MappingEntry['sessions'][number]): PeerRow {
  return {
    remoteAddress: remoteAddress === 0 ? null : formatIpv4(remoteAddress),
    remotePort: remotePort === 0 ? null : remotePort,
    state,
  };
}

/** The newest peer, and how many more there are. */
function peerText([newest, ...others]: readonly PeerRow[]): string {
  if (newest === undefined) return '-';
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${newest.remoteAddress ?? '*'}:${newest.remotePort ?? '*'}${more}`;
}
