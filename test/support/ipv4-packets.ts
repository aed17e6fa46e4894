/**
 * IPv4 packets in frames, and their checksums computed in the plainest way: what the offload engines of a NIC are held
 * against. The IPv4 header is at {@link IP}, TCP or UDP at {@link TCP}.
 */
import { writeBe16, writeBe32 } from '../../src/lib/bytes.ts';
import { NIC_MAC, octetsTo } from './e1000-rig.ts';

export const IP = 14;
export const TCP = 34;

/** RFC 1071 word by word. */
export function plainSum(octets: Uint8Array, from = 0, to = octets.length): number {
  let sum = 0;
  for (let i = from; i < to; i += 2) sum += octets[i]! * 256 + (i + 1 < to ? octets[i + 1]! : 0);
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** An IPv4 packet in a frame, with right lengths and zero checksums. */
export function packet(protocol: 6 | 17, payloadBytes: number, flags = 0x18): Uint8Array {
  const header = protocol === 6 ? 20 : 8;
  const octets = octetsTo(NIC_MAC, 34 + header + payloadBytes, 3);
  octets.set([0x08, 0x00, 0x45, 0], 12);
  writeBe16(octets, IP + 2, 20 + header + payloadBytes);
  octets.set([0x12, 0x34, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], IP + 4);
  writeBe32(octets, TCP, 0x04d2_0050);
  if (protocol === 6) {
    writeBe32(octets, TCP + 4, 0xffff_ff00);
    octets.set([0x50, flags, 0x10, 0, 0, 0, 0, 0], TCP + 12);
  } else {
    writeBe16(octets, TCP + 4, 8 + payloadBytes);
    writeBe16(octets, TCP + 6, 0);
  }
  return octets;
}

/** Sum of the pseudo-header, without the length when `lengthBytes` is 0. */
export const pseudo = (octets: Uint8Array, lengthBytes: number): number => {
  const sum = plainSum(octets, IP + 12, IP + 20) + octets[IP + 9]! + lengthBytes;
  return sum > 0xffff ? sum - 0xffff : sum;
};

/** The same packet with the checksums that belong in it. */
export function checksummed(octets: Uint8Array): Uint8Array {
  const whole = octets.slice();
  const tcp = whole[IP + 9] === 6;
  const at = TCP + (tcp ? 16 : 6);
  writeBe16(whole, IP + 10, 0);
  writeBe16(whole, IP + 10, ~plainSum(whole, IP, TCP) & 0xffff);
  writeBe16(whole, at, pseudo(whole, whole.length - TCP));
  writeBe16(whole, at, ~plainSum(whole, TCP) & 0xffff);
  return whole;
}
