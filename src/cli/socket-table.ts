/** `--sockets`: the sockets of every computer at the end of a run, in the manner of `ss`. */
import type { Endpoint } from '../../kernel/net/endpoint.ts';
import type { SocketRow } from '../../kernel/net/socket-row.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import type { World } from '../world/world.ts';

const HEADINGS = ['Netid', 'State', 'Recv-Q', 'Send-Q', 'Local', 'Peer', 'Info'];
/** Columns of numbers, flush right. */
const NUMBERS = [2, 3];

/** The rows of each computer, by its name. */
export function socketsOf(world: World): Readonly<Record<string, readonly SocketRow[]>> {
  return Object.fromEntries(Array.from(world.computers, ([name, { kernel }]) => [name, kernel.net.sockets.table()]));
}

/** The table of each computer under its name, for a person. */
export function socketLines(world: World): string[] {
  return Object.entries(socketsOf(world)).flatMap(([computer, rows]) => [
    '',
    computer,
    ...tableLines([HEADINGS, ...rows.map(cellsOf)]).map(line => `  ${line}`),
  ]);
}

function tableLines(table: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...table.map(row => row[column]!.length)));
  return table.map(row =>
    row
      .map((cell, column) => (NUMBERS.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function cellsOf({ netid, state, recvQ, sendQ, local, peer, info }: SocketRow): string[] {
  return [netid, state, String(recvQ), String(sendQ), endpointText(local), endpointText(peer), info];
}

/** `*` stands for any. */
const endpointText = ({ address, port }: Endpoint): string =>
  `${address === 0 ? '*' : formatIpv4(address)}:${port === 0 ? '*' : port}`;
