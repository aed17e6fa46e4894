/**
 * Fragmentation, RFC 791 section 3.2: cuts a packet that is longer than the MTU of the link it leaves by. What this host
 * sends and what a router passes on are cut alike; what is a fragment itself is cut into smaller ones of the same
 * datagram. Whether the packet may be cut (DF) is the caller's matter.
 */
import { writeBe16 } from '../../../src/lib/bytes.ts';
import type { PacketBuffer, PacketPool } from '../../driver-api.ts';
import { chainBytes, readChain, sumChain } from '../chain.ts';
import { complement } from '../checksum.ts';
import { ETHERNET_HEADER_BYTES, IPV4_HEADER_BYTES, pull, push } from '../packet.ts';
import { fragmentWordOf, headerBytesOf, MORE_FRAGMENTS, rewrite } from './header.ts';
import type { Link } from './link.ts';
import { copyOptions } from './options.ts';

/**
 * Sends `packet`, which starts at its IPv4 header, as fragments of at most `mtu` octets (68 or more, and no more than a
 * buffer holds) to `nextHop` on `link`, and frees it. A link that does not take all of them drops the rest itself. False
 * when the pool had no buffer for the next fragment: those before it were sent, and the datagram is lost.
 */
export function fragment(pool: PacketPool, packet: PacketBuffer, mtu: number, link: Link, nextHop: number): boolean {
  if (packet.checksumStart !== 0) finishChecksum(packet);
  const word = fragmentWordOf(packet.bytes, packet.start);
  const payloadAt = headerBytesOf(packet.bytes, packet.start);
  const payloadBytes = chainBytes(packet) - payloadAt;
  let at = 0;
  while (at < payloadBytes) {
    const piece = pool.allocate();
    if (piece === null) break;
    piece.start += ETHERNET_HEADER_BYTES;
    const headerBytes = copyHeader(packet, payloadAt, piece, at === 0);
    const room = mtu - headerBytes;
    const last = payloadBytes - at <= room;
    // All but the last end at a multiple of 8 octets, for the offset counts these.
    const count = last ? payloadBytes - at : room & ~7;
    readChain(packet, payloadAt + at, count, piece.bytes, piece.start + headerBytes);
    piece.length = headerBytes + count;
    // The offset cannot overflow into the flags: a datagram is shorter than 2^16 octets.
    rewrite(piece.bytes, piece.start, headerBytes, piece.length, (word + (at >>> 3)) | (last ? 0 : MORE_FRAGMENTS));
    at += count;
    link.send(piece, nextHop);
  }
  pool.free(packet);
  return at >= payloadBytes;
}

/** Returns the octets of the header of `piece`: all options go with the first fragment, some with the others too. */
function copyHeader(packet: PacketBuffer, headerBytes: number, piece: PacketBuffer, first: boolean): number {
  const copied = first ? headerBytes : IPV4_HEADER_BYTES;
  piece.bytes.set(packet.bytes.subarray(packet.start, packet.start + copied), piece.start);
  if (first) return copied;
  return copied + copyOptions(packet.bytes, packet.start, headerBytes, piece.bytes, piece.start + copied);
}

/** Does what the hardware was asked to do, which cannot be done to pieces. */
function finishChecksum(packet: PacketBuffer): void {
  const offset = packet.checksumStart - packet.start;
  pull(packet, offset);
  // Of the two zeros of ones' complement UDP has use for all ones, and TCP takes either.
  const checksum = complement(sumChain(packet, chainBytes(packet))) || 0xffff;
  push(packet, offset);
  writeBe16(packet.bytes, packet.checksumAt, checksum);
  packet.checksumStart = 0;
}
