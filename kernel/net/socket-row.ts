/** One line of the table of sockets, as `ss` prints them: an open socket, or a connection that outlives its socket. */
import type { Endpoint } from './endpoint.ts';

export interface SocketRow {
  readonly netid: 'udp' | 'icmp' | 'tcp';
  /** For TCP the state of RFC 9293 section 3.3.2; otherwise ESTAB when there is one peer, else UNCONN, as `ss` says. */
  readonly state: string;
  /** Bytes that the program has not read; for a listener the connections that wait to be accepted. */
  readonly recvQ: number;
  /** Bytes not yet sent, or not yet acknowledged; for a listener the backlog. */
  readonly sendQ: number;
  readonly local: Endpoint;
  /** Address 0 and port 0: any. */
  readonly peer: Endpoint;
  /** What else there is to say: the running timer, and figures of the connection. */
  readonly info: string;
}
