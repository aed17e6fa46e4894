/**
 * The transmission control block, RFC 9293 section 3.3.1: all that a host knows of one connection, in the names of the
 * RFCs (SND.UNA is `sndUna`). It is data; what happens to it is in `input.ts`, `output.ts`, `recovery.ts`, `timers.ts`
 * and, for the calls of the user, `connection.ts`.
 *
 * All of these run in deferred work or in a task, never inside of one another but as one calls the other.
 */
import type { KernelContext } from '../../context.ts';
import type { Timer } from '../../timer.ts';
import type { ResendReason } from '../../trace.ts';
import { formatEndpoint } from '../endpoint.ts';
import type { Ipv4Output } from '../ipv4/output.ts';
import type { SocketError } from '../socket-error.ts';
import { congestionControl } from './congestion/algorithms.ts';
import type { CongestionControl } from './congestion/congestion-control.ts';
import type { TcpConnection } from './connection.ts';
import { RateReduction } from './rate-reduction.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { RttEstimator } from './rto.ts';
import { Scoreboard } from './scoreboard.ts';
import { MAX_WINDOW_SHIFT } from './segment.ts';
import { SendBuffer } from './send-buffer.ts';
import { seqDiff } from './seq.ts';
import type { TcpOptions, TcpState, TcpUser } from './user.ts';

/** Payload when the peer names no MSS (RFC 9293 MUST-15). */
export const DEFAULT_MSS = 536;
/** The largest window that fits into the header of a SYN. */
export const MAX_UNSCALED_WINDOW = 65_535;

export interface TcpCounters {
  received: number;
  sent: number;
  activeOpens: number;
  passiveOpens: number;
  failedOpens: number;
  established: number;
  resetsSent: number;
  resetsReceived: number;
  retransmitted: number;
  timeouts: number;
  fastRetransmits: number;
  challengeAcks: number;
  duplicateSegments: number;
  outOfOrderSegments: number;
  zeroWindowProbes: number;
  keepAliveProbes: number;
  synCookiesSent: number;
  synCookiesAccepted: number;
  synQueueOverflows: number;
  acceptQueueOverflows: number;
  pawsRejected: number;
  outOfBuffers: number;
}

/** What a connection needs of the protocol. */
export interface TcpHost {
  readonly context: KernelContext;
  readonly output: Ipv4Output;
  readonly counters: TcpCounters;
  /** Has `output` run for `block`, and its user told of changes, when the segments at hand have all been looked at. */
  schedule(block: ControlBlock): void;
  /** `block` is CLOSED: takes it out of all tables. */
  forget(block: ControlBlock): void;
}

/** Whose child a connection is until it is accepted: a listener. */
export interface ConnectionParent {
  /** The handshake is complete. False: there is no room, and the last ACK counts as lost. */
  established(block: ControlBlock): boolean;
  /** The handshake failed, or the connection died before it was accepted. */
  abandoned(block: ControlBlock): void;
}

/** The timers of one connection. Each is made once and armed again and again. */
export interface BlockTimers {
  /** RTO, or while `persisting` the zero window probe (RFC 9293 section 3.8.6.1). */
  readonly retransmit: Timer;
  readonly delayedAck: Timer;
  readonly keepAlive: Timer;
  /** 2 MSL in TIME-WAIT; how long FIN-WAIT-2 waits for a FIN when the user is gone; linger. */
  readonly wait: Timer;
}

/** For a block until its timers are attached: see `timers.ts`. */
const NO_TIMERS = null as unknown as BlockTimers;

