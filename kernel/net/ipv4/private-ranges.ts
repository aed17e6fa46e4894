/**
 * The addresses of private internets, RFC 1918 section 3: any company may use them, so they name nobody on the Internet.
 */
import { maskOf } from './address.ts';

/** A network: `prefixLength` leading bits of `address` count. */
export interface Prefix {
  /** Unsigned. */
  readonly address: number;
  readonly prefixLength: number;
}

export const PRIVATE_RANGES: readonly Prefix[] = [
  { address: 0x0a00_0000, prefixLength: 8 }, // 10.0.0.0 to 10.255.255.255
  { address: 0xac10_0000, prefixLength: 12 }, // 172.16.0.0 to 172.31.255.255
  { address: 0xc0a8_0000, prefixLength: 16 }, // 192.168.0.0 to 192.168.255.255
];

/** Whether `address` is in one of `prefixes`. */
export function isIn(prefixes: readonly Prefix[], address: number): boolean {
  for (let i = 0; i < prefixes.length; i++) {
    const prefix = prefixes[i]!;
    if (((address ^ prefix.address) & maskOf(prefix.prefixLength)) === 0) return true;
  }
  return false;
}
