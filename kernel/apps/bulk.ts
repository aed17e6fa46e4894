/**
 * How much goes through: a sender that sends as fast as TCP lets it, and a sink that counts what arrives, in the manner
 * of iperf. The bytes are a running pattern, so that the sink notices one that is missing, doubled or changed.
 */
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { CongestionAlgorithm } from '../net/tcp/user.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';
import { tcpServer } from './tcp-server.ts';

/** The port of iperf. */
const BULK_PORT = 5001;

/** The pattern repeats after this many bytes: a prime, so that no segment or buffer is in step with it. */
const PATTERN_PERIOD = 251;
const CHUNK_BYTES = 65_536;

export interface BulkSenderOptions {
  readonly port: number;
  /** Bytes to send. */
  readonly totalBytes: number;
  readonly congestion: CongestionAlgorithm;
  readonly sendBufferBytes: number;
}

/** What one connection carried. */
export interface BulkReport {
  readonly bytes: number;
  /** From the first byte (at the sender: from `connect`) to the end. */
  readonly durationNs: number;
  readonly bitsPerSecond: number;
  /** Whether every byte was the one that belongs there; the sender does not know, and says true. */
  readonly intact: boolean;
  /** What ended it before its time, or null. */
  readonly error: SocketError | null;
}

/** A program that sends to the sink at `address`, and reports when the sink has confirmed the last byte by closing. */
export function bulkSender(
  address: number,
  options: Partial<BulkSenderOptions> & Pick<BulkSenderOptions, 'totalBytes'>,
  report: (result: BulkReport) => void,
): Program {
  return function* (sys: Syscalls): Blocking<void> {
    const beganNs = sys.nowNs();
    const socket = sys.socket('tcp');
    const progress = { bytes: 0 };
    let error: SocketError | null = null;
    try {
      if (options.congestion !== undefined) sys.setsockopt(socket, 'TCP_CONGESTION', options.congestion);
      if (options.sendBufferBytes !== undefined) sys.setsockopt(socket, 'SO_SNDBUF', options.sendBufferBytes);
      yield* sys.connect(socket, address, options.port ?? BULK_PORT);
      yield* sendPattern(sys, socket, options.totalBytes, progress);
      sys.shutdown(socket, 'SHUT_WR');
      yield* sys.recv(socket);
    } catch (thrown) {
      if (!(thrown instanceof SocketError)) throw thrown;
      error = thrown;
    }
    report(bulkReport(progress.bytes, sys.nowNs() - beganNs, true, error));
    sys.close(socket);
  };
}

/** A server that counts what it receives, and reports each connection when it ends. */
export function bulkSink(report: (result: BulkReport) => void, port = BULK_PORT): Program {
  return tcpServer('sink', { port }, function* (sys, socket) {
    let beganNs = sys.nowNs();
    let bytes = 0;
    let intact = true;
    let error: SocketError | null = null;
    try {
      for (;;) {
        const piece = yield* sys.recv(socket);
        if (piece.length === 0) break;
        if (bytes === 0) beganNs = sys.nowNs();
        intact &&= isPattern(piece, bytes);
        bytes += piece.length;
      }
    } catch (thrown) {
      if (!(thrown instanceof SocketError)) throw thrown;
      error = thrown;
    }
    report(bulkReport(bytes, sys.nowNs() - beganNs, intact, error));
  });
}

function* sendPattern(sys: Syscalls, socket: Descriptor, totalBytes: number, progress: { bytes: number }) {
  const pattern = Uint8Array.from({ length: CHUNK_BYTES + PATTERN_PERIOD }, (_, i) => i % PATTERN_PERIOD);
  while (progress.bytes < totalBytes) {
    const at = progress.bytes % PATTERN_PERIOD;
    const length = Math.min(CHUNK_BYTES, totalBytes - progress.bytes);
    progress.bytes += yield* sys.send(socket, pattern.subarray(at, at + length));
  }
}

function isPattern(bytes: Uint8Array, offset: number): boolean {
  let expected = offset % PATTERN_PERIOD;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== expected) return false;
    expected = expected + 1 === PATTERN_PERIOD ? 0 : expected + 1;
  }
  return true;
}

function bulkReport(bytes: number, durationNs: number, intact: boolean, error: SocketError | null): BulkReport {
  const bitsPerSecond = durationNs === 0 ? 0 : Math.round((bytes * 8e9) / durationNs);
  return { bytes, durationNs, bitsPerSecond, intact, error };
}
