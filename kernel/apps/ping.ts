/**
 * ping: sends echo requests (RFC 792) one after the other, and reports for each what came back. The socket is connected,
 * so errors that routers and the host itself report come out of `recvfrom` and `send`.
 */
import { readBe16, writeBe16 } from '../../src/lib/bytes.ts';
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';

const ICMP_HEADER_BYTES = 8;
const ECHO = 8;

export interface PingOptions {
  readonly count: number;
  /** From one request to the next, or longer when the answer takes longer. */
  readonly intervalNs: number;
  /** Octets of data behind the ICMP header. */
  readonly payloadBytes: number;
  /** How long to wait for each answer. */
  readonly timeoutNs: number;
}

const DEFAULTS: PingOptions = { count: 4, intervalNs: 1_000_000_000, payloadBytes: 56, timeoutNs: 1_000_000_000 };

/** A reply in time. */
export interface PingReply {
  readonly kind: 'reply';
  readonly sequence: number;
  readonly rttNs: number;
  /** Who answered. */
  readonly address: number;
  /** Time to live as the reply arrived. */
  readonly ttl: number;
  /** The ICMP message, header and all. */
  readonly lengthBytes: number;
}

/** What became of one request. Sequence numbers count from 1. */
export type PingReport =
  | PingReply
  | { readonly kind: 'timeout'; readonly sequence: number }
  | { readonly kind: 'error'; readonly sequence: number; readonly error: SocketError };

/** A program that pings `destination`, and calls `report` once for each request. */
export function ping(
  destination: number,
  options: Partial<PingOptions>,
  report: (result: PingReport) => void,
): Program {
  const settings = { ...DEFAULTS, ...options };
  return function* (sys: Syscalls): Blocking<void> {
    const socket = sys.socket('icmp');
    for (let sequence = 1; sequence <= settings.count; sequence++) {
      const beganNs = sys.nowNs();
      report(yield* pingOnce(sys, socket, destination, sequence, settings));
      const restNs = settings.intervalNs - (sys.nowNs() - beganNs);
      if (sequence < settings.count && restNs > 0) yield* sys.sleep(restNs);
    }
    sys.close(socket);
  };
}

function* pingOnce(
  sys: Syscalls,
  socket: Descriptor,
  destination: number,
  sequence: number,
  settings: PingOptions,
): Blocking<PingReport> {
  const sentNs = sys.nowNs();
  try {
    yield* sys.connect(socket, destination);
    yield* sys.send(socket, echoRequest(sequence, settings.payloadBytes));
    for (;;) {
      const leftNs = Math.max(0, sentNs + settings.timeoutNs - sys.nowNs());
      const reply = yield* sys.recvfrom(socket, leftNs);
      if (reply === null) return { kind: 'timeout', sequence };
      // The answer to an earlier request, too late for it, is not the answer to this one.
      if (readBe16(reply.bytes, 6) !== (sequence & 0xffff)) continue;
      const { address, ttl } = reply;
      return { kind: 'reply', sequence, rttNs: sys.nowNs() - sentNs, address, ttl, lengthBytes: reply.bytes.length };
    }
  } catch (error) {
    if (error instanceof SocketError) return { kind: 'error', sequence, error };
    throw error;
  }
}

/** An echo request. The kernel fills in identifier and checksum. */
function echoRequest(sequence: number, payloadBytes: number): Uint8Array {
  const message = Uint8Array.from({ length: ICMP_HEADER_BYTES + payloadBytes }, (_, i) => i);
  message.fill(0, 0, ICMP_HEADER_BYTES);
  message[0] = ECHO;
  writeBe16(message, 6, sequence);
  return message;
}
