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
  /** Behind its SYN, where its data begin. */
  first = 0;
  /** One behind the last octet sent. */
  end = 0;
  /** Up to where the other end lets it send. */
  limit = 0;
  /** The largest window that it offered. */
  window = 1;
  /** -1: its SYN had no window scale. */
  shift = -1;
  /** Its SYN has been acknowledged. */
  opened = false;
  fin = false;
  finEnd = 0;
  /** Its FIN has been acknowledged. */
  finished = false;
}

/** Whether the segment of `lengthBytes` at `at` has a header that can be: no connection has any other. */
export const isSegment = (bytes: Uint8Array, at: number, lengthBytes: number): boolean =>
  headerBytes(bytes, at) >= TCP_HEADER_BYTES && headerBytes(bytes, at) <= lengthBytes;

/** Segments that it is given have passed {@link isSegment}. */
export class TcpFlow {
  /** Who opened the connection, and the other. */
  readonly #ends: readonly [End, End] = [new End(), new End()];
  /** The last segment was a reset. Whether its receiver believed it shows: any other segment takes it back. */
  #reset = false;

  /** The segment of `lengthBytes` at `at` is a SYN, with which a connection begins. */
  constructor(bytes: Uint8Array, at: number, lengthBytes: number) {
    this.#note(0, bytes, at, lengthBytes);
  }

  get state(): TcpFlowState {
    const [opener, other] = this.#ends;
    if (this.#reset) return 'CLOSED';
    if (opener.finished && other.finished) return 'TIME-WAIT';
    if (opener.fin && other.fin) return 'CLOSING';
    if (opener.fin || other.fin) return 'FIN-WAIT';
    if (opener.opened && other.opened) return 'ESTABLISHED';
    return other.seen ? 'SYN-RECEIVED' : 'SYN-SENT';
  }

  /**
   * Takes the segment of `lengthBytes` at `at`, from who opened the connection (0) or from the other end (1). False: it
   * is none of this connection's by its numbers, and nothing has changed.
   */
  accept(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const own = this.#ends[from];
    const flags = bytes[at + 13]!;
    if ((flags & (SYN | ACK | RST)) === 0) return false;
    if ((flags & (SYN | ACK | RST)) === SYN && own.seen) {
      // From an end that has lost its memory, or asks once more: the other one, if it has answered already, will say
      // what it thinks of it (RFC 9293 section 3.5.1).
      if (!this.#ends[1 - from]!.seen) this.#begin(own, bytes, at, lengthBytes);
      return true;
    }
    if (!this.#inWindow(from, bytes, at, lengthBytes)) return false;
    this.#reset = (flags & RST) !== 0;
    if (!this.#reset) this.#note(from, bytes, at, lengthBytes);
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
    if (!own.seen)
      return (flags & SYN) !== 0 || ((flags & ACK) !== 0 && (flags & RST) !== 0 && seqGeq(ack, peer.first));
    // A FIN may lie behind the window: it takes no room there.
    if (peer.seen && seqGt(seqAdd(seq, dataBytes(bytes, at, lengthBytes)), own.limit)) return false;
    if (!seqGeq(seq, seqAdd(own.end, -peer.window))) return false;
    const slack = Math.max(LEAST_ACK_SLACK, own.window);
    return (flags & ACK) === 0 || !peer.seen || seqGeq(ack, seqAdd(peer.end, -slack));
  }

  #note(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): void {
    const own = this.#ends[from];
    const peer = this.#ends[1 - from]!;
    const flags = bytes[at + 13]!;
    if (!own.seen) this.#begin(own, bytes, at, lengthBytes);
    const end = segmentEnd(bytes, at, lengthBytes);
    const scaled = (flags & SYN) === 0 && own.shift >= 0 && peer.shift >= 0;
    // A closed window may be probed with one octet.
    const window = Math.max(1, readBe16(bytes, at + 14) * (scaled ? 2 ** own.shift : 1));
    own.end = seqMax(own.end, end);
    own.window = Math.max(own.window, window);
    if ((flags & FIN) !== 0) {
      own.fin = true;
      own.finEnd = end;
    }
    if ((flags & ACK) === 0) return;
    const ack = readBe32(bytes, at + 8) | 0;
    peer.limit = seqMax(peer.limit, seqAdd(ack, window));
    if (peer.seen && seqGeq(ack, peer.first)) peer.opened = true;
    if (peer.fin && seqGeq(ack, peer.finEnd)) peer.finished = true;
  }

  /** The SYN at `at` says where the numbers of `own` begin. */
  #begin(own: End, bytes: Uint8Array, at: number, lengthBytes: number): void {
    const peer = this.#ends[own === this.#ends[0] ? 1 : 0];
    own.seen = true;
    own.first = seqAdd(readBe32(bytes, at + 4), 1);
    own.end = segmentEnd(bytes, at, lengthBytes);
    own.limit = seqAdd(own.end, peer.window);
    own.shift = windowShift(bytes, at);
  }
}

/** One behind the last number that the segment takes, SYN and FIN among them. */
function segmentEnd(bytes: Uint8Array, at: number, lengthBytes: number): number {
  const flags = bytes[at + 13]!;
  const data = dataBytes(bytes, at, lengthBytes);
  return seqAdd(readBe32(bytes, at + 4), data + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0));
}

const dataBytes = (bytes: Uint8Array, at: number, lengthBytes: number): number => lengthBytes - headerBytes(bytes, at);

const headerBytes = (bytes: Uint8Array, at: number): number => (bytes[at + 12]! >>> 4) * 4;

/** The window scale of a SYN; -1 without one (RFC 7323 section 2.2). */
function windowShift(bytes: Uint8Array, at: number): number {
  const end = at + headerBytes(bytes, at);
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
