/** The interfaces of a computer with their addresses, links and counters, in the manner of `ip -s addr`. */
import type { Interface } from '../../kernel/net/interface.ts';
import type { Link } from '../../kernel/net/ipv4/link.ts';
import { formatIpv4, formatMac } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { type Column, table } from './table.ts';
import type { View } from './view.ts';

interface AddressRow {
  readonly dev: string;
  readonly state: 'UP' | 'DOWN';
  /** Null for the loopback, and while the link is down. */
  readonly speedMbps: number | null;
  readonly fullDuplex: boolean | null;
  readonly mtu: number;
  readonly mac: string | null;
  /** Null: it has none. */
  readonly address: string | null;
  readonly prefixLength: number | null;
  readonly broadcast: string | null;
  /** Null for the loopback, which counts nothing. */
  readonly counters: Interface['counters'] | null;
}

const COLUMNS: readonly Column<AddressRow>[] = [
  { heading: 'Dev', cell: ({ dev }) => dev },
  { heading: 'State', cell: ({ state }) => state },
  { heading: 'Link', cell: linkText },
  { heading: 'MTU', right: true, cell: ({ mtu }) => mtu },
  { heading: 'MAC', cell: ({ mac }) => mac ?? '-' },
  { heading: 'Address', cell: ({ address, prefixLength }) => (address === null ? '-' : `${address}/${prefixLength}`) },
  { heading: 'Broadcast', cell: ({ broadcast }) => broadcast ?? '-' },
  { heading: 'RX packets', right: true, cell: ({ counters }) => counters?.rxPackets ?? '-' },
  { heading: 'RX bytes', right: true, cell: ({ counters }) => counters?.rxBytes ?? '-' },
  { heading: 'TX packets', right: true, cell: ({ counters }) => counters?.txPackets ?? '-' },
  { heading: 'TX bytes', right: true, cell: ({ counters }) => counters?.txBytes ?? '-' },
  { heading: 'TX dropped', right: true, cell: ({ counters }) => counters?.txDropped ?? '-' },
];

export const addrView: View<Computer> = {
  summary: 'interfaces, their addresses, links and counters',
  table: ({ kernel: { net } }) =>
    table(COLUMNS, [...net.links.filter(({ loopback }) => loopback).map(loopbackRow), ...net.interfaces.map(rowOf)]),
};

function loopbackRow(link: Link): AddressRow {
  return {
    dev: link.name,
    state: 'UP',
    speedMbps: null,
    fullDuplex: null,
    mtu: link.mtu,
    mac: null,
    address: formatIpv4(link.address),
    prefixLength: link.prefixLength,
    broadcast: null,
    counters: null,
  };
}

function rowOf({ name, link, mtu, mac, address, prefixLength, broadcast, counters }: Interface): AddressRow {
  const { up, speedMbps, fullDuplex } = link;
  return {
    dev: name,
    state: up ? 'UP' : 'DOWN',
    speedMbps: up ? speedMbps : null,
    fullDuplex: up ? fullDuplex : null,
    mtu,
    mac: formatMac(mac),
    address: address === 0 ? null : formatIpv4(address),
    prefixLength: address === 0 ? null : prefixLength,
    broadcast: address === 0 ? null : formatIpv4(broadcast),
    counters: { ...counters },
  };
}

function linkText({ speedMbps, fullDuplex }: AddressRow): string {
  return speedMbps === null ? '-' : `${speedMbps} Mb/s ${fullDuplex ? 'full' : 'half'}`;
}
