/**
 * A TCP connection as a router in its middle sees it: how far the handshake and the closing have come, and which sequence
 * numbers either end may use by now. The bounds on these are those that G. van Rooij derived for packet filters ("Real
 * Stateful TCP Packet Filtering in IP Filter", 2001), from what each end has sent and what window the other one offered.
 */
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import { ACK, FIN, MAX_WINDOW_SHIFT, OPTION, RST, SYN, TCP_HEADER_BYTES } from '../tcp/segment.ts';
import { seqAdd, seqGeq, seqGt, seqLt, seqMax } from '../tcp/seq.ts';

export type TcpFlowState =
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT'
  | 'CLOSING'
  | 'TIME-WAIT'
  | 'CLOSED';

/** What a segment does to what is known: taken note of, let through without, or none of this connection's. */
type Reaction = 'note' | 'pass' | 'invalid';

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
  /** The largest acknowledgement that it sent, once there was one. */
  acks = false;
  ack = 0;
  /** -1: its SYN had no window scale. */
  shift = -1;
  fin = false;
  finEnd = 0;
  /** Its FIN has been acknowledged. */
  finished = false;

  /** It begins anew. */
  forget(): void {
    Object.assign(this, new End());
  }
}

export class TcpFlow {
  state: TcpFlowState = 'SYN-SENT';
  readonly #ends: readonly [End, End] = [new End(), new End()];
  /** Whose reset closed it, if one did. */
  #resetBy: 0 | 1 | null = null;
  /** A SYN that came in the middle of the connection, from who opened it. */
  #again: Uint8Array | null = null;

