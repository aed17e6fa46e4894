/**
 * A connection as its user has it: the calls of RFC 9293 section 3.9.1 on a control block. None of them waits; `changed`
 * of the {@link TcpUser} says when it is worth looking again.
 */
import type { Endpoint } from '../endpoint.ts';
import type { SocketError } from '../socket-error.ts';
import type { ControlBlock } from './control-block.ts';
import { boundClosing, end, reset, setState } from './ending.ts';
import { output } from './output.ts';
import { refreshPathMtu } from './path-mtu.ts';
import { updateIsDue } from './receive-window.ts';
import { seqAdd } from './seq.ts';
import { armKeepAlive } from './timers.ts';
import type { TcpInfo, TcpOptions, TcpState, TcpUser } from './user.ts';

export type { TcpInfo, TcpOptions, TcpState, TcpUser } from './user.ts';

export class TcpConnection {
  /** All that TCP knows of the connection: for inspectors to read, for nobody else to write. */
  readonly block: ControlBlock;

  /** For `Tcp` and `TcpListener` alone. */
  constructor(block: ControlBlock) {
    this.block = block;
    block.connection = this;
  }

  get state(): TcpState {
    return this.block.state;
  }

  get local(): Endpoint {
    return { address: this.block.localAddress, port: this.block.localPort };
  }

  get remote(): Endpoint {
    return { address: this.block.remoteAddress, port: this.block.remotePort };
  }

  /** Whether there is an error to take. It goes before end of file, and after what can still be read. */
  get hasError(): boolean {
    return this.block.pendingError !== null;
  }

  /**
   * Why the connection failed, which this takes away: ECONNREFUSED, ECONNRESET, ETIMEDOUT, or what ICMP reported; null
   * for none.
   */
  takeError(): SocketError | null {
    const error = this.block.pendingError;
    this.block.pendingError = null;
    return error;
  }

  /** What ICMP reported last, which has not ended the connection (RFC 9293 MUST-47); taking it clears it. */
  takeSoftError(): SocketError | null {
    const error = this.block.softError;
    this.block.softError = null;
    return error;
  }

  /** Octets that `read` has to give. */
  get readableBytes(): number {
    return this.block.receiveBuffer.length;
  }

  /** Whether the peer has finished sending, and all of it was read. Also true when the connection is gone. */
  get atEof(): boolean {
    const { block } = this;
    if (block.receiveBuffer.length > 0) return false;
    switch (block.state) {
      case 'CLOSED':
      case 'CLOSE-WAIT':
      case 'CLOSING':
      case 'LAST-ACK':
      case 'TIME-WAIT':
        return true;
      default:
        return false;
    }
  }

  /** Octets that `write` would take. 0 also while the handshake is under way, and when nothing can be sent any more. */
  get writableBytes(): number {
    return this.canWrite ? this.block.sendBuffer.room : 0;
  }

  /** Whether `write` is allowed now, though there may be no room. */
  get canWrite(): boolean {
    const { state, finQueued } = this.block;
    return (state === 'ESTABLISHED' || state === 'CLOSE-WAIT') && !finQueued;
  }

  /** Octets written and not yet acknowledged. */
  get unacknowledgedBytes(): number {
    return this.block.sendBuffer.length;
  }

  /**
   * Queues up to `length` octets of `bytes` from `at`; they are copied. Returns how many were taken, 0 when the buffer
   * is full or the connection not open for sending ({@link canWrite}).
   */
  write(bytes: Uint8Array, at = 0, length = bytes.length - at): number {
    if (!this.canWrite) return 0;
    const { block } = this;
    const count = block.sendBuffer.write(bytes, at, length);
    if (count > 0) {
      refreshPathMtu(block);
      output(block);
    }
    return count;
  }

  /**
   * All that was written and not yet sent is urgent, and so are the next `lengthBytes` that will be written (RFC 9293
   * section 3.8.5; SHLD-13: for old protocols).
   */
  markUrgent(lengthBytes = 0): void {
    const { block } = this;
    if (!this.canWrite) return;
    block.sndUp = seqAdd(block.sendBuffer.end, lengthBytes);
    block.sndUrgent = true;
    output(block);
  }

  /** Octets that can be read before the end of urgent data; more may have to come. 0: nothing is urgent. */
  get urgentBytes(): number {
    const { block } = this;
    if (!block.rcvUrgent) return 0;
    return Math.max(0, (block.rcvUp - block.receiveBuffer.readNext) | 0);
  }

