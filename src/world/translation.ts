/**
 * Address translation of a router: as it is written down when the computer is built, and what the network stack makes of
 * it.
 */
import { maskOf } from '../../kernel/net/ipv4/address.ts';
import { PRIVATE_RANGES, type Prefix } from '../../kernel/net/ipv4/private-ranges.ts';
import type { Filtering, ForwardConfig, NatConfig, NatTimeouts, StaticConfig } from '../../kernel/net/nat/config.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import { parsePrefix } from './nic.ts';

export interface ForwardOptions {
  readonly protocol: 'tcp' | 'udp';
  /** The port of the public address. */
  readonly port: number;
  /** Where it leads: `10.0.0.2:8080`, or `10.0.0.2` for the same port. */
  readonly to: string;
  /** Which public address; the first one unless given. */
  readonly public?: string;
}

export interface NatOptions {
  /** The interface that leads to the public network: `eth1`, or 1. */
  readonly outside: string | number;
  /**
   * Whose addresses are translated: `private` stands for 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16, others are networks
   * (`100.64.0.0/10`) and interfaces (`eth0`). `private` unless given.
   */
  readonly inside?: string | readonly string[];
  /** The addresses that the inside shares; the one of the outside interface unless given. */
  readonly public?: readonly string[];
  /** Ports that lead to hosts inside. */
  readonly forward?: readonly ForwardOptions[];
  /** Public addresses that belong to one host inside each. */
  readonly static?: readonly { readonly public: string; readonly private: string }[];
  /** Whom a mapping lets in; `endpoint-independent`, that is everybody, unless given. */
  readonly filtering?: Filtering;
  /** In nanoseconds; those that are left out have the values of RFC 4787, 5382 and 5508. */
  readonly timeouts?: Partial<NatTimeouts>;
  /** Lets packets with private sources that are nobody's of the inside leave as they are. */
  readonly passPrivateSources?: boolean;
}

const FILTERINGS: readonly Filtering[] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'];

/** What the options say to the network stack of a computer with `nicCount` NICs. Throws a RangeError. */
export function natConfigOf(options: NatOptions, nicCount: number): NatConfig {
  const { outside, inside = 'private', filtering, timeouts, passPrivateSources } = options;
  const names = typeof inside === 'string' ? [inside] : inside;
  const interfaces = names.filter(name => name.startsWith('eth'));
  const outsideIndex = interfaceOf(outside, nicCount);
  const insideInterfaces = interfaces.map(name => interfaceOf(name, nicCount));
  if (insideInterfaces.includes(outsideIndex)) throw new RangeError(`NAT: ${outside} is both inside and outside`);
  if (filtering !== undefined && !FILTERINGS.includes(filtering)) {
    throw new RangeError(`NAT filtering "${filtering}": there are ${FILTERINGS.join(', ')}`);
  }
  return {
    outside: outsideIndex,
    insideInterfaces,
    insidePrefixes: names.filter(name => !interfaces.includes(name)).flatMap(prefixesOf),
    publicAddresses: (options.public ?? []).map(parseIpv4),
    forwards: (options.forward ?? []).map(forwardOf),
    statics: (options.static ?? []).map(staticOf),
    ...(filtering === undefined ? {} : { filtering }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(passPrivateSources === undefined ? {} : { passPrivateSources }),
  };
}

/** `eth1` or 1. */
function interfaceOf(name: string | number, nicCount: number): number {
  const index = typeof name === 'number' ? name : Number(/^eth(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isInteger(index) && index >= 0 && index < nicCount) return index;
  throw new RangeError(`NAT: the computer has no interface "${name}"`);
}

function prefixesOf(name: string): readonly Prefix[] {
  if (name === 'private') return PRIVATE_RANGES;
  const prefix = parsePrefix(name);
  if ((prefix.address & ~maskOf(prefix.prefixLength)) !== 0) {
    throw new RangeError(`${name} has bits set beyond its prefix`);
  }
  return [prefix];
}

function forwardOf({ protocol, port, to, public: publicAddress }: ForwardOptions): ForwardConfig {
  if (protocol !== 'tcp' && protocol !== 'udp') throw new RangeError(`NAT forwards tcp and udp, not "${protocol}"`);
  const [, host, toPort = port] = /^([\d.]+)(?::(\d{1,5}))?$/.exec(to) ?? [];
  if (host === undefined) throw new RangeError(`not an address with a port: "${to}"`);
  return {
    protocol,
    publicPort: port,
    privateAddress: parseIpv4(host),
    privatePort: Number(toPort),
    ...(publicAddress === undefined ? {} : { publicAddress: parseIpv4(publicAddress) }),
  };
}

const staticOf = (pair: { readonly public: string; readonly private: string }): StaticConfig => ({
  publicAddress: parseIpv4(pair.public),
  privateAddress: parseIpv4(pair.private),
});
