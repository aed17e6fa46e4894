/**
 * What a socket call throws. The codes are those of POSIX (IEEE 1003.1, "System Interfaces" 2.3), so that a program
 * can be read by anyone who knows `errno`.
 */

import type { IcmpReport } from './icmp-message.ts';

/** The error numbers that socket calls give, by name. */
export type SocketErrorCode =
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EAGAIN'
  | 'EALREADY'
  | 'EBADF'
  | 'ECONNABORTED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EDESTADDRREQ'
  | 'EHOSTUNREACH'
  | 'EINPROGRESS'
  | 'EINVAL'
  | 'EISCONN'
  | 'EMFILE'
  | 'EMSGSIZE'
  | 'ENETUNREACH'
  | 'ENODEV'
  | 'ENOBUFS'
  | 'ENOPROTOOPT'
  | 'ENOTCONN'
  | 'ENOTSOCK'
  | 'EOPNOTSUPP'
  | 'EPIPE'
  | 'EPROTO'
  | 'ETIMEDOUT';

export class SocketError extends Error {
  override readonly name = 'SocketError';
  readonly code: SocketErrorCode;
  /** Who reported it: the sender of the ICMP error, or an address of this host; 0 when the call itself failed. */
  readonly reporter: number;
  /** What ICMP said; null where it said nothing. */
  readonly report: IcmpReport | null;

  /** `from` is who reported it, or what ICMP said. */
  constructor(code: SocketErrorCode, text: string, from: number | IcmpReport = 0) {
    super(`${code}: ${text}`);
    this.code = code;
    this.reporter = typeof from === 'number' ? from : from.reporter;
    this.report = typeof from === 'number' ? null : from;
  }
}
