/**
 * The border between TCP and its user (RFC 9293 section 3.9.1): what a user may set, is told, and can look at. The user
 * is a stream socket, or a test.
 */
import type { SocketErrorCode } from '../socket-error.ts';

/** RFC 9293 section 3.3.2. */
export type TcpState =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** Who uses a connection or a listener. */
export interface TcpUser {
  /**
   * Readability, writability, the state or the error may have changed. Called from deferred work, never from within a
   * call of the user's own; it may call anything. One call may stand for many changes.
   */
  changed(): void;
}

/** `reno`: RFC 5681. `newreno`: RFC 6582, and RFC 6675 where the peer permits SACK. `cubic`: RFC 9438 on top of that. */
export type CongestionAlgorithm = 'reno' | 'newreno' | 'cubic';

/** RFC 9293 section 3.8.4. Times are nanoseconds. */
export interface KeepAlive {
  /** Silence after which the first probe is sent. */
  readonly idleNs: number;
  readonly intervalNs: number;
  /** Probes without an answer after which the connection is given up. */
  readonly count: number;
}

/** What a user may choose. A listener passes its own on to the connections it accepts. Read with care, set anew whole. */
export interface TcpOptions {
  /** Sends small segments at once: no Nagle algorithm (RFC 9293 section 3.7.4). */
  noDelay: boolean;
  /** Sends full segments alone, whatever was acknowledged; what is less waits for more, 200 ms at most. */
  cork: boolean;
  /** Null: off, as it must be unless asked for. */
  keepAlive: KeepAlive | null;
  /** How long data may stay unacknowledged (RFC 9293 section 3.9.1.1, RFC 5482); 0: 100 s (R2). */
  userTimeoutNs: number;
  /** What `close` does with data not yet acknowledged: null, sends it on; 0, throws it away with a reset. */
  lingerNs: number | null;
  /** Whether `close` with data unread resets the connection (RFC 9293 SHLD-3). BSD sends a FIN, and resets what comes then. */
  resetUnread: boolean;
  /** Takes effect when the connection is opened. */
  congestion: CongestionAlgorithm;
  /** Bytes that may wait to be sent and acknowledged. */
  sendBufferBytes: number;
  /** Bytes that may wait to be read: the largest window. The shift of the window scale follows from it at opening. */
  receiveBufferBytes: number;
  /**
   * Windows as 4.4BSD has them: buffers are enlarged to whole segments when the MSS is known, and whatever is sent offers
   * all the room there is, though it is less than a segment more, rounded
   * down.
   */
  bsdWindows: boolean;
  /** Upper limit of the segment size, ours and the peer's; 0: what the MTU allows. Takes effect at opening. */
  mss: number;
  /** RFC 7323 timestamps and window scale, RFC 2018 SACK: whether they are offered. */
  timestamps: boolean;
  windowScale: boolean;
  sack: boolean;
  /** Time to live and type of service of the packets sent, each 0 to 255. */
  ttl: number;
  typeOfService: number;
  /** The window to begin with, in segments, as RFC 6928 has 10; 0: by the size of a segment (RFC 5681 section 3.1). */
  initialWindowSegments: number;
  /** What an ACK may add to the window in slow start, in segments: 1 in RFC 5681, L in RFC 3465. */
  slowStartSegments: number;
  /** Whether a connection that was idle begins again with the initial window (RFC 5681 section 4.1). */
  slowStartAfterIdle: boolean;
  /** Whether recovery by SACK spreads what it sends over all ACKs of a round trip (PRR, RFC 6937). */
  proportionalRateReduction: boolean;
  /**
   * RFC 6298: the least RTO (section 2.4), G, by which it is longer than SRTT at least (section 2.2), and what BSD adds
   * to the whole. At opening.
   */
  minRtoNs: number;
  rtoGranularityNs: number;
  rtoSlopNs: number;
  /** How long an acknowledgement may be delayed (RFC 9293 section 3.8.6.3), and how many at the beginning are not. */
  delayedAckNs: number;
  quickAcks: number;
  /**
   * Retransmissions after which a SYN, a SYN,ACK and data are given up (R2 of RFC 9293 section 3.8.3); 0: after 180 s and
   * 100 s.
   */
  synRetries: number;
  synAckRetries: number;
  dataRetries: number;
  /** When a connection that is not established is given up, whatever was sent; 0: as the retransmissions have it. */
  openTimeoutNs: number;
  /** How many timeouts of a SYN do not double the next one. */
  synLinearTimeouts: number;
  /** How long TIME-WAIT lasts: 2 MSL, which is "arbitrarily defined to be 2 minutes" (RFC 9293 section 3.4.1). */
  timeWaitNs: number;
  /** How long FIN-WAIT-2 waits for a FIN when the user is gone. The RFC has no limit; everybody has. */
  finWait2Ns: number;
  /** What the receive buffer may grow to: the shift of the window scale is that of the larger of the two. At opening. */
  windowScaleBytes: number;
  /** For sockets: whether a listener may take a port at which connections are still in TIME-WAIT. */
  reuseAddress: boolean;
}

