/**
 * IPv4 addresses, unsigned 32-bit numbers, and what their first bits say (RFC 1122 section 3.2.1.3).
 */

/** "This host on this network": a source while a host has no address yet. Also stands for "any" in sockets. */
export const ANY_ADDRESS = 0;
export const LIMITED_BROADCAST = 0xffff_ffff;
export const LOOPBACK_ADDRESS = 0x7f00_0001;
export const LOOPBACK_NETWORK = 0x7f00_0000;
export const LOOPBACK_PREFIX_LENGTH = 8;

/** The mask of `prefixLength` leading ones. */
export const maskOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (-1 << (32 - prefixLength)) >>> 0);

export const isLoopback = (address: number): boolean => address >>> 24 === 127;

/** 0/8, "this network": nothing but a source that has no address yet (RFC 1812 section 4.2.2.11). */
export const isThisNetwork = (address: number): boolean => address >>> 24 === 0;

/** Class D, 224/4. */
export const isMulticast = (address: number): boolean => address >>> 28 === 0xe;

/** Class D and E, the limited broadcast among them: never the address of one host. */
export const isClassDOrE = (address: number): boolean => address >>> 28 >= 0xe;
