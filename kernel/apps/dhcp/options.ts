/** The options of DHCP, RFC 2132: their codes, and the values in their octets. An option of another form counts as none. */
import { readBe32, writeBe32 } from '../../../src/lib/bytes.ts';
import { type DhcpMessageType, type DhcpOptions, MESSAGE_TYPES } from './message.ts';

export const PAD = 0;
export const END = 255;
export const OPTION = {
  subnetMask: 1,
  router: 3,
  domainNameServer: 6,
  hostName: 12,
  domainName: 15,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterRequestList: 55,
  message: 56,
  renewalTime: 58,
  rebindingTime: 59,
  clientIdentifier: 61,
} as const;

const ADDRESS_BYTES = 4;

export function typeOf(options: DhcpOptions): DhcpMessageType | null {
  const octets = options.get(OPTION.messageType);
  return octets?.length === 1 ? (MESSAGE_TYPES[octets[0]! - 1] ?? null) : null;
}

/** One address, or one number of seconds; null for none. */
export function wordOf(options: DhcpOptions, code: number): number | null {
  const octets = options.get(code);
  return octets?.length === ADDRESS_BYTES ? readBe32(octets, 0) : null;
}

export function addressesOf(options: DhcpOptions, code: number): readonly number[] {
  const octets = options.get(code);
  if (octets === undefined || octets.length % ADDRESS_BYTES !== 0) return [];
  return Array.from({ length: octets.length / ADDRESS_BYTES }, (_, i) => readBe32(octets, ADDRESS_BYTES * i));
}

/** Without the zeros with which some end it (RFC 2132 section 2). Empty for none. */
export function textOf(options: DhcpOptions, code: number): string {
  const text = String.fromCharCode(...(options.get(code) ?? []));
  return text.replace(/\0+$/, '');
}

export const typeOption = (type: DhcpMessageType): Uint8Array => Uint8Array.of(MESSAGE_TYPES.indexOf(type) + 1);

/** Addresses, or one number of seconds. */
export function wordsOption(...words: readonly number[]): Uint8Array {
  const octets = new Uint8Array(ADDRESS_BYTES * words.length);
  words.forEach((word, i) => {
    writeBe32(octets, ADDRESS_BYTES * i, word);
  });
  return octets;
}

export const textOption = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0));
