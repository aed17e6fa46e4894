/**
 * Writes DHCP messages, RFC 2131 section 2. Options that are longer than 255 octets go out in pieces (RFC 3396). Those for
 * which there is no room are left out, from the last one on, so what a message cannot be without stands first in it.
 */
import { writeBe16, writeBe32 } from '../../../src/lib/bytes.ts';
import {
  BOOTREPLY,
  BOOTREQUEST,
  BROADCAST_FLAG,
  CHADDR_AT,
  type DhcpMessage,
  ETHERNET,
  HEADER_BYTES,
  MAC_BYTES,
  MAGIC_COOKIE,
} from './message.ts';
import { END } from './options.ts';

/** A datagram of 576 octets, which every client takes (RFC 2131 section 2), without the headers of IPv4 and UDP. */
const MAX_MESSAGE_BYTES = 548;
/** What relay agents of BOOTP take at least (RFC 1542 section 2.1). */
const MIN_MESSAGE_BYTES = 300;
const MAX_PIECE_BYTES = 255;
const OPTIONS_AT = HEADER_BYTES + 4;

/** A message of at most `maxBytes`, and at least 300. */
export function emitMessage(message: DhcpMessage, maxBytes = MAX_MESSAGE_BYTES): Uint8Array {
  const bytes = new Uint8Array(maxBytes);
  bytes.set([message.op === 'BOOTREQUEST' ? BOOTREQUEST : BOOTREPLY, ETHERNET, MAC_BYTES]);
  writeBe32(bytes, 4, message.xid);
  writeBe16(bytes, 8, message.secs);
  writeBe16(bytes, 10, message.broadcast ? BROADCAST_FLAG : 0);
  writeBe32(bytes, 12, message.ciaddr);
  writeBe32(bytes, 16, message.yiaddr);
  writeBe32(bytes, 20, message.siaddr);
  writeBe32(bytes, 24, message.giaddr);
  bytes.set(message.chaddr.subarray(0, MAC_BYTES), CHADDR_AT);
  writeBe32(bytes, HEADER_BYTES, MAGIC_COOKIE);
  let at = OPTIONS_AT;
  for (const [code, value] of message.options) {
    const pieces = Math.max(1, Math.ceil(value.length / MAX_PIECE_BYTES));
    if (at + 2 * pieces + value.length + 1 > maxBytes) break;
    for (let piece = 0; piece < pieces; piece++) {
      const part = value.subarray(piece * MAX_PIECE_BYTES, (piece + 1) * MAX_PIECE_BYTES);
      bytes[at] = code;
      bytes[at + 1] = part.length;
      bytes.set(part, at + 2);
      at += 2 + part.length;
    }
  }
  bytes[at] = END;
  return bytes.subarray(0, Math.max(MIN_MESSAGE_BYTES, at + 1));
}
