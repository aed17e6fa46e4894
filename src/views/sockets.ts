/** The sockets of a computer, and connections that outlive theirs, in the manner of `ss`. */
import type { SocketRow } from '../../kernel/net/socket-row.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { type Column, table } from './table.ts';
import type { View } from './view.ts';

/** An address is dotted; `0.0.0.0` and port 0 stand for any. */
interface SocketEnd {
  readonly address: string;
  readonly port: number;
}

interface SocketTableRow extends Omit<SocketRow, 'local' | 'peer'> {
  readonly local: SocketEnd;
  readonly peer: SocketEnd;
}

const COLUMNS: readonly Column<SocketTableRow>[] = [
  { heading: 'Netid', cell: ({ netid }) => netid },
  { heading: 'State', cell: ({ state }) => state },
  { heading: 'Recv-Q', right: true, cell: ({ recvQ }) => recvQ },
  { heading: 'Send-Q', right: true, cell: ({ sendQ }) => sendQ },
  { heading: 'Local', cell: ({ local }) => endpointText(local) },
  { heading: 'Peer', cell: ({ peer }) => endpointText(peer) },
  { heading: 'Info', cell: ({ info }) => info },
];

export const socketsView: View<Computer> = {
  summary: 'open sockets, and connections that outlive theirs',
  table: ({ kernel }) => table(COLUMNS, kernel.net.sockets.table().map(rowOf)),
};

function rowOf({ local, peer, ...row }: SocketRow): SocketTableRow {
  return {
    ...row,
    local: { address: formatIpv4(local.address), port: local.port },
    peer: { address: formatIpv4(peer.address), port: peer.port },
  };
}

/** `*` stands for any. */
const endpointText = ({ address, port }: SocketEnd): string =>
  `${address === '0.0.0.0' ? '*' : address}:${port === 0 ? '*' : port}`;
