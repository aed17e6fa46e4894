/** The routing table of a computer, routes to its own addresses included, in the manner of `ip route show table all`. */
import { LIMITED_BROADCAST } from '../../kernel/net/ipv4/address.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import { type RouteEntry, routeEntry, routeHistory } from '../observe/route-history.ts';
import type { Computer } from '../world/computer.ts';
import { changeLog } from './change-log.ts';
import { type Column, table } from './table.ts';
import type { View } from './view.ts';

interface RouteTableRow {
  /** `local`: to an address of the computer itself. */
  readonly type: 'unicast' | 'local' | 'broadcast';
  /** `10.0.0.0/8`. */
  readonly destination: string;
  /** Null: the destination is on the link. */
  readonly gateway: string | null;
  readonly dev: string;
  /** The source address of what the computer itself sends this way. */
  readonly source: string;
  readonly metric: number;
  /** False while its link is down. */
  readonly usable: boolean;
}

const COLUMNS: readonly Column<RouteTableRow>[] = [
  { heading: 'Type', cell: ({ type }) => type },
  { heading: 'Destination', cell: ({ destination }) => (destination === '0.0.0.0/0' ? 'default' : destination) },
  { heading: 'Via', cell: ({ gateway }) => gateway ?? '-' },
  { heading: 'Dev', cell: ({ dev }) => dev },
  { heading: 'Source', cell: ({ source }) => source },
  { heading: 'Metric', right: true, cell: ({ metric }) => metric },
  { heading: 'State', cell: ({ usable }) => (usable ? '' : 'linkdown') },
];

export const routeView: View<Computer> = {
  summary: 'the routing table',
  table: ({ kernel }) =>
    table(
      COLUMNS,
      kernel.net.routes.list().map(row => rowOf(routeEntry(row))),
    ),
  watch({ name, kernel }, clock) {
    const history = routeHistory(kernel.net.routes, name, clock);
    return () => changeLog(history, COLUMNS, rowOf);
  },
};

function rowOf({ destination, prefixLength, gateway, dev, source, metric, usable }: RouteEntry): RouteTableRow {
  return {
    type: typeOf(destination, dev),
    destination: `${formatIpv4(destination)}/${prefixLength}`,
    gateway: gateway === 0 ? null : formatIpv4(gateway),
    dev,
    source: formatIpv4(source),
    metric,
    usable,
  };
}

function typeOf(destination: number, dev: string): RouteTableRow['type'] {
  if (destination === LIMITED_BROADCAST) return 'broadcast';
  return dev === 'lo' ? 'local' : 'unicast';
}
