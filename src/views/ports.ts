/** The ports of a switch: links, what the spanning tree lets them do, and counters, in the manner of `bridge -s link`. */
import type { PortCountersState } from '../../hw/ethernet/switch/counters.ts';
import type { PortState, SwitchPort } from '../../hw/ethernet/switch/port.ts';
import type { SwitchNode } from '../world/world.ts';
import { type Column, table } from './table.ts';
import type { View } from './view.ts';

interface PortRow {
  readonly port: number;
  readonly up: boolean;
  /** Null while the link is down. */
  readonly speedMbps: number | null;
  readonly fullDuplex: boolean | null;
  readonly state: PortState;
  /** Octets that wait to leave. */
  readonly queueBytes: number;
  readonly counters: PortCountersState;
}

const COLUMNS: readonly Column<PortRow>[] = [
  { heading: 'Port', cell: ({ port }) => `port${port}` },
  { heading: 'Link', cell: ({ speedMbps, fullDuplex }) => linkText(speedMbps, fullDuplex) },
  { heading: 'State', cell: ({ state }) => state },
  { heading: 'RX frames', right: true, cell: ({ counters }) => counters.rxFrames },
  { heading: 'Errors', right: true, cell: ({ counters }) => errorCount(counters) },
  { heading: 'Forwarded', right: true, cell: ({ counters }) => counters.forwarded },
  { heading: 'Flooded', right: true, cell: ({ counters }) => counters.flooded },
  { heading: 'Filtered', right: true, cell: ({ counters }) => counters.filtered },
  { heading: 'Blocked', right: true, cell: ({ counters }) => counters.blocked },
  { heading: 'TX frames', right: true, cell: ({ counters }) => counters.txFrames },
  { heading: 'Dropped', right: true, cell: ({ counters }) => dropCount(counters) },
  { heading: 'Queue', right: true, cell: ({ queueBytes }) => queueBytes },
];

export const portsView: View<SwitchNode> = {
  summary: 'the ports of a switch: links, states and counters',
  table: ({ device }) => table(COLUMNS, device.ports.map(rowOf)),
};

function rowOf({ index, link, up, state, queueBytes, counters }: SwitchPort): PortRow {
  return {
    port: index,
    up,
    speedMbps: up ? link.speed : null,
    fullDuplex: up ? link.fullDuplex : null,
    state,
    queueBytes,
    counters: counters.save(),
  };
}

const linkText = (speedMbps: number | null, fullDuplex: boolean | null): string =>
  speedMbps === null ? 'down' : `${speedMbps} Mb/s ${fullDuplex ? 'full' : 'half'}`;

/** What came in and was no good. */
const errorCount = ({ fcsErrors, alignmentErrors, rxErrors, runts, tooLong }: PortCountersState): number =>
  fcsErrors + alignmentErrors + rxErrors + runts + tooLong;

/** What was to leave and did not. */
const dropCount = ({ droppedQueue, droppedCollisions, droppedLink }: PortCountersState): number =>
  droppedQueue + droppedCollisions + droppedLink;
