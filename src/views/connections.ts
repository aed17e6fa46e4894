/** The connections that the packet filter of a computer tracks, in the manner of `conntrack -L`. */
import type { Flow } from '../../kernel/net/filter/flow.ts';
import { ICMP_PROTOCOL } from '../../kernel/net/icmp-message.ts';
import { TCP_PROTOCOL } from '../../kernel/net/tcp/segment.ts';
import { UDP_PROTOCOL } from '../../kernel/net/udp.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { type Column, seconds, table } from './table.ts';
import type { View } from './view.ts';

interface ConnectionRow {
  /** The number of those that have no name here. */
  readonly protocol: string | number;
  /** Who began it. A port of ICMP is the identifier. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Of TCP as a router in its middle sees it, else whether there was an answer. */
  readonly state: string;
  /** Nanoseconds after which it is forgotten, unless a packet comes. */
  readonly leftNs: number;
}

const PROTOCOLS = new Map([
  [TCP_PROTOCOL, 'tcp'],
  [UDP_PROTOCOL, 'udp'],
  [ICMP_PROTOCOL, 'icmp'],
]);

const COLUMNS: readonly Column<ConnectionRow>[] = [
  { heading: 'Protocol', cell: ({ protocol }) => protocol },
  { heading: 'Source', cell: ({ source }) => source },
  { heading: 'Port', right: true, cell: ({ sourcePort }) => sourcePort },
  { heading: 'Destination', cell: ({ destination }) => destination },
  { heading: 'Port', right: true, cell: ({ destinationPort }) => destinationPort },
  { heading: 'State', cell: ({ state }) => state },
  { heading: 'Left (s)', right: true, cell: ({ leftNs }) => seconds(leftNs) },
];

export const connectionsView: View<Computer> = {
  summary: 'the connections that the packet filter tracks',
  needs: 'packet filter',
  table({ kernel: { net } }, nowNs) {
    if (net.filter === null) return null;
    // Those that are due are forgotten when somebody comes across them.
    const flows = net.filter.tracker.flows().filter(({ dueNs }) => dueNs > nowNs);
    return table(
      COLUMNS,
      flows.toSorted(byEnds).map(flow => rowOf(flow, nowNs)),
    );
  },
};

function rowOf(flow: Flow, nowNs: number): ConnectionRow {
  const { protocol, source, sourcePort, destination, destinationPort, tcp, answered, dueNs } = flow;
  return {
    protocol: PROTOCOLS.get(protocol) ?? protocol,
    source: formatIpv4(source),
    sourcePort,
    destination: formatIpv4(destination),
    destinationPort,
    state: tcp?.state ?? (answered ? 'ANSWERED' : 'UNANSWERED'),
    leftNs: dueNs - nowNs,
  };
}

const byEnds = (a: Flow, b: Flow): number =>
  a.protocol - b.protocol ||
  a.source - b.source ||
  a.sourcePort - b.sourcePort ||
  a.destination - b.destination ||
  a.destinationPort - b.destinationPort;
