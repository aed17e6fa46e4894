/**
 * A server that `iperf3 -c` measures against: TCP, in both directions (`-R`), over several connections (`-P`). One test
 * at a time; who comes meanwhile waits for its turn.
 *
 * A test is led over a control connection. The client opens it with a cookie of 37 octets, which names the test; then
 * the two tell each other, by one octet each, what comes next. Parameters and results are JSON, with their length in
 * four octets in front. The data connections begin with the same cookie, and carry nothing but data.
 */
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';
import { bytesOfText } from './http-message.ts';

const IPERF3_PORT = 5201;
const COOKIE_BYTES = 37;
const LENGTH_BYTES = 4;
const MAX_JSON_BYTES = 65_536;
const MAX_STREAMS = 32;
/** How long a client may keep the next step of the protocol waiting. */
const PATIENCE_NS = 10_000_000_000;
/** What is written at a time; it says nothing. */
const BLOCK = new Uint8Array(65_536);

/** What the octets on the control connection mean. */
const STATE = {
  TEST_START: 1,
  TEST_RUNNING: 2,
  TEST_END: 4,
  PARAM_EXCHANGE: 9,
  CREATE_STREAMS: 10,
  EXCHANGE_RESULTS: 13,
  DISPLAY_RESULTS: 14,
  IPERF_DONE: 16,
  SERVER_ERROR: 0xfe,
  ACCESS_DENIED: 0xff,
} as const;

/** iperf3's number for an option that the other side does not have. */
const IEUNIMP = 13;

/** The client has said what the protocol does not allow, or has gone. */
class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** What the client asks for, as far as it matters here. */
interface Parameters {
  /** Data connections. */
  readonly parallel: number;
  /** Whether the server sends. */
  readonly reverse: boolean;
}

/** A data connection, and what it has carried. */
interface Stream {
  readonly socket: Descriptor;
  bytes: number;
}

/** A program that serves tests at `port`, one after the other, for ever. */
export function iperf3Server(port = IPERF3_PORT): Program {
  return function* (sys: Syscalls): Blocking<void> {
    const listener = sys.socket('tcp');
    sys.setsockopt(listener, 'SO_REUSEADDR', true);
    sys.bind(listener, 0, port);
    sys.listen(listener);
    for (;;) {
      sys.setsockopt(listener, 'SO_RCVTIMEO', Number.POSITIVE_INFINITY);
      const control = yield* sys.accept(listener);
      const test = new Test(sys, listener, control);
      try {
        yield* test.run();
      } catch (error) {
        if (!(error instanceof SocketError || error instanceof ProtocolError)) throw error;
        sys.log(`test ended: ${error.message}`);
      }
      test.close();
    }
  };
}

class Test {
  readonly #sys: Syscalls;
  readonly #listener: Descriptor;
  readonly #control: Descriptor;
  readonly #streams: Stream[] = [];

  constructor(sys: Syscalls, listener: Descriptor, control: Descriptor) {
    this.#sys = sys;
    this.#listener = listener;
    this.#control = control;
  }

  *run(): Blocking<void> {
    for (const socket of [this.#listener, this.#control]) this.#sys.setsockopt(socket, 'SO_RCVTIMEO', PATIENCE_NS);
    this.#sys.setsockopt(this.#control, 'TCP_NODELAY', true);
    const cookie = yield* this.#receive(this.#control, COOKIE_BYTES);
    yield* this.#tell(STATE.PARAM_EXCHANGE);
    const parameters = parametersOf(yield* this.#receiveJson());
    if (parameters === null) {
      yield* this.#tell(STATE.SERVER_ERROR, 0, 0, 0, IEUNIMP, 0, 0, 0, 0);
      throw new ProtocolError('the client asked for what is not served here');
    }
    yield* this.#tell(STATE.CREATE_STREAMS);
    while (this.#streams.length < parameters.parallel) yield* this.#admit(cookie);
    yield* this.#tell(STATE.TEST_START, STATE.TEST_RUNNING);
    const beganNs = this.#sys.nowNs();
    this.#streams.forEach((stream, i) => {
      this.#sys.spawn(`iperf3/${i + 1}`, parameters.reverse ? source(stream) : sink(stream));
    });
    yield* this.#waitForEnd();
    const durationNs = this.#sys.nowNs() - beganNs;
    const retransmits = this.#streams.map(({ socket }) => this.#sys.getsockopt(socket, 'TCP_INFO').retransmits);
    this.#closeStreams();
    yield* this.#tell(STATE.EXCHANGE_RESULTS);
    const theirs = yield* this.#receiveJson();
    yield* this.#sendJson(this.#results(streamIds(theirs), retransmits, parameters.reverse, durationNs));
    yield* this.#tell(STATE.DISPLAY_RESULTS);
    yield* this.#receive(this.#control, 1); // IPERF_DONE, or what a client of another mind says last
  }

  close(): void {
    this.#closeStreams();
    this.#sys.close(this.#control);
  }

  /** Takes a data connection with the test's cookie; sends others away. */
  *#admit(cookie: Uint8Array): Blocking<void> {
    const socket = yield* this.#sys.accept(this.#listener);
    this.#sys.setsockopt(socket, 'SO_RCVTIMEO', PATIENCE_NS);
    const theirs = yield* this.#receive(socket, COOKIE_BYTES);
    if (theirs.every((octet, i) => octet === cookie[i])) {
      this.#sys.setsockopt(socket, 'SO_RCVTIMEO', Number.POSITIVE_INFINITY);
      this.#streams.push({ socket, bytes: 0 });
      return;
    }
    yield* this.#sys.send(socket, Uint8Array.of(STATE.ACCESS_DENIED));
    this.#sys.close(socket);
  }

  /** The client alone knows how long the test is to last. If it just vanishes, keep-alive finds out. */
  *#waitForEnd(): Blocking<void> {
    this.#sys.setsockopt(this.#control, 'SO_RCVTIMEO', Number.POSITIVE_INFINITY);
    this.#sys.setsockopt(this.#control, 'TCP_KEEPIDLE', PATIENCE_NS);
    this.#sys.setsockopt(this.#control, 'TCP_KEEPINTVL', PATIENCE_NS);
    this.#sys.setsockopt(this.#control, 'SO_KEEPALIVE', true);
    const [state] = yield* this.#receive(this.#control, 1);
    if (state !== STATE.TEST_END) throw new ProtocolError(`the client gave up in state ${state}`);
    this.#sys.setsockopt(this.#control, 'SO_RCVTIMEO', PATIENCE_NS);
  }