  /** Up to `maxBytes` octets in order, the caller's own; null when there is none now ({@link atEof} says whether ever). */
  read(maxBytes: number): Uint8Array | null {
    const { block } = this;
    const bytes = block.receiveBuffer.read(maxBytes);
    if (bytes !== null && updateIsDue(block)) {
      block.ackNow = true;
      output(block);
    }
    return bytes;
  }

  /** As `read`, but what it gives can be read again. */
  peek(maxBytes: number): Uint8Array | null {
    return this.block.receiveBuffer.peek(maxBytes);
  }

  /** Nothing more will be written: what is queued is sent, then a FIN. Reading goes on (half close). */
  shutdownWrite(): void {
    const { block } = this;
    switch (block.state) {
      case 'SYN-RECEIVED':
        // RFC 9293 section 3.10.4: the FIN waits until the connection is established.
        block.finQueued = true;
        return;
      case 'ESTABLISHED':
        block.finQueued = true;
        setState(block, 'FIN-WAIT-1');
        break;
      case 'CLOSE-WAIT':
        block.finQueued = true;
        setState(block, 'LAST-ACK');
        break;
      default:
        return;
    }
    output(block);
  }

  /**
   * The user is done. What was written is still sent, and `changed` is not called any more. With data unread, or with a
   * linger time of 0, the peer gets a reset (SHLD-3), unless it has all, and knows it: in TIME-WAIT.
   */
  close(): void {
    const { block } = this;
    if (block.receiveClosed) return;
    block.user = null;
    block.receiveClosed = true;
    if (block.state === 'CLOSED' || block.state === 'SYN-SENT') {
      end(block, null);
      block.receiveBuffer.release();
    } else if (block.state === 'TIME-WAIT') block.receiveBuffer.release();
    else if ((block.receiveBuffer.length > 0 && block.options.resetUnread) || block.options.lingerNs === 0) {
      reset(block, null);
      block.receiveBuffer.release();
    } else {
      this.shutdownWrite();
      boundClosing(block);
    }
  }

  /** Ends the connection at once, with a reset to the peer (RFC 9293 section 3.10.5). */
  abort(): void {
    const { block } = this;
    block.user = null;
    block.receiveClosed = true;
    reset(block, null);
    block.receiveBuffer.release();
  }

  get options(): Readonly<TcpOptions> {
    return this.block.options;
  }

  /** Changes one option; see {@link TcpOptions} for those that only matter before the connection is opened. */
  setOption<N extends keyof TcpOptions>(name: N, value: TcpOptions[N]): void {
    const { block } = this;
    block.options[name] = value;
    switch (name) {
      case 'sendBufferBytes':
        block.sendBuffer.limit = block.options.sendBufferBytes;
        break;
      case 'receiveBufferBytes':
        block.receiveBuffer.limit = block.options.receiveBufferBytes;
        break;
      case 'keepAlive':
        armKeepAlive(block);
        break;
      case 'noDelay':
      case 'cork':
        output(block);
        break;
      case 'quickAcks':
        block.quickAcksLeft = block.options.quickAcks;
        output(block);
    }
  }

  info(): TcpInfo {
    const { block } = this;
    const { rtt, congestion, scoreboard, sendBuffer } = block;
    return {
      state: block.state,
      rtoNs: rtt.timeoutNs(),
      srttNs: rtt.srttNs,
      rttvarNs: rtt.rttvarNs,
      congestion: congestion.name,
      recovery: block.recovery,
      cwnd: congestion.cwnd,
      ssthresh: congestion.ssthresh,
      sendMss: block.sndMss,
      pathMtu: block.pathMtu,
      unacked: block.flight,
      sacked: scoreboard.sacked.total(),
      lost: scoreboard.lost(block.sndUna, block.sndMss),
      unsent: Math.max(0, (sendBuffer.end - block.sndMax) | 0),
      sendWindow: block.sndWnd,
      receiveWindow: block.rcvWnd,
      outOfOrder: block.receiveBuffer.pieces.total(),
      backoff: block.retries,
      retransmits: block.retransmits,
      sendScale: block.sndScale,
      receiveScale: block.rcvScale,
      timestamps: block.timestamps,
      sack: block.sack,
      urgent: this.urgentBytes,
      softError: block.softError?.code ?? null,
    };
  }

  /** Another user takes the connection over, and hears of what changes from now on. */
  setUser(user: TcpUser): void {
    this.block.user = user;
  }
}
