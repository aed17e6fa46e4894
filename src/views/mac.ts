/** The table of addresses of a switch, in the manner of `bridge fdb`. */
import { type MacEntry, macEntry, macHistory } from '../observe/mac-history.ts';
import type { SwitchNode } from '../world/world.ts';
import { changeLog } from './change-log.ts';
import { type Column, seconds, table } from './table.ts';
import type { View } from './view.ts';

interface MacRow extends MacEntry {
  /** Since a frame last came from there; null for a static entry. */
  readonly ageNs: number | null;
}

const ENTRY_COLUMNS: readonly Column<MacEntry>[] = [
  { heading: 'MAC', cell: ({ mac }) => mac },
  { heading: 'VLAN', right: true, cell: ({ vlan }) => vlan },
  { heading: 'Port', cell: ({ port }) => `port${port}` },
  { heading: 'Type', cell: entry => (entry.static ? 'static' : 'learned') },
];
const COLUMNS: readonly Column<MacRow>[] = [
  ...ENTRY_COLUMNS,
  { heading: 'Age (s)', right: true, cell: ({ ageNs }) => (ageNs === null ? '-' : seconds(ageNs)) },
];

export const macView: View<SwitchNode> = {
  summary: 'the addresses that a switch knows, by VLAN and port',
  table: ({ device }, nowNs) =>
    table(
      COLUMNS,
      device.table().map(entry => ({ ...macEntry(entry), ageNs: entry.static ? null : nowNs - entry.seenNs })),
    ),
  watch({ name, device }, clock) {
    const history = macHistory(device, name, clock);
    return () => changeLog(history, ENTRY_COLUMNS, entry => entry);
  },
};
