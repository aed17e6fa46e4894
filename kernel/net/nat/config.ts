/**
 * What is decided about a NAT when its router is built, and what makes sense: RFC 4787 and RFC 5382 say how short timeouts
 * may be.
 */
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import type { Prefix } from '../ipv4/private-ranges.ts';

/**
 * Whose packets a mapping lets in: everybody's, those of addresses, or of addresses and ports, that its host has sent to
 * (RFC 4787 section 5).
 */
export type Filtering = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** How long what is not used is kept. */
export interface NatTimeouts {
  /** Also for protocols that are neither TCP nor ICMP. 300 s unless given, at least 120 s (RFC 4787 REQ-5). */
  readonly udpNs: number;
  /** 2 h 4 min unless given, and at least that (RFC 5382 REQ-5). */
  readonly tcpEstablishedNs: number;
  /** A connection that is being opened, or has been closed: 4 min unless given, and at least that (RFC 5382 REQ-5). */
  readonly tcpTransitoryNs: number;
  /** An ICMP query: 60 s unless given, and at least that (RFC 5508 REQ-2). */
  readonly icmpNs: number;
}

/** A port of a public address that leads to an inside host. */
export interface ForwardConfig {
  readonly protocol: 'tcp' | 'udp';
  /** One of the public addresses; the first unless given. */
  readonly publicAddress?: number;
  readonly publicPort: number;
  readonly privateAddress: number;
  readonly privatePort: number;
}

/** A public address that belongs to one inside host, with all its ports. */
export interface StaticConfig {
  readonly publicAddress: number;
  readonly privateAddress: number;
}

/** Addresses are unsigned. */
export interface NatConfig {
  /** Index of the interface that leads to the public network. */
  readonly outside: number;
  /** Whose packets are translated: those that come in by these interfaces, or from addresses in these networks. */
  readonly insideInterfaces?: readonly number[];
  readonly insidePrefixes?: readonly Prefix[];
  /** Which addresses the inside shares; unless given, the one of the outside interface. */
  readonly publicAddresses?: readonly number[];
  readonly forwards?: readonly ForwardConfig[];
  readonly statics?: readonly StaticConfig[];
  /** `endpoint-independent` unless given. */
  readonly filtering?: Filtering;
  readonly timeouts?: Partial<NatTimeouts>;
  /** Whether packets with private sources may leave by the outside interface as they are; they may not unless said so. */
  readonly passPrivateSources?: boolean;
}

const SECOND_NS = 1_000_000_000;
const DEFAULT_TIMEOUTS: NatTimeouts = {
  udpNs: 300 * SECOND_NS,
  tcpEstablishedNs: (2 * 60 + 4) * 60 * SECOND_NS,
  tcpTransitoryNs: 4 * 60 * SECOND_NS,
  icmpNs: 60 * SECOND_NS,
};
const LEAST_TIMEOUTS: NatTimeouts = { ...DEFAULT_TIMEOUTS, udpNs: 120 * SECOND_NS };
/** A year: beyond it the arithmetic of times would lose nanoseconds. */
const MAX_TIMEOUT_NS = 365 * 24 * 3600 * SECOND_NS;
/** Public addresses of one router, each with tables of ports of its own. */
const MAX_PUBLIC_ADDRESSES = 256;

/** The timeouts of a configuration, those that it leaves open filled in. Throws a RangeError. */
export function timeoutsOf({ timeouts = {} }: NatConfig): NatTimeouts {
  const all = { ...DEFAULT_TIMEOUTS, ...timeouts };
  for (const name of Object.keys(DEFAULT_TIMEOUTS) as (keyof NatTimeouts)[]) {
    const ns = all[name];
    if (Number.isInteger(ns) && ns >= LEAST_TIMEOUTS[name] && ns <= MAX_TIMEOUT_NS) continue;
    const least = LEAST_TIMEOUTS[name] / SECOND_NS;
    throw new RangeError(`NAT timeout ${name} of ${ns} ns: a whole number of them, ${least} s to a year`);
  }
  return all;
}

/** The shared addresses of a configuration, of which the outside interface has the address `own`. Throws a RangeError. */
export function publicAddressesOf({ publicAddresses = [] }: NatConfig, own: number): readonly number[] {
  const addresses = publicAddresses.length === 0 ? [own] : publicAddresses;
  if (addresses.includes(0)) throw new RangeError('NAT needs a public address: the outside interface has none');
  if (new Set(addresses).size !== addresses.length) throw new RangeError('a public address of NAT is given twice');
  if (addresses.length > MAX_PUBLIC_ADDRESSES) {
    throw new RangeError(`${addresses.length} public addresses: NAT takes ${MAX_PUBLIC_ADDRESSES}`);
  }
  return addresses;
}

/** Throws a RangeError unless the static pairs are one to one, and apart from the addresses that are `shared`. */
export function checkStatics(statics: readonly StaticConfig[], shared: readonly number[]): void {
  if (statics.length > MAX_PUBLIC_ADDRESSES) {
    throw new RangeError(`${statics.length} static addresses: NAT takes ${MAX_PUBLIC_ADDRESSES}`);
  }
  const seen = new Set<number>(shared);
  const hosts = new Set<number>();
  for (const { publicAddress, privateAddress } of statics) {
    if (seen.has(publicAddress)) throw new RangeError(`${formatIpv4(publicAddress)} is in use by NAT already`);
    if (hosts.has(privateAddress)) throw new RangeError(`${formatIpv4(privateAddress)} has two static addresses`);
    seen.add(publicAddress);
    hosts.add(privateAddress);
  }
}
