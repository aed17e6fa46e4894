/**
 * The options of sockets, by the names of POSIX and of <netinet/tcp.h>, each with the type of its value. Times are
 * nanoseconds of virtual time where C programs have seconds, milliseconds or a `struct timeval`.
 */
import type { MtuDiscover } from './ipv4/output.ts';
import type { SocketError } from './socket-error.ts';
import type { CongestionAlgorithm, TcpInfo } from './tcp/user.ts';

/** A group, on an interface: the first with an address unless named. */
export interface GroupMembership {
  readonly group: number;
  readonly interface?: string;
}

/** What programs may set. */
export interface SettableOptions {
  /** Whether `accept`, `connect`, `recv` and `send` fail with EAGAIN or EINPROGRESS where they would wait. */
  readonly O_NONBLOCK: boolean;
  /** How long `recv`, `recvfrom` and `accept` wait before they fail with EAGAIN; Infinity: for ever. */
  readonly SO_RCVTIMEO: number;
  /** How long `send` waits before it fails with EAGAIN, and `connect` with EINPROGRESS; Infinity: for ever. */
  readonly SO_SNDTIMEO: number;
  /**
   * Whether a listener may take a port at which closed connections are still in TIME-WAIT; of datagram sockets, whether
   * several may share a port, each of which then gets what is sent to a group or to all.
   */
  readonly SO_REUSEADDR: boolean;
  /** Whether an idle connection is probed now and then (RFC 9293 section 3.8.4). */
  readonly SO_KEEPALIVE: boolean;
  /** Silence after which the first probe is sent, time between probes, and probes without answer that end it all. */
  readonly TCP_KEEPIDLE: number;
  readonly TCP_KEEPINTVL: number;
  readonly TCP_KEEPCNT: number;
  /** After `close`: 0 resets the connection at once, a time resets it unless all was acknowledged by then; null: never. */
  readonly SO_LINGER: number | null;
  /** Received bytes that may wait in the socket: bounds the window that TCP offers. */
  readonly SO_RCVBUF: number;
  /** Bytes that may wait to be sent or acknowledged. */
  readonly SO_SNDBUF: number;
  /** Whether small segments are sent at once (true), or gathered (RFC 9293 section 3.7.4, Nagle). */
  readonly TCP_NODELAY: boolean;
  /** Whether only full segments are sent, until this is turned off; what is less waits 200 ms at most. */
  readonly TCP_CORK: boolean;
  /** Largest segment to announce and to send; before `connect` or `listen`. */
  readonly TCP_MAXSEG: number;
  /** How long data may stay unacknowledged before the connection fails with ETIMEDOUT (RFC 9293 section 3.8.3). */
  readonly TCP_USER_TIMEOUT: number;
  /** How often a SYN is sent again before `connect` fails with ETIMEDOUT; 0: for 180 s (RFC 9293 section 3.8.3). */
  readonly TCP_SYNCNT: number;
  /** How long a connection may take to be opened; 0: as long as TCP_SYNCNT says. */
  readonly TCP_KEEPINIT: number;
  /** How long a closed connection waits in FIN-WAIT-2 for the FIN of the peer. */
  readonly TCP_LINGER2: number;
  /** Whether the next acknowledgements are sent at once, and not delayed. */
  readonly TCP_QUICKACK: boolean;
  /** The algorithm of congestion control, by name. */
  readonly TCP_CONGESTION: CongestionAlgorithm;
  /** Time to live of what is sent, 1 to 255. */
  readonly IP_TTL: number;
  /** The type-of-service octet of what is sent. */
  readonly IP_TOS: number;

  // Of datagram sockets.

  /** Whether datagrams may be sent to broadcast addresses; without it that fails with EACCES. */
  readonly SO_BROADCAST: boolean;
  /** The name of the only interface by which datagrams come and go, with an address or without; null: any. */
  readonly SO_BINDTODEVICE: string | null;
  /** Whether packets have DF set: `IP_PMTUDISC_DONT` unless set. What is sent without may be cut on its way. */
  readonly IP_MTU_DISCOVER: MtuDiscover;
  /** Time to live of what is sent to groups, 0 to 255; 1 unless set: they do not leave the link. */
  readonly IP_MULTICAST_TTL: number;
  /** The name of the interface by which datagrams to groups leave; null: the first with an address. */
  readonly IP_MULTICAST_IF: string | null;
  /** Receives what is sent to a group, until it is dropped or the socket closed. A sender's own host gets no copy. */
  readonly IP_ADD_MEMBERSHIP: GroupMembership;
  readonly IP_DROP_MEMBERSHIP: GroupMembership;
}

/** What programs may ask for. */
export interface SocketOptions extends SettableOptions {
  /** The pending error, which asking takes away; null for none. */
  readonly SO_ERROR: SocketError | null;
  readonly SO_TYPE: 'SOCK_STREAM' | 'SOCK_DGRAM';
  /** Whether the socket listens. */
  readonly SO_ACCEPTCONN: boolean;
  /** What the connection knows of itself. Throws ENOTCONN. */
  readonly TCP_INFO: TcpInfo;
}
