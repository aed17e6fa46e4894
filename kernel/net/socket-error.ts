/**
 * What a socket call throws. The codes are those of POSIX (IEEE 1003.1, "System Interfaces" 2.3), so that a program
 * can be read by anyone who knows `errno`.
 */

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

  constructor(code: SocketErrorCode, text: string, reporter = 0) {
    super(`${code}: ${text}`);
    this.code = code;
    this.reporter = reporter;
  }
}