  #results(ids: readonly number[], retransmits: readonly number[], sent: boolean, durationNs: number): unknown {
    const streams = this.#streams.map(({ bytes }, i) => ({
      id: ids[i] ?? i + 1,
      bytes,
      retransmits: sent ? retransmits[i] : -1,
      jitter: 0,
      errors: 0,
      packets: 0,
      start_time: 0,
      end_time: durationNs / 1e9,
    }));
    const cpu = { cpu_util_total: 0, cpu_util_user: 0, cpu_util_system: 0 };
    return { ...cpu, sender_has_retransmits: sent ? 1 : -1, streams };
  }

  #closeStreams(): void {
    for (const { socket } of this.#streams) this.#sys.close(socket);
  }

  *#tell(...octets: readonly number[]): Blocking<void> {
    yield* this.#sys.send(this.#control, Uint8Array.from(octets));
  }

  *#sendJson(value: unknown): Blocking<void> {
    const text = bytesOfText(JSON.stringify(value));
    yield* this.#tell(text.length >>> 24, text.length >>> 16, text.length >>> 8, text.length);
    yield* this.#sys.send(this.#control, text);
  }

  *#receiveJson(): Blocking<unknown> {
    const length = (yield* this.#receive(this.#control, LENGTH_BYTES)).reduce((sum, octet) => sum * 256 + octet, 0);
    if (length > MAX_JSON_BYTES) throw new ProtocolError(`${length} octets of JSON are too many`);
    const text = String.fromCharCode(...(yield* this.#receive(this.#control, length)));
    try {
      return JSON.parse(text);
    } catch {
      throw new ProtocolError('what came is not JSON');
    }
  }

  /** Exactly `length` octets. */
  *#receive(socket: Descriptor, length: number): Blocking<Uint8Array> {
    const octets = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const piece = yield* this.#sys.recv(socket, length - at);
      if (piece.length === 0) throw new ProtocolError('the client has gone');
      octets.set(piece, at);
      at += piece.length;
    }
    return octets;
  }
}

/** Both end when the test closes their socket, or when the client does. */
const source = (stream: Stream): Program =>
  carry(function* (sys) {
    for (;;) stream.bytes += yield* sys.send(stream.socket, BLOCK);
  });

const sink = (stream: Stream): Program =>
  carry(function* (sys) {
    for (let got = 1; got > 0; stream.bytes += got) got = (yield* sys.recv(stream.socket)).length;
  });

function carry(data: Program): Program {
  return function* (sys) {
    try {
      yield* data(sys);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  };
}

/** Null for a test that is not served here: UDP, both directions at once, too many connections. */
function parametersOf(value: unknown): Parameters | null {
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  const { parallel = 1, reverse = false } = fields;
  const served = fields['tcp'] === true && !fields['bidirectional'];
  if (!served || typeof parallel !== 'number' || !(parallel >= 1 && parallel <= MAX_STREAMS)) return null;
  return { parallel, reverse: Boolean(reverse) };
}

/** How the client counts its connections: 1, 3, 4, and so on. */
function streamIds(results: unknown): readonly number[] {
  const { streams } = (results ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(streams)) throw new ProtocolError('results without streams');
  return streams.map(stream => Number((stream as Readonly<Record<string, unknown>> | null)?.['id']));
}
