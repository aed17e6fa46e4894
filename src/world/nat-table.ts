/** A line of the table of a router that translates addresses, as a person reads it. */
import type { MappingRow } from '../../kernel/net/nat/mapping-row.ts';
import { formatIpv4 } from '../lib/bytes.ts';

/** The columns of {@link formatMapping}. */
export const MAPPING_COLUMNS = 'public address | port | private address | port | protocol | state';

/** `203.0.113.2 | 50000 | 192.168.1.2 | 50000 | tcp | ESTABLISHED`. */
export const formatMapping = (row: MappingRow): string =>
  [
    formatIpv4(row.publicAddress),
    row.publicPort,
    formatIpv4(row.privateAddress),
    row.privatePort,
    row.protocol,
    row.state,
  ].join(' | ');
