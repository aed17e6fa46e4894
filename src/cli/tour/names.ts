/** The names that people use for numbers in headers and registers. */
import { E1000 } from '../../../hw/nic/e1000/registers.ts';
import { getField } from '../../lib/bits.ts';

const ETHER_TYPES: Readonly<Record<number, string>> = { 2048: 'IPv4', 2054: 'ARP' };
const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP' };

export const etherTypeName = (etherType: number): string => ETHER_TYPES[etherType] ?? 'unknown';
export const protocolName = (protocol: number): string => PROTOCOLS[protocol] ?? 'unknown';

/** The interrupt causes in `bits`, by the manual's names. */
export function causeNames(bits: number): string {
  return Object.keys(E1000.ICR.fields)
    .filter(name => getField(bits, E1000.ICR[name as keyof typeof E1000.ICR] as number) !== 0)
    .join(' ');
}

const COMMANDS = ['EOP', 'IFCS', 'IC', 'RS', 'RPS', 'DEXT', 'VLE', 'IDE'];
const STATUSES = ['DD', 'EOP', 'IXSM', 'VP', '', 'TCPCS', 'IPCS', 'PIF'];

/** The bits of CMD of a transmit descriptor. */
export const commandNames = (bits: number): string => COMMANDS.filter((_, bit) => (bits >>> bit) & 1).join(' ');
/** The bits of STATUS of a receive descriptor. */
export const statusNames = (bits: number): string => STATUSES.filter((_, bit) => (bits >>> bit) & 1).join(' ');
