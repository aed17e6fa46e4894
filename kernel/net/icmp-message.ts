/**
 * ICMP messages, RFC 792: names, the header, and what an error means to a program.
 *
 * Every message is type, code, checksum, and a word of which the meaning depends on the type: identifier and sequence
 * number, pointer, gateway, MTU of the next hop; or it is unused, and zero.
 */
import { writeBe16, writeBe32 } from '../../src/lib/bytes.ts';
import type { PacketBuffer } from '../driver-api.ts';
import { chainBytes, sumChain } from './chain.ts';
import { complement } from './checksum.ts';
import { DONT_FRAGMENT, type Ipv4Header } from './ipv4/header.ts';
import { SocketError, type SocketErrorCode } from './socket-error.ts';

export const ICMP_HEADER_BYTES = 8;
export const ICMP_PROTOCOL = 1;

// Types.
export const ECHO_REPLY = 0;
export const DESTINATION_UNREACHABLE = 3;
const SOURCE_QUENCH = 4;
export const REDIRECT = 5;
export const ECHO = 8;
export const TIME_EXCEEDED = 11;
export const PARAMETER_PROBLEM = 12;

// Codes of destination unreachable.
export const NET_UNREACHABLE = 0;
export const HOST_UNREACHABLE = 1;
export const PROTOCOL_UNREACHABLE = 2;
export const PORT_UNREACHABLE = 3;
export const FRAGMENTATION_NEEDED = 4;
/** "Communication administratively prohibited" (RFC 1812 section 5.2.7.1). */
export const COMMUNICATION_PROHIBITED = 13;

// Codes of time exceeded, and of redirect.
export const TTL_EXCEEDED = 0;
export const REDIRECT_HOST = 1;

/** The pointer of a parameter problem is the first octet of the word. */
export const POINTER_SHIFT = 24;

/** The types that report errors, about which no error may be reported (RFC 1122 section 3.2.2). */
export const isErrorType = (type: number): boolean =>
  type === DESTINATION_UNREACHABLE ||
  type === SOURCE_QUENCH ||
  type === REDIRECT ||
  type === TIME_EXCEEDED ||
  type === PARAMETER_PROBLEM;

/** Writes the header of the message that `packet` is, checksum and all; what follows it stands already. */
export function emitIcmp(packet: PacketBuffer, type: number, code: number, word: number): void {
  const { bytes, start } = packet;
  bytes[start] = type;
  bytes[start + 1] = code;
  writeBe16(bytes, start + 2, 0);
  writeBe32(bytes, start + 4, word);
  writeBe16(bytes, start + 2, complement(sumChain(packet, chainBytes(packet))));
}

/** An ICMP error as it concerns a sender. */
export interface IcmpReport {
  readonly type: number;
  readonly code: number;
  /** Pointer, MTU or zero. Unsigned. */
  readonly word: number;
  /** Who says so. */
  readonly reporter: number;
}

/** Whether an error says that a packet which must not be cut, whose header is `sent`, is longer than the path takes. */
export const isAboutPathMtu = (report: IcmpReport, sent: Ipv4Header): boolean =>
  report.type === DESTINATION_UNREACHABLE &&
  report.code === FRAGMENTATION_NEEDED &&
  (sent.fragment & DONT_FRAGMENT) !== 0;

/** What a program is told: RFC 1122 sections 3.2.2.1 and 4.1.3.3, in the error numbers that BSD gives. */
export function socketErrorOf(report: IcmpReport): SocketError {
  const { type, code } = report;
  if (type === TIME_EXCEEDED) {
    return new SocketError('EHOSTUNREACH', code === 0 ? 'time to live exceeded' : 'reassembly time exceeded', report);
  }
  if (type === PARAMETER_PROBLEM) {
    return new SocketError('EPROTO', `parameter problem at octet ${report.word >>> POINTER_SHIFT}`, report);
  }
  const [name, text] = UNREACHABLE.get(code) ?? ['EHOSTUNREACH', `destination unreachable, code ${code}`];
  return new SocketError(name, text, report);
}

const UNREACHABLE: ReadonlyMap<number, readonly [SocketErrorCode, string]> = new Map([
  [NET_UNREACHABLE, ['ENETUNREACH', 'network unreachable']],
  [HOST_UNREACHABLE, ['EHOSTUNREACH', 'host unreachable']],
  [PROTOCOL_UNREACHABLE, ['ENOPROTOOPT', 'protocol unreachable']],
  [PORT_UNREACHABLE, ['ECONNREFUSED', 'port unreachable']],
  [FRAGMENTATION_NEEDED, ['EMSGSIZE', 'fragmentation needed and DF set']],
  [COMMUNICATION_PROHIBITED, ['EHOSTUNREACH', 'communication administratively prohibited']],
]);
