/**
 * Rewrites one end of a packet: an address, a port, and the checksums that they are under, by what changed and not from
 * scratch (RFC 1624). So a packet that arrived damaged is passed on as damaged as it was.
 */
import { readBe16, writeBe16, writeBe32 } from '../../../src/lib/bytes.ts';
import { complement, sum, update } from '../checksum.ts';
import type { Flow } from './flow.ts';
import { KIND } from './mapping.ts';

const IPV4_CHECKSUM_AT = 10;
/** In octets from the start of the IPv4 header, and of the transport header. An ICMP query has one identifier. */
const SOURCE_AT = 12;
const DESTINATION_AT = 16;
const SOURCE_PORT_AT = 0;
const DESTINATION_PORT_AT = 2;
const IDENTIFIER_AT = 4;
const TCP_CHECKSUM_AT = 16;
const UDP_CHECKSUM_AT = 6;
const ICMP_CHECKSUM_AT = 2;

export type End = 'source' | 'destination';

/** Leaves the port as it is. */
export const SAME_PORT = -1;

/**
 * Gives the packet that `flow` was read from another `address` and `port` at one `end`, and notes both in `flow`. What
 * was quoted may lack its checksum. `address` may be an int32, too. `partial`: the hardware is to finish the checksum, so the sum of the pseudo-header
 * stands in its place, not complemented.
 */
export function rewrite(
  bytes: Uint8Array,
  flow: Flow,
  end: End,
  address: number,
  port: number,
  partial: boolean,
): void {
  const { header, kind, transportAt } = flow;
  // Named fields, not `header[end]`: this runs for every packet, and twice for some.
  const isSource = end === 'source';
  const before = isSource ? header.source : header.destination;
  const after = address >>> 0;
  if (isSource) header.source = after;
  else header.destination = after;
  writeBe32(bytes, flow.ipAt + (isSource ? SOURCE_AT : DESTINATION_AT), after);
  const ipChecksumAt = flow.ipAt + IPV4_CHECKSUM_AT;
  writeBe16(bytes, ipChecksumAt, updateAddress(readBe16(bytes, ipChecksumAt), before, after));
  if (kind === KIND.other) return;
  if (kind === KIND.icmp) {
    if (port !== SAME_PORT) rewriteIdentifier(bytes, flow, end, port);
    return;
  }
  const checksumAt = transportAt + (kind === KIND.tcp ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT);
  const portBefore = isSource ? flow.sourcePort : flow.destinationPort;
  const portAfter = port === SAME_PORT ? portBefore : port;
  setPort(flow, end, portAfter);
  writeBe16(bytes, transportAt + (isSource ? SOURCE_PORT_AT : DESTINATION_PORT_AT), portAfter);
  if (checksumAt + 2 > flow.endAt) return;
  const checksum = readBe16(bytes, checksumAt);
  if (partial) {
    writeBe16(bytes, checksumAt, complement(updateAddress(complement(checksum), before, after)));
  } else if (kind !== KIND.udp || checksum !== 0) {
    const updated = update(updateAddress(checksum, before, after), portBefore, portAfter);
    // For UDP zero says that there is no checksum; all ones is the other zero of ones' complement.
    writeBe16(bytes, checksumAt, kind === KIND.udp && updated === 0 ? 0xffff : updated);
  }
}

/** Only the ICMP message is under its checksum, not the addresses. */
function rewriteIdentifier(bytes: Uint8Array, flow: Flow, end: End, identifier: number): void {
  const { transportAt, endAt } = flow;
  const before = readBe16(bytes, transportAt + IDENTIFIER_AT);
  const checksumAt = transportAt + ICMP_CHECKSUM_AT;
  const updated = update(readBe16(bytes, checksumAt), before, identifier);
  setPort(flow, end, identifier);
  writeBe16(bytes, transportAt + IDENTIFIER_AT, identifier);
  writeBe16(bytes, checksumAt, updated);
  // A message that is all zero, and only that, has the other zero for its checksum.
  if (updated === 0 && sum(bytes, transportAt, endAt - transportAt) === 0) writeBe16(bytes, checksumAt, 0xffff);
}

function setPort(flow: Flow, end: End, port: number): void {
  if (end === 'source') flow.sourcePort = port;
  else flow.destinationPort = port;
}

/** The checksum `checksum` after the address under it changed. */
const updateAddress = (checksum: number, before: number, after: number): number =>
  update(update(checksum, before >>> 16, after >>> 16), before & 0xffff, after & 0xffff);
