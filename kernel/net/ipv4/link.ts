/**
 * What IPv4 sees of something that it sends through: an Ethernet interface with its ARP cache, the loopback, or whatever
 * else there is to come. This is all that IPv4 knows of a port; hosts and routers work with any.
 */
import type { NetFeatures, PacketBuffer } from '../../driver-api.ts';
import { isLoopback } from './address.ts';

export interface Link {
  readonly name: string;
  /** What it is, in tables: `Ethernet`, `loopback`. */
  readonly type: string;
  /** Longest IPv4 packet in bytes. */
  readonly mtu: number;
  /** This host's address here, 0 while there is none. */
  readonly address: number;
  readonly prefixLength: number;
  /** The directed broadcast address of the network here; 255.255.255.255 where there is no other. */
  readonly broadcast: number;
  /** Whether nothing that is sent here ever leaves the host. */
  readonly loopback: boolean;
  /** What may be asked for in a packet that is sent here. */
  readonly features: NetFeatures;
  /** Receives what is sent to a multicast group here, from now on or no more. Absent where nothing is filtered. */
  joinGroup?(group: number): void;
  leaveGroup?(group: number): void;
  /** Sends `packet`, which starts at its IPv4 header, towards `nextHop` on this link. Takes the packet over. */
  send(packet: PacketBuffer, nextHop: number): void;
}

/** Whether `address` is one of this host's. All of them are on all links: the weak model of RFC 1122 section 3.3.4.2. */
export function isOwnAddress(links: readonly Link[], address: number): boolean {
  for (let i = 0; i < links.length; i++) {
    const link = links[i]!;
    if (link.loopback ? isLoopback(address) : link.address === address && address !== 0) return true;
  }
  return false;
}
