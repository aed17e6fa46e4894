/**
 * DHCP messages, RFC 2131 section 2, as data; the names of their fields are those of the RFC. `message-reader.ts` makes
 * them of octets, `message-writer.ts` octets of them, and `options.ts` knows what is in the options.
 */

export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;

/** Octets up to the options, and where in there `chaddr`, `sname` and `file` begin. */
export const HEADER_BYTES = 236;
export const CHADDR_AT = 28;
export const SNAME_AT = 44;
export const FILE_AT = 108;
/** The first four octets of the options, RFC 2131 section 3. */
export const MAGIC_COOKIE = 0x6382_5363;
export const BOOTREQUEST = 1;
export const BOOTREPLY = 2;
/** Of hardware addresses: those of Ethernet, six octets. */
export const ETHERNET = 1;
export const MAC_BYTES = 6;
/** The one bit of the flags: a client that cannot be reached by its address yet. */
export const BROADCAST_FLAG = 0x8000;

/** RFC 2132 section 9.6. */
export const MESSAGE_TYPES = [
  'DHCPDISCOVER',
  'DHCPOFFER',
  'DHCPREQUEST',
  'DHCPDECLINE',
  'DHCPACK',
  'DHCPNAK',
  'DHCPRELEASE',
  'DHCPINFORM',
] as const;
export type DhcpMessageType = (typeof MESSAGE_TYPES)[number];

/** The octets of each option, by its code. */
export type DhcpOptions = ReadonlyMap<number, Uint8Array>;

export interface DhcpMessage {
  readonly op: 'BOOTREQUEST' | 'BOOTREPLY';
  /** What ties a reply to its question, unsigned 32 bits. */
  readonly xid: number;
  /** Seconds since the client began. */
  readonly secs: number;
  /** Whether replies have to be broadcast. */
  readonly broadcast: boolean;
  /** The client's own address, 0 while it has none that it can answer for. */
  readonly ciaddr: number;
  /** "Your" address. */
  readonly yiaddr: number;
  readonly siaddr: number;
  /** The relay agent's address. */
  readonly giaddr: number;
  /** The client's hardware address, six octets. */
  readonly chaddr: Uint8Array;
  readonly options: DhcpOptions;
}
