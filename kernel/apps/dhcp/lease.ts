/** A lease as a client has it: what a DHCPACK says (RFC 2131 section 4.4.1). */
import { isClassDOrE, isLoopback, isThisNetwork, maskOf } from '../../net/ipv4/address.ts';
import { INFINITE_SECONDS } from './lease-table.ts';
import type { DhcpMessage } from './message.ts';
import { addressesOf, OPTION, textOf, wordOf } from './options.ts';

const SECOND_NS = 1_000_000_000;

export interface DhcpLease {
  readonly address: number;
  readonly prefixLength: number;
  /** The default gateway, 0 for none. */
  readonly router: number;
  readonly dnsServers: readonly number[];
  readonly domainName: string;
  readonly server: number;
  readonly leaseSeconds: number;
  /** T1: when to ask the server for more time; T2: when to ask any server; when the address has to be given up. */
  readonly renewNs: number;
  readonly rebindNs: number;
  readonly untilNs: number;
}

/**
 * The lease that `reply` offers or gives to who asked at `askedNs`: its time runs from then. Null when a client cannot
 * make use of it.
 */
export function leaseOf({ yiaddr, options }: DhcpMessage, askedNs: number): DhcpLease | null {
  const server = wordOf(options, OPTION.serverIdentifier);
  const leaseSeconds = wordOf(options, OPTION.leaseTime);
  const prefixLength = prefixLengthOf(wordOf(options, OPTION.subnetMask) ?? classMaskOf(yiaddr));
  if (server === null || leaseSeconds === null || leaseSeconds === 0 || prefixLength === null) return null;
  if (isThisNetwork(yiaddr) || isLoopback(yiaddr) || isClassDOrE(yiaddr)) return null;
  const mask = maskOf(prefixLength);
  const isNeighbour = (router: number): boolean => ((router ^ yiaddr) & mask) === 0 && router !== yiaddr;
  return {
    address: yiaddr,
    prefixLength,
    router: addressesOf(options, OPTION.router).find(isNeighbour) ?? 0,
    dnsServers: addressesOf(options, OPTION.domainNameServer),
    domainName: textOf(options, OPTION.domainName),
    server,
    leaseSeconds,
    ...timesOf(options, leaseSeconds, askedNs),
  };
}

/** Section 4.4.5: one half and seven eighths of the lease, unless the server says otherwise in this order. */
function timesOf(
  options: DhcpMessage['options'],
  leaseSeconds: number,
  askedNs: number,
): Pick<DhcpLease, 'renewNs' | 'rebindNs' | 'untilNs'> {
  if (leaseSeconds === INFINITE_SECONDS) {
    const never = Number.POSITIVE_INFINITY;
    return { renewNs: never, rebindNs: never, untilNs: never };
  }
  const t1 = wordOf(options, OPTION.renewalTime) ?? leaseSeconds / 2;
  const t2 = wordOf(options, OPTION.rebindingTime) ?? (leaseSeconds * 7) / 8;
  const inOrder = t1 < t2 && t2 < leaseSeconds;
  const [renewSeconds, rebindSeconds] = inOrder ? [t1, t2] : [leaseSeconds / 2, (leaseSeconds * 7) / 8];
  return {
    renewNs: askedNs + renewSeconds * SECOND_NS,
    rebindNs: askedNs + rebindSeconds * SECOND_NS,
    untilNs: askedNs + leaseSeconds * SECOND_NS,
  };
}

/** How many ones `mask` begins with; null when it has others besides. */
function prefixLengthOf(mask: number): number | null {
  const prefixLength = Math.clz32(~mask);
  return maskOf(prefixLength) === mask ? prefixLength : null;
}

/** Of a network of class A, B or C (RFC 791 section 3.2): for a server that says nothing of a mask. */
const classMaskOf = (address: number): number => maskOf(address >>> 31 === 0 ? 8 : address >>> 30 === 0b10 ? 16 : 24);
