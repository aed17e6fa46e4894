/**
 * Where headers lie in a packet buffer. The pool leaves headroom in front, and as many bytes more as put the IP header
 * on a word behind the 14 of an Ethernet header. A sender starts at its payload and each layer pushes `start` back
 * over its own header; a receiver pulls it forward. No layer copies another's bytes.
 */
import type { PacketBuffer, PacketPool } from '../driver-api.ts';

export const ETHERNET_HEADER_BYTES = 14;
export const IPV4_HEADER_BYTES = 20;
/** With as many options as there can be. */
export const MAX_IPV4_HEADER_BYTES = 60;
/** The longest IPv4 packet: its length has 16 bits. */
export const MAX_IPV4_BYTES = 65_535;

/**
 * A packet that starts where the payload of IPv4 will, and is `length` bytes long; null when the pool is empty. The
 * bytes are those of its last use.
 */
export function allocateTransport(pool: PacketPool, length: number): PacketBuffer | null {
  const packet = pool.allocate();
  if (packet === null) return null;
  packet.start += ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES;
  packet.length = length;
  return packet;
}

/** Makes room for a header of `bytes` in front. */
export function push(packet: PacketBuffer, bytes: number): void {
  packet.start -= bytes;
  packet.length += bytes;
}

/** Leaves a header of `bytes` behind. */
export function pull(packet: PacketBuffer, bytes: number): void {
  packet.start += bytes;
  packet.length -= bytes;
}
