/**
 * The ARP packet for IPv4 over Ethernet, RFC 826: 28 octets. `emit` and `parse` are each other's inverse.
 */
import { readBe16, readBe32, writeBe16, writeBe32 } from '../../src/lib/bytes.ts';
import { ETHERTYPE_IPV4 } from './ethernet.ts';

export const ARP_PACKET_BYTES = 28;
export const REQUEST = 1;
export const REPLY = 2;

/** ar$hrd, ar$pro, ar$hln and ar$pln of the one combination that is served. */
const HARDWARE_ETHERNET = 1;
const MAC_BYTES = 6;
const IPV4_BYTES = 4;

/** The fields, in host order. Addresses are unsigned. One object is filled in again and again. */
export class ArpPacket {
  /** ar$op. */
  opcode = 0;
  /** ar$sha. */
  senderMac: Uint8Array = new Uint8Array(MAC_BYTES);
  /** ar$spa. */
  senderAddress = 0;
  /** ar$tha: of no meaning in a request. */
  targetMac: Uint8Array = new Uint8Array(MAC_BYTES);
  /** ar$tpa. */
  targetAddress = 0;
}

/** Reads the packet at `start`, of which `length` octets have arrived. False unless it is for IPv4 over Ethernet. */
export function parseArp(bytes: Uint8Array, start: number, length: number, arp: ArpPacket): boolean {
  if (length < ARP_PACKET_BYTES) return false;
  if (readBe16(bytes, start) !== HARDWARE_ETHERNET || readBe16(bytes, start + 2) !== ETHERTYPE_IPV4) return false;
  if (bytes[start + 4] !== MAC_BYTES || bytes[start + 5] !== IPV4_BYTES) return false;
  arp.opcode = readBe16(bytes, start + 6);
  arp.senderAddress = readBe32(bytes, start + 14);
  arp.targetAddress = readBe32(bytes, start + 24);
  for (let i = 0; i < MAC_BYTES; i++) {
    arp.senderMac[i] = bytes[start + 8 + i]!;
    arp.targetMac[i] = bytes[start + 18 + i]!;
  }
  return true;
}

/** Writes the {@link ARP_PACKET_BYTES} octets of `arp` at `start`. */
export function emitArp(bytes: Uint8Array, start: number, arp: ArpPacket): void {
  writeBe16(bytes, start, HARDWARE_ETHERNET);
  writeBe16(bytes, start + 2, ETHERTYPE_IPV4);
  bytes[start + 4] = MAC_BYTES;
  bytes[start + 5] = IPV4_BYTES;
  writeBe16(bytes, start + 6, arp.opcode);
  bytes.set(arp.senderMac, start + 8);
  writeBe32(bytes, start + 14, arp.senderAddress);
  bytes.set(arp.targetMac, start + 18);
  writeBe32(bytes, start + 24, arp.targetAddress);
}
