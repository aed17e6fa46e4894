/**
 * traceroute: who is on the way to a destination. Datagrams go out with a time to live of 1, then 2, and so on; the
 * router at which it runs out says so by ICMP, and so do its successors, until the destination answers that nobody is at
 * the port (the method of V. Jacobson's program, RFC 1393 section 1).
 */
import { type IcmpReport, PORT_UNREACHABLE, TIME_EXCEEDED } from '../net/icmp-message.ts';
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';

/** The port of the first probe; each one has its own, so that an answer belongs to one probe alone. */
const FIRST_PORT = 33_434;
const PAYLOAD_BYTES = 32;

export interface TracerouteOptions {
  /** The largest time to live that is tried: 1 to 255. */
  readonly maxHops: number;
  /** Probes for each time to live. */
  readonly probes: number;
  /** How long to wait for each answer. */
  readonly timeoutNs: number;
}

const DEFAULTS: TracerouteOptions = { maxHops: 30, probes: 3, timeoutNs: 1_000_000_000 };

/** What became of one probe. */
export type TracerouteProbe =
  | { readonly kind: 'timeout' }
  /** `failure`: why it got no further, as traceroute marks it: `!N`, `!H`, `!P`, `!F`, `!X`; empty for time exceeded. */
  | { readonly kind: 'answer'; readonly address: number; readonly rttNs: number; readonly failure: string };

/** All probes with one time to live. */
export interface TracerouteHop {
  readonly ttl: number;
  readonly probes: readonly TracerouteProbe[];
  /** The destination itself, or somebody who knows that it cannot be reached, has answered. */
  readonly last: boolean;
}

/** A program that finds the way to `destination`, and calls `report` for each hop, up to the last. */
export function traceroute(
  destination: number,
  options: Partial<TracerouteOptions>,
  report: (hop: TracerouteHop) => void,
): Program {
  const settings = { ...DEFAULTS, ...options };
  return function* (sys: Syscalls): Blocking<void> {
    let port = FIRST_PORT;
    for (let ttl = 1; ttl <= settings.maxHops; ttl++) {
      const probes: TracerouteProbe[] = [];
      let last = false;
      for (let i = 0; i < settings.probes; i++) {
        const probe = yield* probeOnce(sys, destination, port++, ttl, settings.timeoutNs);
        probes.push(probe.seen);
        last ||= probe.last;
      }
      report({ ttl, probes, last });
      if (last) return;
    }
  };
}

interface Outcome {
  readonly seen: TracerouteProbe;
  readonly last: boolean;
}

function* probeOnce(
  sys: Syscalls,
  destination: number,
  port: number,
  ttl: number,
  timeoutNs: number,
): Blocking<Outcome> {
  const socket = sys.socket('udp');
  const sentNs = sys.nowNs();
  try {
    sys.setsockopt(socket, 'IP_TTL', ttl);
    yield* sys.connect(socket, destination, port);
    return yield* answer(sys, socket, sentNs, timeoutNs);
  } catch (error) {
    if (!(error instanceof SocketError) || error.report === null) throw error;
    return outcomeOf(error.report, sys.nowNs() - sentNs);
  } finally {
    sys.close(socket);
  }
}

/** Whoever has a program at the port may answer with a datagram; errors of ICMP are thrown. */
function* answer(sys: Syscalls, socket: Descriptor, sentNs: number, timeoutNs: number): Blocking<Outcome> {
  yield* sys.send(socket, new Uint8Array(PAYLOAD_BYTES));
  const datagram = yield* sys.recvfrom(socket, timeoutNs);
  if (datagram === null) return { seen: { kind: 'timeout' }, last: false };
  const { address } = datagram;
  return { seen: { kind: 'answer', address, rttNs: sys.nowNs() - sentNs, failure: '' }, last: true };
}

/** The marks of traceroute for codes of destination unreachable; others are marked with their number. */
const MARKS = ['!N', '!H', '!P', '', '!F', '!S', '!U', '!W', '!I', '!A', '!Z', '!Q', '!T', '!X', '!V', '!C'] as const;

function outcomeOf({ type, code, reporter }: IcmpReport, rttNs: number): Outcome {
  const failure = type === TIME_EXCEEDED || code === PORT_UNREACHABLE ? '' : (MARKS[code] ?? `!${code}`);
  return { seen: { kind: 'answer', address: reporter, rttNs, failure }, last: type !== TIME_EXCEEDED };
}
