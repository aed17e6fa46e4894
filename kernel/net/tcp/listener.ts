/**
 * A port in LISTEN: RFC 9293 section 3.10.7.2, the queue of connections whose handshake is under way (SYN queue), and
 * the queue of those that nobody has accepted yet. Both are bounded; when the first is full, SYNs are answered with
 * cookies, when the second is, they are not answered.
 */
import { type Endpoint, formatEndpoint } from '../endpoint.ts';
import { TcpConnection } from './connection.ts';
import {
  type ConnectionParent,
  type ControlBlock,
  DEFAULT_MSS,
  MAX_UNSCALED_WINDOW,
  type TcpHost,
} from './control-block.ts';
import { end, reset } from './ending.ts';
import { establish, takeSyn } from './handshake.ts';
import { segmentArrives } from './input.ts';
import type { InitialNumbers } from './isn.ts';
import { sendSyn } from './output.ts';
import { answerTo, replyReset, sendBare } from './reset.ts';
import { ACK, RST, type Segment, SYN } from './segment.ts';
import { seqAdd } from './seq.ts';
import type { SynCookies } from './syn-cookies.ts';
import type { TcpOptions, TcpState, TcpUser } from './user.ts';

/** Handshakes under way at one listener. */
const SYN_QUEUE_LIMIT = 128;
/** The backlog that may be asked for (SOMAXCONN). */
const MAX_BACKLOG = 4096;
/** How long after an overflow an ACK is looked at for a cookie. */
const COOKIE_LIFE_NS = 128_000_000_000;

/** What a listener needs of `Tcp`. */
export interface ListenerHost extends TcpHost {
  readonly initialNumbers: InitialNumbers;
  readonly cookies: SynCookies;
  /**
   * A new connection, in the table, its sequence numbers chosen, above those of `previous`, which had the same
   * endpoints; null when there are too many.
   */
  open(local: Endpoint, remote: Endpoint, options: TcpOptions, previous: ControlBlock | null): ControlBlock | null;
  /** The listener is closed. */
  forgetListener(listener: TcpListener): void;
}

export class TcpListener implements ConnectionParent {
  readonly local: Endpoint;
  /** Handed on to connections: for the user to change. */
  readonly options: TcpOptions;
  readonly backlog: number;
  // For the port table.
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress = 0;
  readonly remotePort = 0;
  readonly connected = false;
  readonly #host: ListenerHost;
  #user: TcpUser | null;
  readonly #handshakes = new Set<ControlBlock>();
  #acceptable: ControlBlock[] = [];
  #overflowedNs = Number.NEGATIVE_INFINITY;
  #open = true;

  /** For `Tcp` alone. A backlog less than 1 counts as 1. */
  constructor(host: ListenerHost, local: Endpoint, backlog: number, options: TcpOptions, user: TcpUser) {
    this.#host = host;
    this.local = local;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.backlog = Math.min(MAX_BACKLOG, Math.max(1, Math.trunc(backlog)));
    this.options = { ...options };
    this.#user = user;
    this.#tellState('CLOSED', 'LISTEN');
  }

  /** For observers: `192.0.2.1:80`, or `0.0.0.0:80` for any address of this host. */
  get name(): string {
    return formatEndpoint(this.localAddress, this.localPort);
  }

  get state(): 'LISTEN' | 'CLOSED' {
    return this.#open ? 'LISTEN' : 'CLOSED';
  }

  /** Connections that `accept` has to give. */
  get pendingCount(): number {
    return this.#acceptable.length;
  }

  /** Handshakes under way. */
  get handshakeCount(): number {
    return this.#handshakes.size;
  }

  /** The oldest connection that nobody has accepted, for `user` from now on; null when there is none. */
  accept(user: TcpUser): TcpConnection | null {
    const block = this.#acceptable.shift();
    if (block === undefined) return null;
    block.parent = null;
    block.user = user;
    return block.connection ?? new TcpConnection(block);
  }