export const DEFAULT_TCP_OPTIONS: Readonly<TcpOptions> = {
  noDelay: false,
  cork: false,
  keepAlive: null,
  userTimeoutNs: 0,
  lingerNs: null,
  resetUnread: true,
  congestion: 'newreno',
  sendBufferBytes: 131_072,
  receiveBufferBytes: 131_072,
  bsdWindows: false,
  mss: 0,
  timestamps: true,
  windowScale: true,
  sack: true,
  ttl: 64,
  typeOfService: 0,
  initialWindowSegments: 0,
  slowStartSegments: 1,
  slowStartAfterIdle: true,
  proportionalRateReduction: false,
  minRtoNs: 1_000_000_000,
  rtoGranularityNs: 100,
  rtoSlopNs: 0,
  delayedAckNs: 200_000_000,
  quickAcks: 0,
  synRetries: 0,
  synAckRetries: 0,
  dataRetries: 0,
  openTimeoutNs: 0,
  synLinearTimeouts: 0,
  timeWaitNs: 240_000_000_000,
  finWait2Ns: 60_000_000_000,
  windowScaleBytes: 0,
  reuseAddress: false,
};

/** A snapshot of a connection, in the manner of Linux's `tcp_info`. Sizes are bytes, times nanoseconds. */
export interface TcpInfo {
  readonly state: TcpState;
  readonly rtoNs: number;
  /** 0 while there is no sample. */
  readonly srttNs: number;
  readonly rttvarNs: number;
  readonly congestion: CongestionAlgorithm;
  /** `open`: nothing is amiss. `recovery`: fast retransmit under way. `loss`: after a timeout, until all is repaired. */
  readonly recovery: 'open' | 'recovery' | 'loss';
  readonly cwnd: number;
  readonly ssthresh: number;
  /** Payload of a full segment to the peer. */
  readonly sendMss: number;
  readonly pathMtu: number;
  /** Sent and not acknowledged. */
  readonly unacked: number;
  /** Of these: known to have arrived, held to be lost. */
  readonly sacked: number;
  readonly lost: number;
  /** Accepted from the user and not sent yet. */
  readonly unsent: number;
  readonly sendWindow: number;
  readonly receiveWindow: number;
  /** Bytes that arrived behind a hole. */
  readonly outOfOrder: number;
  /** Timeouts since the last acknowledgement of new data: the exponent of the backoff. */
  readonly backoff: number;
  /** Segments sent more than once, over the whole life of the connection. */
  readonly retransmits: number;
  readonly sendScale: number;
  readonly receiveScale: number;
  readonly timestamps: boolean;
  readonly sack: boolean;
  /** Bytes to be read before the end of urgent data, more of which may have to come; 0: nothing is urgent. */
  readonly urgent: number;
  /** What ICMP reported since data were last acknowledged, which has not ended the connection (RFC 9293 MUST-47). */
  readonly softError: SocketErrorCode | null;
}
