/**
 * The system calls of one run: makes them on the host, and compares what they give, and when, with what the script says.
 * A call is over at the instant at which it is made, unless the script gives it until when it waits.
 */
import { SocketError } from '../../kernel/net/socket-error.ts';
import type { TcpInfo } from '../../kernel/net/tcp/user.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import type { CallContext, CallOutcome, PreparedCall } from './call.ts';
import { callText, resultText } from './call-line.ts';
import type { Descriptors, DrillSocket } from './descriptors.ts';
import type { DrillHost } from './host.ts';
import { DrillFailure, secondsText } from './result.ts';
import type { CallEvent, ScriptEvent } from './script.ts';
import type { ScriptSettings } from './settings.ts';
import type { Traffic } from './traffic.ts';

/** A call under way. Times are those of the host's clock. */
interface Pending {
  readonly event: CallEvent;
  /** When it should return. */
  readonly dueNs: number;
  outcome: CallOutcome | null;
  errno: string | null;
  doneNs: number;
}

export class Calls {
  readonly #host: DrillHost;
  readonly #prepared: ReadonlyMap<ScriptEvent, PreparedCall>;
  readonly #settings: ScriptSettings;
  readonly #traffic: Traffic;
  readonly #context: CallContext;
  readonly #startNs: number;
  readonly #tell: (text: string) => void;
  #pending: Pending[] = [];
  /** An error of this program's own that a call has met. */
  #mistake: unknown = null;

  constructor(
    host: DrillHost,
    prepared: ReadonlyMap<ScriptEvent, PreparedCall>,
    traffic: Traffic,
    descriptors: Descriptors,
    settings: ScriptSettings,
    tell: (text: string) => void,
  ) {
    this.#host = host;
    this.#prepared = prepared;
    this.#settings = settings;
    this.#traffic = traffic;
    this.#startNs = host.nowNs;
    this.#tell = tell;
    this.#context = {
      descriptors,
      profile: settings.profile,
      addresses: settings,
      listening: () => traffic.forgetCurrent(),
      connected: (socket, sys) => this.#connected(socket, sys),
    };
  }

  /** Makes the call of `event`, now. `untilNs`: when it is to return; null for at once. */
  make(event: CallEvent, untilNs: number | null): void {
    const pending: Pending = { event, dueNs: untilNs ?? this.#host.nowNs, outcome: null, errno: null, doneNs: 0 };
    const prepared = this.#prepared.get(event)!;
    const { nowNs } = this.#host.clock;
    const host = this.#host;
    const context = this.#context;
    const fail = (error: unknown): void => {
      if (error instanceof SocketError) pending.errno = error.code;
      else this.#mistake ??= error;
    };
    host.call(
      function* (sys) {
        try {
          pending.outcome = yield* prepared(sys, context);
        } catch (error) {
          fail(error);
        }
        pending.doneNs = host.nowNs;
      },
      untilNs !== null && untilNs > nowNs,
    );
    this.#pending.push(pending);
    host.settle();
    this.checkDone();
    if (untilNs === null && this.#pending.includes(pending)) {
      throw new DrillFailure('the call waits, and the script does not say until when (FROM...TO)', [
        ['expected', `${callText(event.call)} = ${resultText(event.call.result)}`],
      ]);
    }
  }

  /** Lets time pass for the calls that should return by `untilNs`, and compares them. */
  checkDue(untilNs: number): void {
    const { toleranceNs } = this.#settings;
    for (;;) {
      const due = this.#pending.filter(
        ({ dueNs }) => dueNs + toleranceNs < untilNs || untilNs === Number.POSITIVE_INFINITY,
      );
      const first = due.toSorted((a, b) => a.dueNs - b.dueNs)[0];
      if (first === undefined) return;
      this.#host.run(Math.max(this.#host.nowNs, first.dueNs + toleranceNs));
      this.checkDone();
      if (!this.#pending.includes(first)) continue;
      throw new DrillFailure(
        `${first.event.call.name} has not returned by ${this.#seconds(this.#host.nowNs)}`,
        [['expected', `${callText(first.event.call)} = ${resultText(first.event.call.result)}`]],
        first.event,
      );
    }
  }

  /** Compares the calls that have returned since. */
  checkDone(): void {
    if (this.#mistake !== null) throw this.#mistake;
    const done = this.#pending.filter(({ outcome, errno }) => outcome !== null || errno !== null);
    if (done.length === 0) return;
    this.#pending = this.#pending.filter(each => !done.includes(each));
    for (const each of done) this.#compare(each);
  }

  /** What the connection under test knows of itself. Throws a DrillFailure when there is none. */
  tcpInfo(): TcpInfo {
    const socket = this.#context.descriptors.underTest;
    if (socket === null) throw new DrillFailure('there is no socket to look at');
    let info: TcpInfo | null = null;
    let failure = '';
    this.#host.call(
      // biome-ignore lint/correctness/useYield: it is over at once.
      function* (sys) {
        try {
          info = sys.getsockopt(socket.socket, 'TCP_INFO');
        } catch (error) {
          failure = (error as Error).message;
        }
      },
      false,
    );
    this.#host.settle();
    if (info === null) throw new DrillFailure(`there is no tcp_info of descriptor ${socket.number}: ${failure}`);
    return info;
  }

  #compare({ event, dueNs, outcome, errno, doneNs }: Pending): void {
    const { call } = event;
    const { result } = call;
    const got = errno === null ? String(outcome!.value) : `-1 ${errno}`;
    this.#tell(`${callText(call)} = ${got}`);
    const problems: string[] = [];
    if (result.errno !== errno || (errno === null && result.value !== null && result.value !== outcome!.value)) {
      if (!(result.value === null && result.errno === null)) problems.push('the result differs');
    }
    problems.push(...(outcome?.differences ?? []));
    if (Math.abs(doneNs - dueNs) > this.#settings.toleranceNs) {
      problems.push(`it returned at ${this.#seconds(doneNs)}, not at ${this.#seconds(dueNs)}`);
    }
    if (problems.length === 0) return;
    throw new DrillFailure(
      `${call.name}: ${problems.join('; ')}`,
      [
        ['expected', `${this.#seconds(dueNs)} ${callText(call)} = ${resultText(result)}`],
        ['actual', `${this.#seconds(doneNs)} ${call.name}(…) = ${got}`],
      ],
      event,
    );
  }

  #connected(socket: DrillSocket, sys: Syscalls): void {
    const local = sys.getsockname(socket.socket);
    const flow = this.#traffic.flowBetween(socket.type, local, sys.getpeername(socket.socket));
    if (socket.type === 'udp') this.#traffic.makeCurrent(flow);
    else {
      flow.stream = socket;
      socket.firstOctet = flow.peerSyn === null ? null : (flow.peerSyn + 1) >>> 0;
    }
  }

  #seconds(ns: number): string {
    return secondsText(ns - this.#startNs);
  }
}
