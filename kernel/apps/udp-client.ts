/**
 * A client of the UDP echo server: sends datagrams one after the other, and reports for each whether it came back, how
 * fast, and whether it was still the same.
 */
import { readBe32, writeBe32 } from '../../src/lib/bytes.ts';
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';

/** Octets at the start of each datagram that hold its number. */
const SEQUENCE_BYTES = 4;

export interface UdpClientOptions {
  readonly count: number;
  /** Octets in each datagram: at least 4, for its number. */
  readonly payloadBytes: number;
  /** How long to wait for each answer. */
  readonly timeoutNs: number;
}

const DEFAULTS: UdpClientOptions = { count: 10, payloadBytes: 64, timeoutNs: 1_000_000_000 };

/** What became of one datagram. Sequence numbers count from 1. */
export type UdpClientReport =
  | { readonly kind: 'answer'; readonly sequence: number; readonly rttNs: number; readonly intact: boolean }
  | { readonly kind: 'timeout'; readonly sequence: number }
  | { readonly kind: 'error'; readonly sequence: number; readonly error: SocketError };

/** A program that sends to the echo server at `address` and `port`, and calls `report` once for each datagram. */
export function udpClient(
  address: number,
  port: number,
  options: Partial<UdpClientOptions>,
  report: (result: UdpClientReport) => void,
): Program {
  const settings = { ...DEFAULTS, ...options };
  return function* (sys: Syscalls): Blocking<void> {
    const socket = sys.socket('udp');
    yield* sys.connect(socket, address, port);
    for (let sequence = 1; sequence <= settings.count; sequence++) {
      report(yield* exchange(sys, socket, sequence, settings));
    }
    sys.close(socket);
  };
}

function* exchange(
  sys: Syscalls,
  socket: Descriptor,
  sequence: number,
  settings: UdpClientOptions,
): Blocking<UdpClientReport> {
  const sent = datagram(sequence, Math.max(SEQUENCE_BYTES, settings.payloadBytes));
  const sentNs = sys.nowNs();
  try {
    yield* sys.send(socket, sent);
    for (;;) {
      const leftNs = Math.max(0, sentNs + settings.timeoutNs - sys.nowNs());
      const answer = yield* sys.recvfrom(socket, leftNs);
      if (answer === null) return { kind: 'timeout', sequence };
      const { bytes } = answer;
      // The answer to an earlier datagram, too late for it, is not the answer to this one.
      if (bytes.length < SEQUENCE_BYTES || readBe32(bytes, 0) !== sequence) continue;
      const intact = bytes.length === sent.length && bytes.every((byte, i) => byte === sent[i]);
      return { kind: 'answer', sequence, rttNs: sys.nowNs() - sentNs, intact };
    }
  } catch (error) {
    if (error instanceof SocketError) return { kind: 'error', sequence, error };
    throw error;
  }
}

/** Its number, then octets that differ from datagram to datagram. */
function datagram(sequence: number, lengthBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: lengthBytes }, (_, i) => sequence + i);
  writeBe32(bytes, 0, sequence);
  return bytes;
}
