/**
 * DNS messages and names, RFC 1035 sections 2.3 and 4.1, as data. `message-reader.ts` makes them of octets, and
 * `message-writer.ts` octets of them.
 */

/** Longest message over UDP (RFC 1035 section 2.3.4). */
export const MAX_UDP_MESSAGE_BYTES = 512;
export const MAX_NAME_BYTES = 255;
export const MAX_LABEL_BYTES = 63;
/** The two bits with which a pointer to a name begins (RFC 1035 section 4.1.4). */
export const POINTER = 0xc0;
export const CLASS_INTERNET = 1;
export const CLASS_ANY = 255;
/** How long a message over UDP may be for whom it says so: what fits into a packet everywhere (RFC 6891 section 6.2.5). */
export const EDNS_PAYLOAD_BYTES = 1232;

export const RECORD_TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, OPT: 41, ANY: 255 } as const;
/** Response codes, RFC 1035 section 4.1.1, and of RFC 6891 section 9. */
export const RESPONSE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  /** Of more than four bits: the upper ones go into the OPT record. */
  badVersion: 16,
} as const;

export interface DnsQuestion {
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** A resource record; what `data` is depends on the type. Of types that are not known it is the octets. */
export interface DnsRecord {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly data: DnsData;
}

export type DnsData =
  | { readonly type: 'A'; readonly address: number }
  | { readonly type: 'NS'; readonly target: string }
  | { readonly type: 'CNAME'; readonly target: string }
  | { readonly type: 'PTR'; readonly target: string }
  | { readonly type: 'MX'; readonly preference: number; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }
  | {
      readonly type: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      /** How long, in seconds, it may be remembered that there is no such name (RFC 2308 section 4). */
      readonly minimumSeconds: number;
    }
  | { readonly type: 'other'; readonly number: number; readonly bytes: Uint8Array };

export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  /** The message was cut to fit. */
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly code: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  /** Without the OPT record, which is `edns`. */
  readonly additionals: readonly DnsRecord[];
  readonly edns: Edns | null;
}

/** What an OPT record says (RFC 6891 section 6.1.3); options in it are passed over. */
export interface Edns {
  /** The longest message over UDP that its sender takes. */
  readonly payloadBytes: number;
  readonly version: number;
}

/** Bits of the second word of a message. */
export const FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  desired: 0x0100,
  available: 0x0080,
} as const;

/** Whether `name` can be one: labels of 1 to 63 octets, 255 in all. */
export function isName(name: string): boolean {
  return name.length + 2 <= MAX_NAME_BYTES && name.split('.').every(label => /^[a-z0-9_-]{1,63}$/.test(label));
}
