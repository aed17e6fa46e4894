/**
 * A TCP connection as a router in its middle sees it: how far the handshake and the closing have come, and which sequence
 * numbers either end may use by now. The bounds on these are those that G. van Rooij derived for packet filters ("Real
 * Stateful TCP Packet Filtering in IP Filter", 2001), from what each end has sent and what window the other one offered.
 */
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import { ACK, FIN, MAX_WINDOW_SHIFT, OPTION, RST, SYN, TCP_HEADER_BYTES } from '../tcp/segment.ts';
import { seqAdd, seqGeq, seqGt, seqMax } from '../tcp/seq.ts';

export type TcpFlowState =
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT'
  | 'CLOSING'
  | 'TIME-WAIT'
  | 'CLOSED';

/** How far behind the peer's data an acknowledgement may lie, whatever the windows. */
const LEAST_ACK_SLACK = 66_000;

/** What is known of one end. */
class End {
  seen = false;
  /** One behind the last octet sent. */
  end = 0;
  /** Up to where the other end lets it send. */
  limit = 0;
  /** The largest window that it offered. */
  window = 1;
  /** -1: its SYN had no window scale. */
  shift = -1;
  fin = false;
  finEnd = 0;
  /** Its FIN has been acknowledged. */
  finished = false;
}

export class TcpFlow {
  state: TcpFlowState = 'SYN-SENT';
  readonly #ends: readonly [End, End] = [new End(), new End()];

  /** Takes the SYN at `at`, with which a connection begins or an old one is followed by a new one. */
  open(bytes: Uint8Array, at: number, lengthBytes: number): void {
    this.state = 'SYN-SENT';
    for (const end of this.#ends) Object.assign(end, new End());
    this.#note(0, bytes, at, lengthBytes);
  }

  /**
   * Takes the segment of `lengthBytes` at `at`, from who opened the connection (0) or from the other end (1). False: it
   * is none of this connection's by its numbers, or by the state of it, and nothing has changed.
   */
  accept(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const flags = bytes[at + 13]!;
    if ((flags & (SYN | ACK)) === SYN && this.#ends[from].seen && this.#ends[1 - from]!.seen) {
      // From an end that has lost its memory: the other one will say what it thinks of it (RFC 9293 section 3.5.1).
      return this.state !== 'TIME-WAIT' && this.state !== 'CLOSED';
    }
    if ((flags & (SYN | ACK | RST)) === 0 || !this.#inWindow(from, bytes, at, lengthBytes)) return false;
    this.#note(from, bytes, at, lengthBytes);
    this.#step(from, flags);
    return true;
  }

  #inWindow(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const own = this.#ends[from];
    const peer = this.#ends[1 - from]!;
    const flags = bytes[at + 13]!;
    const seq = readBe32(bytes, at + 4) | 0;
    const ack = readBe32(bytes, at + 8) | 0;
    if ((flags & ACK) !== 0 && peer.seen && seqGt(ack, peer.end)) return false;
    // The first segment of an end says where its numbers begin; a reset in answer to a SYN has none of its own.
    if (!own.seen) return (flags & RST) !== 0 || (flags & SYN) !== 0;
    if (peer.seen && seqGt(segmentEnd(bytes, at, lengthBytes), own.limit)) return false;
    if (!seqGeq(seq, seqAdd(own.end, -peer.window))) return false;
    const slack = Math.max(LEAST_ACK_SLACK, own.window);
    return (flags & ACK) === 0 || !peer.seen || seqGeq(ack, seqAdd(peer.end, -slack));
  }

  #note(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): void {
    const own = this.#ends[from];
    const peer = this.#ends[1 - from]!;
    const flags = bytes[at + 13]!;
    if ((flags & RST) !== 0) return;
    const end = segmentEnd(bytes, at, lengthBytes);
    if ((flags & SYN) !== 0) own.shift = windowShift(bytes, at, lengthBytes);
    const scaled = (flags & SYN) === 0 && own.shift >= 0 && peer.shift >= 0;
    const window = Math.max(1, readBe16(bytes, at + 14) * (scaled ? 2 ** own.shift : 1));
    own.end = own.seen ? seqMax(own.end, end) : end;
    if (!own.seen) own.limit = seqAdd(own.end, peer.window);
    own.seen = true;
    own.window = Math.max(own.window, window);
    if ((flags & FIN) !== 0) {
      own.fin = true;
      own.finEnd = end;
    }
    if ((flags & ACK) === 0) return;
    const ack = readBe32(bytes, at + 8) | 0;
    peer.limit = seqMax(peer.limit, seqAdd(ack, window));
    if (peer.fin && seqGeq(ack, peer.finEnd)) peer.finished = true;
  }

  #step(from: 0 | 1, flags: number): void {
    const [opener, other] = this.#ends;
    if ((flags & RST) !== 0) this.state = 'CLOSED';
    else if (opener.finished && other.finished) this.state = 'TIME-WAIT';
    else if (opener.fin && other.fin) this.state = 'CLOSING';
    else if (opener.fin || other.fin) this.state = 'FIN-WAIT';
    else if (this.state === 'SYN-SENT' && from === 1 && (flags & SYN) !== 0) this.state = 'SYN-RECEIVED';
    else if (this.state === 'SYN-RECEIVED' && from === 0 && (flags & (SYN | ACK)) === ACK) this.state = 'ESTABLISHED';
  }
}

/** One behind the last number that the segment takes, SYN and FIN among them. */
function segmentEnd(bytes: Uint8Array, at: number, lengthBytes: number): number {
  const flags = bytes[at + 13]!;
  const data = lengthBytes - headerBytes(bytes, at);
  return seqAdd(readBe32(bytes, at + 4), data + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0));
}

const headerBytes = (bytes: Uint8Array, at: number): number => (bytes[at + 12]! >>> 4) * 4;

/** The window scale of a SYN; -1 without one (RFC 7323 section 2.2). */
function windowShift(bytes: Uint8Array, at: number, lengthBytes: number): number {
  const end = at + Math.min(headerBytes(bytes, at), lengthBytes);
  for (let option = at + TCP_HEADER_BYTES; option < end; ) {
    const kind = bytes[option]!;
    if (kind === OPTION.END) return -1;
    if (kind === OPTION.NO_OPERATION) {
      option += 1;
      continue;
    }
    const length = option + 1 < end ? bytes[option + 1]! : 0;
    if (length < 2) return -1;
    if (kind === OPTION.WINDOW_SCALE && option + 2 < end) return Math.min(bytes[option + 2]!, MAX_WINDOW_SHIFT);
    option += length;
  }
  return -1;
}
