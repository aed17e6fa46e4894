/**
 * What is said about a NIC of a computer when it is built, and what the parts that it concerns make of it: the driver,
 * the network stack, and the size of memory. Everything is checked before the computer is there.
 */
import type { E1000Options } from '../../drivers/e1000/e1000.ts';
import type { Features } from '../../drivers/e1000/features.ts';
import type { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import { PROFILES, type Profile, type ProfileName } from '../../hw/nic/e1000/profile.ts';
import type { DhcpClient } from '../../kernel/apps/dhcp/client.ts';
import { ETHERNET_MTU } from '../../kernel/net/interface.ts';
import type { InterfaceConfig } from '../../kernel/net/interface-address.ts';
import { maskOf } from '../../kernel/net/ipv4/address.ts';
import { MIN_MTU } from '../../kernel/net/ipv4/path-mtu.ts';
import { formatIpv4, parseIpv4, parseMac } from '../lib/bytes.ts';
import type { Jack } from './jack.ts';

export interface NicOptions {
  /** `52:54:00:...`; unless given, numbered through the world. */
  readonly mac?: string;
  /**
   * `192.0.2.1/24`; or `dhcp`: then the computer runs a DHCP client, and has an address some 10 to 20 s after the link is
   * up. Without one the interface is up and has no IPv4.
   */
  readonly address?: string;
  /** The next hop for everything that is not on a link, dotted. It is on this NIC's own network. */
  readonly gateway?: string;
  /** Longest IPv4 packet in octets that is sent here, 68 to 1500; 1500 unless given. */
  readonly mtu?: number;
  /**
   * Whether the address is probed before it is used, announced, and defended (RFC 5227). It then takes some seconds
   * after the link is up until the computer has an address. Off unless told otherwise.
   */
  readonly detectConflicts?: boolean;
  /** Descriptors of each ring: a multiple of 8 from 8 to 4096, 256 unless given. */
  readonly txDescriptors?: number;
  readonly rxDescriptors?: number;
  /** Whose 82540EM it is: the manual's, unless told otherwise, or that of QEMU 7.2. See docs/e1000-profiles.md. */
  readonly profile?: ProfileName;
  /** What of the NIC its driver makes use of; all of it unless told otherwise, feature by feature. */
  readonly features?: Partial<Features>;
  /** Speed and duplex that the driver forces, negotiating nothing; `auto` unless given. */
  readonly link?: 'auto' | { readonly speedMbps: 10 | 100; readonly fullDuplex: boolean };
}

/** A NIC of a computer, under the name that tables and captures give it: `alice.eth0`. */
export interface Nic extends Jack {
  readonly device: E1000Nic;
  /** Who gets the address of the NIC; null unless that comes by DHCP. */
  readonly dhcp: DhcpClient | null;
}

/** What stands in the place of an address that comes by DHCP. */
const DHCP = 'dhcp';

/** The hardware address of the options, six bytes; null when they leave it open. Throws a RangeError. */
export function macOf({ mac }: NicOptions): Uint8Array | null {
  if (mac === undefined) return null;
  const bytes = parseMac(mac);
  if ((bytes[0]! & 1) !== 0) throw new RangeError(`"${mac}" is a group's MAC address, not one station's`);
  return bytes;
}

/** The profile of the options. Throws a RangeError. */
export function profileOf({ profile = 'strict' }: NicOptions): Profile {
  if (!Object.hasOwn(PROFILES, profile)) throw new RangeError(`no NIC has the profile "${profile}"`);
  return PROFILES[profile];
}

/** Whether the address comes by DHCP. */
export const usesDhcp = ({ address }: NicOptions): boolean => address === DHCP;

/** What the options say to the driver. */
export function driverOptionsOf({ txDescriptors, rxDescriptors, features, link }: NicOptions): E1000Options {
  return {
    ...(txDescriptors === undefined ? {} : { txDescriptors }),
    ...(rxDescriptors === undefined ? {} : { rxDescriptors }),
    ...(features === undefined ? {} : { features }),
    ...(link === undefined ? {} : { link }),
  };
}

/** What the options say to the network stack. Throws a RangeError when that makes no sense. */
export function interfaceConfigOf({ address, gateway, mtu, detectConflicts }: NicOptions): InterfaceConfig {
  if (mtu !== undefined && !(Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= ETHERNET_MTU)) {
    throw new RangeError(`an MTU of ${mtu}: a NIC has ${MIN_MTU} to ${ETHERNET_MTU}`);
  }
  const options = {
    ...(mtu === undefined ? {} : { mtu }),
    ...(detectConflicts === undefined ? {} : { detectConflicts }),
  };
  if (address === undefined || address === DHCP) {
    if (gateway !== undefined) throw new RangeError(`gateway ${gateway} of a NIC without an address of its own`);
    return { address: 0, prefixLength: 0, ...options };
  }
  const config = { ...parseAddress(address), ...options };
  if (gateway === undefined) return config;
  const nextHop = parseIpv4(gateway);
  if (!isNeighbour(config, nextHop)) {
    throw new RangeError(`gateway ${formatIpv4(nextHop)} is no other host on the network of ${address}`);
  }
  return { ...config, gateway: nextHop };
}

/** Whether `address` can be that of another host on the network of an interface. */
export function isNeighbour(config: InterfaceConfig, address: number): boolean {
  return (
    config.address !== 0 &&
    address !== config.address &&
    ((address ^ config.address) & maskOf(config.prefixLength)) === 0
  );
}

/** `192.0.2.1/24`. Throws a RangeError. */
export function parsePrefix(text: string): { readonly address: number; readonly prefixLength: number } {
  const [, dotted, prefix] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  if (dotted === undefined || Number(prefix) > 32) throw new RangeError(`not an address with a prefix: "${text}"`);
  return { address: parseIpv4(dotted), prefixLength: Number(prefix) };
}

function parseAddress(text: string): InterfaceConfig {
  const { address, prefixLength } = parsePrefix(text);
  const first = address >>> 24;
  if (first === 0 || first === 127 || first >= 224)
    throw new RangeError(`no NIC can have the address ${formatIpv4(address)}`);
  return { address, prefixLength };
}
