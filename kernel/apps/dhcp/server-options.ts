/** What is said about a DHCP server when it is set up, and what the server makes of it. */
import { formatIpv4, formatMac, parseIpv4, parseMac } from '../../../src/lib/bytes.ts';
import { maskOf } from '../../net/ipv4/address.ts';
import { isName } from '../dns/message.ts';
import type { AddressRange } from './lease-table.ts';

export interface DhcpServerOptions {
  /** The interface whose network it serves: `eth0` unless given. */
  readonly interface?: string;
  /** Addresses to give away: `[['192.0.2.100', '192.0.2.199']]`. */
  readonly ranges: readonly (readonly [first: string, last: string])[];
  /** Addresses that belong to one client each, of the ranges or not. */
  readonly reservations?: readonly { readonly mac: string; readonly address: string }[];
  /** What clients are told: their default gateway, at most 4 name servers, the domain that they are in. */
  readonly router?: string;
  readonly dnsServers?: readonly string[];
  readonly domainName?: string;
  /** An hour unless given; 0xffffffff: for ever. Clients may ask for less. */
  readonly leaseSeconds?: number;
}

export interface DhcpServerConfig {
  readonly interface: string;
  readonly ranges: readonly AddressRange[];
  readonly reservations: ReadonlyMap<string, number>;
  readonly routers: readonly number[];
  readonly dnsServers: readonly number[];
  readonly domainName: string;
  readonly leaseSeconds: number;
}

const DEFAULT_LEASE_SECONDS = 3600;
const MAX_LEASE_SECONDS = 0xffff_ffff;
const MAX_DNS_SERVERS = 4;
/** Addresses of all ranges together. */
const MAX_ADDRESSES = 65_536;

/** Throws a RangeError when the options make no sense. */
export function configOf(options: DhcpServerOptions): DhcpServerConfig {
  const { router, dnsServers = [], domainName = '', leaseSeconds = DEFAULT_LEASE_SECONDS } = options;
  if (!Number.isInteger(leaseSeconds) || leaseSeconds < 1 || leaseSeconds > MAX_LEASE_SECONDS) {
    throw new RangeError(`leases of ${leaseSeconds} s`);
  }
  if (dnsServers.length > MAX_DNS_SERVERS) throw new RangeError(`more than ${MAX_DNS_SERVERS} name servers`);
  if (domainName !== '' && !isName(domainName.toLowerCase())) throw new RangeError(`"${domainName}" is no name`);
  return {
    interface: options.interface ?? 'eth0',
    ranges: rangesOf(options.ranges),
    reservations: reservationsOf(options.reservations ?? []),
    routers: router === undefined ? [] : [parseIpv4(router)],
    dnsServers: dnsServers.map(parseIpv4),
    domainName,
    leaseSeconds,
  };
}

/** Throws a RangeError unless all that `config` gives away can be hosts of that network other than `own`, the server. */
export function checkNetwork(config: DhcpServerConfig, own: number, prefixLength: number): void {
  const mask = maskOf(prefixLength);
  const isOutside = (address: number): boolean => ((address ^ own) & mask) !== 0;
  const nobodys = [own, (own & mask) >>> 0, (own | ~mask) >>> 0];
  const network = `the network of ${formatIpv4(own)}/${prefixLength}`;
  for (const { first, last } of config.ranges) {
    const text = `${formatIpv4(first)} to ${formatIpv4(last)}`;
    if (isOutside(first) || isOutside(last)) throw new RangeError(`${text} is not all on ${network}`);
    const bad = nobodys.find(address => address >= first && address <= last);
    if (bad !== undefined) throw new RangeError(`${formatIpv4(bad)}, among ${text}, is for no client`);
  }
  for (const address of [...config.reservations.values(), ...config.routers]) {
    if (isOutside(address)) throw new RangeError(`${formatIpv4(address)} is not on ${network}`);
  }
}

function rangesOf(ranges: DhcpServerOptions['ranges']): readonly AddressRange[] {
  let count = 0;
  return ranges.map(pair => {
    const [first, last] = pair.map(parseIpv4) as [number, number];
    if (last < first) throw new RangeError(`${pair[0]} to ${pair[1]} is no range`);
    count += last - first + 1;
    if (count > MAX_ADDRESSES) throw new RangeError(`more than ${MAX_ADDRESSES} addresses`);
    return { first, last };
  });
}

function reservationsOf(pairs: NonNullable<DhcpServerOptions['reservations']>): ReadonlyMap<string, number> {
  const reservations = new Map<string, number>();
  const taken = new Set<number>();
  for (const { mac, address: dotted } of pairs) {
    const key = formatMac(parseMac(mac));
    const address = parseIpv4(dotted);
    if (reservations.has(key) || taken.has(address)) throw new RangeError(`${mac} or ${dotted} is reserved twice`);
    reservations.set(key, address);
    taken.add(address);
  }
  return reservations;
}