  /** Takes the SYN at `at`, with which a connection begins or an old one is followed by a new one. */
  open(bytes: Uint8Array, at: number, lengthBytes: number): void {
    this.state = 'SYN-SENT';
    this.#resetBy = null;
    for (const end of this.#ends) end.forget();
    this.#note(0, bytes, at, lengthBytes);
  }

  /**
   * Whether a SYN of that end begins another connection: both ends have finished this one, or who opened it has reset it.
   * When the other end has, an answer to the SYN will tell.
   */
  isOverFor(from: 0 | 1): boolean {
    if (this.state !== 'CLOSED') return this.state === 'TIME-WAIT';
    const finished = this.#ends[0].fin || this.#ends[1].fin;
    return from === 0 && (finished || this.#resetBy === 0);
  }

  /**
   * Takes the segment of `lengthBytes` at `at`, from who opened the connection (0) or from the other end (1). False: it
   * is none of this connection's by its numbers, or by the state of it, and nothing has changed.
   */
  accept(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const flags = bytes[at + 13]!;
    let reaction = this.#reaction(from, flags);
    if (reaction === 'pass' && (flags & SYN) !== 0) {
      if ((flags & ACK) === 0) this.#again = keptSegment(bytes, at, lengthBytes);
      else if (this.#beginsAgain(bytes, at)) reaction = 'note';
    }
    if (reaction !== 'note') return reaction === 'pass';
    if (from === 0 && (flags & (SYN | ACK)) === SYN && !this.#ends[1].seen) {
      // Nobody has answered yet: sent again, or with another number, it is the one that counts.
      this.open(bytes, at, lengthBytes);
      return true;
    }
    if ((flags & SYN) !== 0 && seqGt(segmentEnd(bytes, at, lengthBytes), this.#ends[from].end))
      this.#ends[from].forget();
    if (!this.#inWindow(from, bytes, at, lengthBytes)) return false;
    const exact = (flags & RST) === 0 || this.#isExactReset(from, bytes, at);
    this.#note(from, bytes, at, lengthBytes);
    if (exact) this.#step(from, flags);
    return true;
  }

  /**
   * What flags mean in this state. A SYN of who opened the connection, in the middle of it, may come from an end that has
   * lost its memory: the other one will say what it thinks of it, be it by an ACK (RFC 9293 section 3.5.1).
   */
  #reaction(from: 0 | 1, flags: number): Reaction {
    const opening = this.state === 'SYN-SENT';
    if ((flags & RST) !== 0) return 'note';
    switch (flags & (SYN | ACK)) {
      case SYN:
        if (opening) return 'note';
        return from === 0 ? 'pass' : 'invalid';
      case SYN | ACK:
        if (from === 1) return opening ? 'note' : 'pass';
        return this.state === 'SYN-RECEIVED' || (opening && this.#ends[1].seen) ? 'note' : 'invalid';
      case ACK:
        if (!opening) return 'note';
        return from === 1 && (flags & FIN) === 0 ? 'pass' : 'invalid';
      default:
        return 'invalid';
    }
  }

  /** The SYN and ACK at `at` answers the SYN that was let through before: both ends have begun a new connection. */
  #beginsAgain(bytes: Uint8Array, at: number): boolean {
    const syn = this.#again;
    if (syn === null || (readBe32(bytes, at + 8) | 0) !== segmentEnd(syn, 0, syn.length)) return false;
    this.#again = null;
    this.open(syn, 0, syn.length);
    return true;
  }

  /**
   * A reset ends a connection only with the number that its receiver waits for (RFC 5961 section 3.2); one that answers a
   * SYN has to acknowledge that (RFC 9293 section 3.10.7.3).
   */
  #isExactReset(from: 0 | 1, bytes: Uint8Array, at: number): boolean {
    const [own, peer] = [this.#ends[from], this.#ends[1 - from]!];
    if (!own.seen) return (bytes[at + 13]! & ACK) !== 0 && (readBe32(bytes, at + 8) | 0) === peer.end;
    const seq = readBe32(bytes, at + 4) | 0;
    return this.state !== 'ESTABLISHED' || !peer.acks || seq === peer.ack || seq === own.end;
  }

  #inWindow(from: 0 | 1, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
    const own = this.#ends[from];
    const peer = this.#ends[1 - from]!;
    const flags = bytes[at + 13]!;
    const seq = readBe32(bytes, at + 4) | 0;
    const ack = readBe32(bytes, at + 8) | 0;
    if ((flags & ACK) !== 0 && peer.seen && seqGt(ack, peer.end)) return false;
    if ((flags & RST) !== 0 && peer.acks && seqLt(seq, peer.ack)) return false;
    // The first segment of an end says where its numbers begin; a reset in answer to a SYN has none of its own.
    if (!own.seen) return (flags & RST) !== 0 || (flags & SYN) !== 0;
    // A FIN may lie behind the window: it takes no room there.
    const end = segmentEnd(bytes, at, lengthBytes);
    if (seqGt((flags & FIN) === 0 ? end : seqAdd(end, -1), own.limit)) return false;
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
    own.ack = own.acks ? seqMax(own.ack, ack) : ack;
    own.acks = true;
    peer.limit = seqMax(peer.limit, seqAdd(ack, window));
    if (peer.fin && seqGeq(ack, peer.finEnd)) peer.finished = true;
  }

  #step(from: 0 | 1, flags: number): void {
    const [opener, other] = this.#ends;
    if ((flags & RST) !== 0) {
      this.state = 'CLOSED';
      this.#resetBy = from;
    } else if (opener.finished && other.finished) this.state = 'TIME-WAIT';
    else if (opener.fin && other.fin) this.state = 'CLOSING';
    else if (opener.fin || other.fin) this.state = 'FIN-WAIT';
    else if (this.state === 'SYN-SENT' && from === 1 && (flags & SYN) !== 0) this.state = 'SYN-RECEIVED';
    else if (this.state === 'SYN-RECEIVED' && from === 0 && (flags & ACK) !== 0) this.state = 'ESTABLISHED';
  }
}

/** A copy of the segment at `at`. */
const keptSegment = (bytes: Uint8Array, at: number, lengthBytes: number): Uint8Array =>
  bytes.slice(at, at + lengthBytes);

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