export class ControlBlock {
  readonly host: TcpHost;
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
  options: TcpOptions;
  user: TcpUser | null;
  parent: ConnectionParent | null = null;
  /** Chain of the connection table. */
  nextInBucket: ControlBlock | null = null;
  timers: BlockTimers = NO_TIMERS;
  /** The one object by which a user has this block. */
  connection: TcpConnection | null = null;
  #state: TcpState = 'CLOSED';
  /** Whether the open was active; a passive one that is reset in SYN-RECEIVED leaves no trace. */
  active = false;
  /** Why the connection ended, until the user has taken it. */
  pendingError: SocketError | null = null;
  /** The last thing that ICMP reported; it ends nothing (RFC 9293 MUST-56), but is the reason should a timeout follow. */
  softError: SocketError | null = null;

  // Send sequence space.
  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  /** The highest SND.NXT so far: a timeout takes SND.NXT back. */
  sndMax = 0;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** The largest SND.WND so far. */
  maxSndWnd = 0;
  sndUp = 0;
  sndScale = 0;
  /** Whether there is urgent data up to `sndUp`. */
  sndUrgent = false;
  readonly sendBuffer: SendBuffer;
  /** The user has finished: a FIN follows the data. */
  finQueued = false;

  // Receive sequence space.
  irs = 0;
  /** Counts the FIN, which the receive buffer does not. */
  rcvNxt = 0;
  /** The right edge of the window as far as it was ever offered. */
  rcvAdv = 0;
  rcvUp = 0;
  rcvUrgent = false;
  rcvScale = 0;
  readonly receiveBuffer: ReceiveBuffer;
  /** A FIN has been seen, and has the number `finSeq`; it may still lie behind a hole. */
  finSeen = false;
  finSeq = 0;
  /** The user has closed: there is nobody to read what arrives. */
  receiveClosed = false;
  /** Where the last segment that arrived behind a hole stands: the first SACK block contains it. */
  lastPieceSeq = 0;
  /** Starts of the pieces most recently added to, latest first (RFC 2018 section 4). */
  readonly recentPieces = new Int32Array(8);
  recentPieceCount = 0;
  /** A duplicate to be reported as D-SACK (RFC 2883). */
  duplicateStart = 0;
  duplicateEnd = 0;

  // Acknowledgements.
  ackNow = false;
  /** Octets in order that no ACK has covered yet. */
  unackedBytes = 0;
  /** When the oldest of these came. */
  unackedSinceNs = 0;
  lastAckSent = 0;
  /** Acknowledgements that are not to be delayed, being the first ones. */
  quickAcksLeft: number;

  // Segment size.
  peerMss = DEFAULT_MSS;
  pathMtu = 0;
  /** What this connection has found out by itself: `pathMtu` is never more. */
  pathMtuBound = Number.POSITIVE_INFINITY;
  /** When `pathMtu` was asked for: what IPv4's count was then. */
  pathMtuGeneration = -1;
  /** Octets that the first link on the way takes: what a peer on it may send. */
  linkMtu = 0;
  /** Octets of data in a full segment: SMSS, the options of every segment taken off. */
  sndMss = DEFAULT_MSS;
  /** The largest segment received: an estimate of the peer's, for delayed ACKs. */
  rcvMss = DEFAULT_MSS;

  // What the handshake agreed on.
  timestamps = false;
  sack = false;
  windowScaling = false;
  tsOffset = 0;
  tsRecent = 0;
  tsRecentNs = 0;

  // Retransmission.
  readonly rtt: RttEstimator;
  /** Expiries since new data was last acknowledged. */
  retries = 0;
  /** Times that the SYN, or SYN,ACK, was sent again. */
  synRetries = 0;
  /** When the oldest unacknowledged data was sent first, or the first unanswered probe. */
  unansweredSinceNs = 0;
  persisting = false;
  /** One segment is timed at a time (RFC 6298 section 3). */
  timing = false;
  timedSeq = 0;
  timedNs = 0;
  /** Octets below were sent more than once: no sample from their ACK but by timestamps (Karn). */
  retransmittedTo = 0;
  /** The timestamp clock at the last of these: an echo of that time or later says which copy has arrived. */
  retransmittedTs = 0;
  retransmits = 0;
  /** Why SND.NXT was taken back last. */
  resendReason: ResendReason = 'timeout';
  readonly congestion: CongestionControl;
  readonly scoreboard = new Scoreboard();
  readonly rateReduction = new RateReduction();
  recovery: 'open' | 'recovery' | 'loss' = 'open';
  /** RFC 6582: the highest number sent when recovery began. */
  recover = 0;
  dupAcks = 0;
  /** What was in flight when the first of these came. */
  flightAtDuplicate = 0;
  /** What limited transmit adds to the congestion window (RFC 3042). */
  limitedTransmit = 0;
  /** A partial acknowledgement has restarted the timer in this recovery. */
  partialAckSeen = false;
  lastSendNs = 0;

