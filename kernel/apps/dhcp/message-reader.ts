/**
 * Reads DHCP messages, RFC 2131 section 2. Options may go on in the fields `file` and `sname` (RFC 2132 section 9.3), and
 * may come in pieces, which are joined (RFC 3396). An option that is longer than its field ends that field: what stands
 * before it counts.
 */
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import {
  BOOTREPLY,
  BOOTREQUEST,
  BROADCAST_FLAG,
  CHADDR_AT,
  type DhcpMessage,
  ETHERNET,
  FILE_AT,
  HEADER_BYTES,
  MAC_BYTES,
  MAGIC_COOKIE,
  SNAME_AT,
} from './message.ts';
import { END, OPTION, PAD } from './options.ts';

const COOKIE_BYTES = 4;
/** Bits of the option that says which other fields hold options. */
const IN_FILE = 1;
const IN_SNAME = 2;

/** Null for what is no DHCP message of a station on Ethernet. */
export function parseMessage(bytes: Uint8Array): DhcpMessage | null {
  if (bytes.length < HEADER_BYTES + COOKIE_BYTES || readBe32(bytes, HEADER_BYTES) !== MAGIC_COOKIE) return null;
  const [op, hardwareType, hardwareBytes] = bytes;
  if ((op !== BOOTREQUEST && op !== BOOTREPLY) || hardwareType !== ETHERNET || hardwareBytes !== MAC_BYTES) return null;
  return {
    op: op === BOOTREQUEST ? 'BOOTREQUEST' : 'BOOTREPLY',
    xid: readBe32(bytes, 4),
    secs: readBe16(bytes, 8),
    broadcast: (readBe16(bytes, 10) & BROADCAST_FLAG) !== 0,
    ciaddr: readBe32(bytes, 12),
    yiaddr: readBe32(bytes, 16),
    siaddr: readBe32(bytes, 20),
    giaddr: readBe32(bytes, 24),
    chaddr: bytes.slice(CHADDR_AT, CHADDR_AT + MAC_BYTES),
    options: optionsOf(bytes),
  };
}

function optionsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  readField(bytes.subarray(HEADER_BYTES + COOKIE_BYTES), options);
  const overload = options.get(OPTION.overload)?.[0] ?? 0;
  options.delete(OPTION.overload);
  // In this order (RFC 2131 section 4.1). What the fields say of further fields is of no meaning.
  if ((overload & IN_FILE) !== 0) readField(bytes.subarray(FILE_AT, HEADER_BYTES), options);
  if ((overload & IN_SNAME) !== 0) readField(bytes.subarray(SNAME_AT, FILE_AT), options);
  return options;
}

function readField(field: Uint8Array, options: Map<number, Uint8Array>): void {
  for (let at = 0; at < field.length && field[at] !== END; ) {
    const code = field[at++]!;
    if (code === PAD) continue;
    const from = at + 1;
    const to = from + (field[at] ?? field.length);
    if (to > field.length) return;
    options.set(code, joined(options.get(code), field.subarray(from, to)));
    at = to;
  }
}

function joined(first: Uint8Array | undefined, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((first?.length ?? 0) + second.length);
  if (first !== undefined) bytes.set(first);
  bytes.set(second, first?.length ?? 0);
  return bytes;
}
