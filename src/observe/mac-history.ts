/** The history of the table of addresses of a switch. */
import { map } from 'rxjs';
import type { TableEntry } from '../../hw/ethernet/switch/mac-table.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { formatMac } from '../lib/bytes.ts';
import { macEvents, type TappedMacTable } from './mac-probe.ts';
import { TableHistory, type TableUpdate } from './table-history.ts';

/** Where an address is. When it was last seen is left out: that is another time with each frame. */
export interface MacEntry {
  readonly mac: string;
  /** 1 where there are no VLANs. */
  readonly vlan: number;
  readonly port: number;
  readonly static: boolean;
}

type SwitchWithTable = TappedMacTable & { table(): readonly TableEntry[] };

/** Begins to watch the switch `name`. */
export function macHistory(device: SwitchWithTable, name: string, clock: Clock): TableHistory<MacEntry> {
  const now = { timeNs: clock.nowNs, rows: device.table().map(entered) };
  const updates = macEvents(device, name, clock).pipe(
    map(({ timeNs, kind, entry }): TableUpdate<MacEntry> => {
      const gone = kind === 'aged' || kind === 'flushed';
      return { timeNs, rows: [gone ? [keyOf(entry), null] : entered(entry)] };
    }),
  );
  return new TableHistory(now, updates);
}

/** The entry of the table as its history has it. */
export function macEntry({ mac, vlan, port, static: forGood }: TableEntry): MacEntry {
  return { mac: formatMac(mac), vlan, port, static: forGood };
}

const entered = (entry: TableEntry) => [keyOf(entry), macEntry(entry)] as const;

const keyOf = ({ mac, vlan }: TableEntry): string => `${formatMac(mac)} vlan ${vlan}`;
