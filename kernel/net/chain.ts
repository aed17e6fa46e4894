/**
 * Payloads of IPv4 that may be longer than a packet buffer: such a one lies in a chain of buffers (`packet.next`), each
 * of which but the last holds {@link CHAIN_BYTES} octets of it. The headers of protocols are in the first. A payload
 * that fits into one buffer is a chain of one, so only code that reads or writes all of a payload need know of chains.
 *
 * A driver never sees one: what is longer than the MTU of its link is cut (`ipv4/fragment.ts`), and what came in pieces
 * is put together into one (`ipv4/reassembly.ts`).
 */
import type { PacketBuffer, PacketPool } from '../driver-api.ts';
import { PACKET_BYTES, PACKET_HEADROOM } from '../packet-pool.ts';
import { fold, sum } from './checksum.ts';
import { ETHERNET_HEADER_BYTES, MAX_IPV4_HEADER_BYTES } from './packet.ts';

/** What lies before the payload in each buffer: in the first one there is room for the longest IPv4 header. */
const PAYLOAD_OFFSET = ETHERNET_HEADER_BYTES + MAX_IPV4_HEADER_BYTES;
/** Octets of payload in a buffer that is followed by another: a multiple of 8, the unit of fragment offsets. */
export const CHAIN_BYTES = (PACKET_BYTES - PACKET_HEADROOM - PAYLOAD_OFFSET) & ~7;

/** One buffer of a chain, with no octets in it yet; null when the pool is empty. */
export function allocateChainBuffer(pool: PacketPool): PacketBuffer | null {
  const packet = pool.allocate();
  if (packet !== null) packet.start += PAYLOAD_OFFSET;
  return packet;
}

/**
 * A packet that starts where the payload of IPv4 will, and is `length` bytes long, in as many buffers as that takes;
 * null when the pool has too few. The bytes are those of their last use.
 */
export function allocateChain(pool: PacketPool, length: number): PacketBuffer | null {
  const first = allocateChainBuffer(pool);
  if (first === null) return null;
  let last = first;
  for (let left = length; ; ) {
    last.length = Math.min(left, CHAIN_BYTES);
    left -= last.length;
    if (left === 0) return first;
    last.next = allocateChainBuffer(pool);
    if (last.next === null) {
      pool.free(first);
      return null;
    }
    last = last.next;
  }
}

/** The octets in all buffers of `packet`. */
export function chainBytes(packet: PacketBuffer): number {
  let bytes = packet.length;
  for (let each = packet.next; each !== null; each = each.next) bytes += each.length;
  return bytes;
}

/** Writes `bytes` to `packet`, from octet `at` of it on. There is room for them. */
export function writeChain(packet: PacketBuffer, at: number, bytes: Uint8Array): void {
  let offset = at;
  let done = 0;
  for (let each: PacketBuffer | null = packet; each !== null && done < bytes.length; each = each.next) {
    const count = Math.min(each.length - offset, bytes.length - done);
    if (count > 0) {
      each.bytes.set(bytes.subarray(done, done + count), each.start + offset);
      done += count;
    }
    offset = Math.max(0, offset - each.length);
  }
}

/** Copies `length` octets of `packet`, from octet `at` of it on, to `to[toAt]` and what follows. */
export function readChain(packet: PacketBuffer, at: number, length: number, to: Uint8Array, toAt: number): void {
  let offset = at;
  let done = 0;
  for (let each: PacketBuffer | null = packet; each !== null && done < length; each = each.next) {
    const count = Math.min(each.length - offset, length - done);
    if (count > 0) {
      const from = each.start + offset;
      to.set(each.bytes.subarray(from, from + count), toAt + done);
      done += count;
    }
    offset = Math.max(0, offset - each.length);
  }
}

/** A copy of `packet`, and of the header of the link in front of it; null when the pool has too few buffers. */
export function copyChain(pool: PacketPool, packet: PacketBuffer): PacketBuffer | null {
  const copy = pool.allocate();
  if (copy === null) return null;
  const { start, length, checksumGood } = packet;
  copy.start = start;
  copy.length = length;
  copy.checksumGood = checksumGood;
  const from = start - ETHERNET_HEADER_BYTES;
  copy.bytes.set(packet.bytes.subarray(from, start + length), from);
  if (packet.next === null) return copy;
  copy.next = copyChain(pool, packet.next);
  if (copy.next !== null) return copy;
  pool.free(copy);
  return null;
}

/** As `sum` of `checksum.ts`, over the first `length` octets of `packet`. Buffers that are followed by one are even. */
export function sumChain(packet: PacketBuffer, length: number, initial = 0): number {
  let running = initial;
  let left = length;
  for (let each: PacketBuffer | null = packet; each !== null && left > 0; each = each.next) {
    const count = Math.min(each.length, left);
    running = fold(sum(each.bytes, each.start, count, running));
    left -= count;
  }
  return running;
}
