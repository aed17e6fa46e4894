/**
 * Where packets end that go no further: one place that says why, counts it, tells the observer, and gives the buffer
 * back. Every way through the stack ends in here, in a driver, or in a socket.
 */
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';

/** Each reason, with what it means. The keys are the names in counters and traces. */
export const DROP_REASONS = {
  // Interface and Ethernet
  'link is down': 'the cable is unplugged, or negotiation has not finished',
  'transmit queue is full': 'the driver has been out of descriptors for longer than the queue could bridge',
  'frame too short': 'fewer than the 14 octets of an Ethernet header',
  'not our MAC address': 'a frame for another station, seen because the NIC is promiscuous',
  'group not joined': 'a multicast frame that was let in with others, for filters of hardware are coarse',
  'no handler for its EtherType': 'IPX, AppleTalk and their like, until a module registers for them',
  'length field, not an EtherType': 'an IEEE 802.2 LLC frame (IEEE 802.3 clause 3.2.6)',
  // ARP
  'malformed ARP': 'hardware or protocol type or length is not that of IPv4 over Ethernet, or the packet is cut short',
  'ARP queue is full': 'a newer packet took its place while the address was being resolved',
  'ARP table is full': 'too many addresses are being resolved at once',
  'host unreachable': 'nobody answered for the next hop (RFC 1122 section 2.3.2.2)',
  // IPv4
  'malformed IPv4 header': 'version, header length or total length is impossible (RFC 1122 section 3.2.1.1)',
  'bad IPv4 checksum': 'RFC 1122 section 3.2.1.2',
  'bad IPv4 option': 'its length does not fit; answered with a parameter problem (RFC 1122 section 3.2.1.8)',
  'martian source': 'no host can have that address (RFC 1122 section 3.2.1.3)',
  'martian destination': 'no host can have that address, or it has no place on a wire (RFC 1812 section 5.3.7)',
  'not for this host': 'hosts do not forward, and routers no multicasts (RFC 1122 section 3.2.1.3)',
  'broadcast on the link only': 'an IPv4 unicast in a link-layer broadcast (RFC 1122 section 3.3.6)',
  'source validation': 'it did not come from where its sender is (RFC 1812 section 5.3.8)',
  'directed broadcast': 'the router is not to pass on broadcasts to its networks (RFC 2644)',
  'no route': 'answered with 3/0 where it came from outside (RFC 1812 section 5.2.7.1)',
  'time to live exceeded': 'at a router with 1 left; answered with 11/0 (RFC 1812 section 5.3.1)',
  'fragmentation needed': 'longer than the MTU of the next link, with DF; answered with 3/4 (RFC 1191)',
  'malformed fragment': 'empty, not a multiple of 8 octets, or of a datagram of more than 65,535 (RFC 791)',
  'tiny fragment': 'of TCP, too short for filters to judge, or right behind such a one (RFC 1858, RFC 3128)',
  'duplicate fragment': 'its octets are there already',
  'overlapping fragment': 'it contradicts others, so nothing of the datagram is taken (RFC 5722 section 4)',
  'reassembly timed out': 'a datagram of which fragments were still missing after 60 s; answered with 11/1',
  'reassembly is full': 'the oldest datagram that was not whole yet, to make room for a newer one',
  'no packet buffer is free': 'what was to be put together, or cut, found the pool empty',
  filtered: 'a rule of the packet filter, or the policy of one of its chains',
  'no such protocol': 'nobody registered for its protocol number; answered with 3/2',
  'loopback queue is full': 'this host sends to itself faster than it receives',
  // Address translation
  'NAT has no mapping': 'sent to a public address, and no inside host, nor this one, is behind that port',
  'NAT filters': 'the mapping lets in only those that its host has sent to (RFC 4787 section 5)',
  'NAT sees no connection': 'a TCP segment of no connection that began with a SYN (RFC 5382 REQ-2)',
  'NAT holds the SYN': 'nobody asked for it: it is answered in six seconds, with 3/3 (RFC 5382 REQ-4)',
  'NAT has no port left': 'all are taken, or the table is full; answered with 3/13 (RFC 5508 REQ-8)',
  'NAT cannot translate':
    'an ICMP message that is neither a query of the inside nor an error about a mapping; a redirect',
  'private source': 'RFC 1918 section 3: does not go out to the public network as it is',
  // TCP
  'malformed TCP': 'shorter than its header, or than its data offset says (RFC 9293 section 3.1)',
  'bad TCP checksum': 'RFC 9293 section 3.1 (MUST-3)',
  'TCP to or from no single host': 'a broadcast, a multicast, or 0.0.0.0 (RFC 9293 section 3.9.2.3)',
  // ICMP and UDP
  'malformed ICMP': 'shorter than its header, or than the IPv4 header that it quotes',
  'bad ICMP checksum': 'RFC 792',
  'unknown ICMP type': 'RFC 1122 section 3.2.2: silently discarded',
  'redirect not followed': 'not from the router that packets go to, or not to a neighbour (RFC 1122 3.2.2.2)',
  'echo request not answered': 'sent to a broadcast address, or by somebody without an address',
  'nobody waits for the echo reply': 'no socket has its identifier',
  'malformed UDP': 'shorter than its header, or than its length field says (RFC 768)',
  'bad UDP checksum': 'RFC 1122 section 4.1.3.4',
  'no such port': 'no socket at the UDP port; answered with 3/3 (RFC 1122 section 4.1.3.1)',
  'receive buffer is full': 'the program reads more slowly than datagrams come in',
} as const;

export type DropReason = keyof typeof DROP_REASONS;

export class Drops {
  /** Packets dropped so far, by reason. */
  readonly counts: Record<DropReason, number>;
  readonly #context: KernelContext;

  constructor(context: KernelContext) {
    this.#context = context;
    this.counts = Object.fromEntries(Object.keys(DROP_REASONS).map(reason => [reason, 0])) as typeof this.counts;
  }

  /** Ends `packet`, which belongs to the caller. `where` names the interface or layer. */
  drop(packet: PacketBuffer, where: string, reason: DropReason): void {
    this.count(where, reason);
    this.#context.packets.free(packet);
  }

  /** Counts a packet that somebody else frees, or that was never made. */
  count(where: string, reason: DropReason): void {
    this.counts[reason] += 1;
    const trace = this.#context.trace;
    if (trace !== null) trace.drop(where, reason);
  }
}
