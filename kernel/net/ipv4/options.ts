/**
 * The options of an IPv4 header, RFC 791 section 3.1: an octet of type, and, except for the two that are one octet long,
 * an octet of length that counts both. A host obeys none (RFC 1122 section 3.2.1.8 lets it): security and stream
 * identifier are obsolete, record route and timestamp stay as they came, and source routes are not followed, by policy.
 */
import { IPV4_HEADER_BYTES } from '../packet.ts';

const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;
/** The flag in the type that has an option go with every fragment. */
const COPIED = 0x80;

/**
 * Looks through the options of the header at `start`. Returns the octet of the header at which they go wrong, -1 when
 * they do not: the pointer of a parameter problem.
 */
export function findBadOption(bytes: Uint8Array, start: number, headerBytes: number): number {
  let at = IPV4_HEADER_BYTES;
  while (at < headerBytes) {
    const type = bytes[start + at]!;
    if (type === END_OF_OPTIONS) return -1;
    if (type === NO_OPERATION) {
      at += 1;
      continue;
    }
    // The length octet counts type and length octets too.
    if (at + 1 === headerBytes) return at;
    const lengthOctet = bytes[start + at + 1]!;
    if (lengthOctet < 2 || at + lengthOctet > headerBytes) return at + 1;
    at += lengthOctet;
  }
  return -1;
}

/**
 * Writes to `to[toAt]` what of the options of the header at `start` belongs into every fragment, filled up to a word.
 * Returns how many octets that is. What follows an option that is wrong is left out.
 */
export function copyOptions(
  bytes: Uint8Array,
  start: number,
  headerBytes: number,
  to: Uint8Array,
  toAt: number,
): number {
  let copied = 0;
  let at = IPV4_HEADER_BYTES;
  while (at < headerBytes) {
    const type = bytes[start + at]!;
    if (type === END_OF_OPTIONS) break;
    if (type === NO_OPERATION) {
      at += 1;
      continue;
    }
    const lengthOctet = at + 1 < headerBytes ? bytes[start + at + 1]! : 0;
    if (lengthOctet < 2 || at + lengthOctet > headerBytes) break;
    if ((type & COPIED) !== 0) {
      to.set(bytes.subarray(start + at, start + at + lengthOctet), toAt + copied);
      copied += lengthOctet;
    }
    at += lengthOctet;
  }
  while ((copied & 3) !== 0) to[toAt + copied++] = END_OF_OPTIONS;
  return copied;
}

/** Whether there is a source route among the options of a header, in which {@link findBadOption} found nothing wrong. */
export function hasSourceRoute(bytes: Uint8Array, start: number, headerBytes: number): boolean {
  let at = IPV4_HEADER_BYTES;
  while (at < headerBytes) {
    const type = bytes[start + at]!;
    if (type === END_OF_OPTIONS) return false;
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE) return true;
    at += type === NO_OPERATION ? 1 : bytes[start + at + 1]!;
  }
  return false;
}