  /** Gives up the port. Handshakes end, and connections that nobody accepted are reset. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#user = null;
    this.#tellState('LISTEN', 'CLOSED');
    for (const block of [...this.#handshakes, ...this.#acceptable]) {
      block.parent = null;
      block.receiveClosed = true;
      reset(block, null);
    }
    this.#handshakes.clear();
    this.#acceptable = [];
    this.#host.forgetListener(this);
  }

  // For `Tcp`.

  /**
   * Section 3.10.7.2: a segment for this port that belongs to no connection, or takes the place of `previous`, which was
   * in TIME-WAIT.
   */
  segmentArrives(segment: Segment, previous: ControlBlock | null): void {
    const { flags } = segment;
    // First, check for a RST; second, for an ACK: nothing was ever sent from here, but for cookies.
    if ((flags & RST) !== 0) return;
    if ((flags & ACK) !== 0) {
      if ((flags & SYN) !== 0 || !this.#acceptCookie(segment)) replyReset(this.#host, segment);
      return;
    }
    // Third, check for a SYN. Its data, if any, are not kept: they will be sent again.
    if ((flags & SYN) !== 0) this.#synArrives(segment, previous);
  }

  // For the connections.

  established(block: ControlBlock): boolean {
    if (this.#acceptable.length >= this.backlog) {
      this.#host.counters.acceptQueueOverflows += 1;
      return false;
    }
    this.#handshakes.delete(block);
    this.#acceptable.push(block);
    // Who asks `connections()` sees it though nobody has accepted it yet.
    this.#user?.changed();
    return true;
  }

  abandoned(block: ControlBlock): void {
    if (this.#handshakes.delete(block)) return;
    this.#acceptable = this.#acceptable.filter(other => other !== block);
  }

  #tellState(from: TcpState, to: TcpState): void {
    const { trace } = this.#host.context;
    if (trace !== null) trace.state(this.name, from, to);
  }

  #synArrives(segment: Segment, previous: ControlBlock | null): void {
    const { counters } = this.#host;
    if (this.#acceptable.length >= this.backlog) {
      counters.acceptQueueOverflows += 1;
      return;
    }
    if (this.#handshakes.size >= SYN_QUEUE_LIMIT) {
      this.#sendCookie(segment);
      return;
    }
    const block = this.#child(segment, previous);
    if (block === null) return;
    this.#handshakes.add(block);
    block.state = 'SYN-RECEIVED';
    takeSyn(block, segment);
    block.sndWnd = segment.window;
    sendSyn(block);
  }

  #child(segment: Segment, previous: ControlBlock | null): ControlBlock | null {
    const local = { address: segment.destinationAddress, port: segment.destinationPort };
    const remote = { address: segment.sourceAddress, port: segment.sourcePort };
    const block = this.#host.open(local, remote, this.options, previous);
    if (block === null) return null;
    this.#host.counters.passiveOpens += 1;
    block.parent = this;
    return block;
  }

  /** <SEQ=cookie><ACK=SEG.SEQ+1><CTL=SYN,ACK>, and nothing is kept. */
  #sendCookie(segment: Segment): void {
    const host = this.#host;
    const nowNs = host.context.nowNs();
    host.counters.synQueueOverflows += 1;
    host.counters.synCookiesSent += 1;
    this.#overflowedNs = nowNs;
    const header = answerTo(segment);
    header.seq = host.cookies.make(segment, segment.mss === 0 ? DEFAULT_MSS : segment.mss, nowNs);
    header.ack = seqAdd(segment.seq, 1);
    header.flags = SYN | ACK;
    header.window = Math.min(MAX_UNSCALED_WINDOW, this.options.receiveBufferBytes);
    const byMtu = Math.max(0, host.output.linkMtu(segment.sourceAddress) - 40);
    header.mss = this.options.mss === 0 ? byMtu : Math.min(byMtu, this.options.mss);
    sendBare(host, header);
  }

  /** False when the ACK is not the answer to a cookie. */
  #acceptCookie(segment: Segment): boolean {
    const host = this.#host;
    const nowNs = host.context.nowNs();
    if (nowNs - this.#overflowedNs > COOKIE_LIFE_NS) return false;
    const mss = host.cookies.check(segment, nowNs);
    if (mss === 0) return false;
    const block = this.#child(segment, null);
    if (block === null) return true;
    host.counters.synCookiesAccepted += 1;
    // As if the SYN had been kept, and its answer been sent.
    segment.mss = mss;
    segment.hasTimestamps = segment.sackPermitted = false;
    const { seq, ack } = segment;
    segment.seq = seqAdd(seq, -1);
    block.rcvAdv = seqAdd(block.rcvNxt, Math.min(MAX_UNSCALED_WINDOW, this.options.receiveBufferBytes));
    takeSyn(block, segment);
    segment.seq = seq;
    block.iss = seqAdd(ack, -1);
    block.sndNxt = block.sndMax = ack;
    block.sendBuffer.begin(ack);
    block.retransmittedTo = ack;
    this.#handshakes.add(block);
    block.state = 'SYN-RECEIVED';
    // Data may ride on it: it may be the second segment of the peer, and the first have been lost.
    if (establish(block, segment)) segmentArrives(block, segment);
    else end(block, null);
    return true;
  }
}
