/**
 * What TCP asks of an algorithm of congestion control. It owns two numbers, `cwnd` and `ssthresh`; when losses are
 * found and what is sent again is `recovery.ts`, the same for all.
 */
import type { CongestionAlgorithm } from '../user.ts';

export interface CongestionControl {
  readonly name: CongestionAlgorithm;
  /** The congestion window, in bytes. During recovery without SACK it is inflated by what has left the network. */
  cwnd: number;
  ssthresh: number;
  /** Whether a partial acknowledgement keeps recovery going (RFC 6582), or any new one ends it (RFC 5681). */
  readonly keepsRecovering: boolean;
  /** SMSS: set when it is known, and when it changes. */
  setMss(mss: number): void;
  /** The connection is established. `synLost`: its SYN had to be sent again. */
  begin(synLost: boolean): void;
  /** `bytes` were acknowledged for the first time, outside of recovery. */
  acknowledged(bytes: number, nowNs: number, srttNs: number): void;
  /** A loss was found by duplicate acknowledgements or SACK: sets `ssthresh`. */
  lost(flightBytes: number, nowNs: number): void;
  /** A timeout. `first`: not a repeated one for the same segment. */
  timedOut(flightBytes: number, first: boolean, nowNs: number): void;
  /** Nothing was sent for longer than the RTO (RFC 5681 section 4.1). */
  idle(): void;
}