  // Liveness.
  lastReceiveNs = 0;
  keepAliveProbes = 0;
  challengeCount = 0;
  challengeSinceNs = 0;

  // For `Tcp`: the line of blocks that wait for output.
  scheduled = false;
  changed = false;

  constructor(
    host: TcpHost,
    local: { readonly address: number; readonly port: number },
    remote: { readonly address: number; readonly port: number },
    options: TcpOptions,
    user: TcpUser | null,
  ) {
    this.host = host;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    this.options = { ...options };
    this.user = user;
    this.sendBuffer = new SendBuffer(options.sendBufferBytes);
    this.receiveBuffer = new ReceiveBuffer(options.receiveBufferBytes);
    this.rtt = new RttEstimator(options.minRtoNs, options.rtoGranularityNs, options.rtoSlopNs);
    this.congestion = congestionControl(options.congestion, this.options);
    this.rcvScale = windowShift(Math.max(options.receiveBufferBytes, options.windowScaleBytes));
    this.quickAcksLeft = options.quickAcks;
  }

  /** For observers: `192.0.2.1:80-192.0.2.2:4000`, this end first. */
  get name(): string {
    const local = formatEndpoint(this.localAddress, this.localPort);
    return `${local}-${formatEndpoint(this.remoteAddress, this.remotePort)}`;
  }

  get state(): TcpState {
    return this.#state;
  }

  /** Every change of state comes through here, and is told to who watches. A passive open begins in LISTEN. */
  set state(to: TcpState) {
    const { trace } = this.host.context;
    if (trace !== null && to !== this.#state) {
      const from = to === 'SYN-RECEIVED' && !this.active ? 'LISTEN' : this.#state;
      trace.state(this.name, from, to);
    }
    this.#state = to;
  }

  /** RCV.WND: what the peer may still send. */
  get rcvWnd(): number {
    return seqDiff(this.rcvAdv, this.rcvNxt);
  }

  /** Octets sent and not acknowledged, SYN and FIN among them. */
  get flight(): number {
    return seqDiff(this.sndMax, this.sndUna);
  }

  /** Whether all that was queued, the FIN included, was sent at least once. */
  get finSent(): boolean {
    return this.finQueued && seqDiff(this.sndMax, this.sendBuffer.end) > 0;
  }

  /** RFC 9293 section 3.3.2: the handshake is complete. */
  get synchronized(): boolean {
    return this.state !== 'CLOSED' && this.state !== 'SYN-SENT' && this.state !== 'SYN-RECEIVED';
  }

  /** Whether the peer may still send data. */
  get receiving(): boolean {
    return this.state === 'ESTABLISHED' || this.state === 'FIN-WAIT-1' || this.state === 'FIN-WAIT-2';
  }

  /** Something happened that the user may want to know of. */
  notify(): void {
    this.changed = true;
    this.host.schedule(this);
  }
}

/** The shift that a window of `bytes` needs (RFC 7323 section 2.2). */
function windowShift(bytes: number): number {
  let shift = 0;
  while (shift < MAX_WINDOW_SHIFT && bytes >> shift > MAX_UNSCALED_WINDOW) shift += 1;
  return shift;
}
