/**
 * Bytes, addresses and their text forms. Multi-byte fields of descriptors and registers are little-endian (`le`),
 * those of protocol headers big-endian (`be`). Everything here is pure and reads only inside the given array.
 */

export const readLe16 = (b: Uint8Array, at: number): number => b[at]! | (b[at + 1]! << 8);
/** Little-endian 32-bit word as int32. */
export const readLe32 = (b: Uint8Array, at: number): number =>
  b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
export const readBe16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!;
/** Big-endian 32-bit word as an unsigned number. */
export const readBe32 = (b: Uint8Array, at: number): number =>
  ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;

export function writeLe16(b: Uint8Array, at: number, value: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
}

export function writeLe32(b: Uint8Array, at: number, value: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
  b[at + 2] = value >>> 16;
  b[at + 3] = value >>> 24;
}

export function writeBe16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8;
  b[at + 1] = value;
}

export function writeBe32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24;
  b[at + 1] = value >>> 16;
  b[at + 2] = value >>> 8;
  b[at + 3] = value;
}

/** `0x` and `digits` hexadecimal digits of an int32 or unsigned value. */
export function hex(value: number, digits = 8): string {
  const unsigned = value < 0 ? value >>> 0 : value;
  return `0x${unsigned.toString(16).padStart(digits, '0')}`;
}

/** The bytes as hexadecimal pairs, joined by `separator`. */
export function hexBytes(bytes: Uint8Array, separator = ' '): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(separator);
}

/** Bytes from hexadecimal text; blanks and colons between pairs are ignored. Throws a RangeError on anything else. */
export function bytesFromHex(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) throw new RangeError(`not hexadecimal bytes: "${text}"`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** A MAC address, six bytes, in the usual text form `52:54:00:12:34:56`. */
export function formatMac(bytes: Uint8Array, at = 0): string {
  return hexBytes(bytes.subarray(at, at + 6), ':');
}

/** The six bytes of a MAC address. Throws a RangeError unless the text has that form. */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) throw new RangeError(`not a MAC address: "${text}"`);
  return bytesFromHex(text);
}

/** An IPv4 address, an unsigned 32-bit number, in dotted text form. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The unsigned 32-bit number of a dotted IPv4 address. Throws a RangeError unless the text is four octets. */
export function parseIpv4(text: string): number {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some(octet => octet > 255)) throw new RangeError(`not an IPv4 address: "${text}"`);
  return octets.reduce((address, octet) => address * 256 + octet, 0);
}
