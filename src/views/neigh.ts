/** The ARP caches of a computer, in the manner of `ip neigh`. */
import type { ArpRow } from '../../kernel/net/arp.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { type Column, table } from './table.ts';
import type { View } from './view.ts';

interface NeighbourRow extends Omit<ArpRow, 'address'> {
  readonly address: string;
  readonly dev: string;
}

const COLUMNS: readonly Column<NeighbourRow>[] = [
  { heading: 'Address', cell: ({ address }) => address },
  { heading: 'Dev', cell: ({ dev }) => dev },
  { heading: 'MAC', cell: ({ mac }) => mac ?? '-' },
  { heading: 'State', cell: ({ state }) => state.toUpperCase() },
  { heading: 'Waiting', right: true, cell: ({ waiting }) => waiting },
];

export const neighView: View<Computer> = {
  summary: 'neighbours, as ARP knows them, and packets that wait for an answer',
  table: ({ kernel: { net } }) =>
    table(
      COLUMNS,
      net.interfaces.flatMap(({ index, name: dev }) =>
        net.arpTable(index).map(({ address, ...row }) => ({ address: formatIpv4(address), dev, ...row })),
      ),
    ),
};
