/**
 * Runs one script against a fresh host, event by event, on virtual time. Before each event the host has done all that is
 * due by then; what the script does at an instant therefore comes after what the host's own timers do at that instant.
 */

import { DEFAULT_TCP_OPTIONS } from '../../kernel/net/tcp/user.ts';
import type { PreparedCall } from './call.ts';
import { prepareCall } from './call-table.ts';
import { Calls } from './calls.ts';
import type { Value } from './code.ts';
import { AssertionFailure, checkCode, runCode } from './code-run.ts';
import { Descriptors } from './descriptors.ts';
import { isIncomplete, takeExpected } from './expected-packet.ts';
import { DrillHost } from './host.ts';
import { type PacketLine, packetText } from './packet-line.ts';
import { parseScript } from './parser.ts';
import { PROFILES } from './profile.ts';
import { DrillFailure, type Problem, type RunObserver, type ScriptResult, secondsText } from './result.ts';
import {
  type CallEvent,
  type CodeEvent,
  type CommandEvent,
  type PacketEvent,
  type Script,
  ScriptError,
  type ScriptEvent,
} from './script.ts';
import { type RunSettings, type ScriptSettings, settingsOf } from './settings.ts';
import { applySetting } from './sysctl.ts';
import { memberOf } from './tcp-info.ts';
import { Traffic } from './traffic.ts';

/** How far a failed run looks for the packet that did not come in time. */
const LOOK_AHEAD_NS = 130_000_000_000;
/** How long `*` waits for a packet. */
const ANY_TIME_NS = 3_600_000_000_000;
const SEED = '1';

/** Runs the script with the text `text`, which messages call `path`. Throws nothing but what is this program's mistake. */
export function runScript(path: string, text: string, run: RunSettings, observer: RunObserver = {}): ScriptResult {
  const parsed = parseScript(path, text);
  const rejected = (errors: readonly ScriptError[]): ScriptResult => ({
    path,
    verdict: errors.some(({ kind }) => kind === 'syntax') ? 'invalid' : 'unsupported',
    problems: errors.map(({ at, message }) => ({ at, text: message, source: lineOf(text, at.line), details: [] })),
    notes: [],
    eventCount: 0,
    packetCount: 0,
    virtualTimeNs: 0,
  });
  if (parsed.script === null) return rejected(parsed.errors);
  const { errors, calls, settings } = prepare(parsed.script, run);
  const all = [...parsed.errors, ...errors].toSorted((a, b) => a.at.line - b.at.line);
  if (settings === null || all.length > 0) return rejected(all);
  return new Run(parsed.script, settings, calls, observer).run();
}

const lineOf = (text: string, line: number): string => text.split('\n')[line - 1]?.trim() ?? '';

/** All that can be found out before the script runs. */
function prepare(script: Script, run: RunSettings) {
  const errors: ScriptError[] = [];
  const calls = new Map<ScriptEvent, PreparedCall>();
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      errors.push(error);
      return null;
    }
  };
  const settings = attempt(() => settingsOf(script, run));
  const profile = settings?.profile ?? PROFILES.linux;
  for (const event of script.events) {
    attempt(() => {
      if (event.kind === 'call') calls.set(event, prepareCall(event.call));
      else if (event.kind === 'code') checkCode(event.statements);
    });
    if (event.kind !== 'command') continue;
    const scratch = { ...DEFAULT_TCP_OPTIONS };
    for (const setting of event.settings) attempt(() => applySetting(scratch, setting, profile, event.at));
  }
  return { errors, calls, settings };
}

class Run {
  readonly #script: Script;
  readonly #settings: ScriptSettings;
  readonly #host: DrillHost;
  readonly #traffic: Traffic;
  readonly #calls: Calls;
  readonly #descriptors = new Descriptors();
  readonly #variables = new Map<string, Value>();
  readonly #notes: string[] = [];
  readonly #observer: RunObserver;
  readonly #startNs: number;
  /** When the last event happened, as the clock of the host counts. */
  #lastNs: number;
  #eventCount = 0;

  constructor(
    script: Script,
    settings: ScriptSettings,
    prepared: ReadonlyMap<ScriptEvent, PreparedCall>,
    observer: RunObserver,
  ) {
    this.#script = script;
    this.#settings = settings;
    if (settings.profileIsGuessed) {
      this.#notes.push(`${script.path}: has commands of FreeBSD, and runs with the profile ${settings.profile.name}`);
    }
    this.#observer = observer;
    this.#host = new DrillHost(settings, SEED);
    this.#traffic = new Traffic(this.#host, settings);
    this.#host.nic.onFrame = frame => {
      observer.frame?.(frame.timeNs, frame.direction, frame.bytes);
      this.#traffic.sent(frame);
    };
    if (observer.line !== undefined) {
      this.#traffic.onPacket = (timeNs, packet) => this.#tell(timeNs, packetText(packet));
    }
    this.#startNs = this.#lastNs = this.#host.nowNs;
    this.#calls = new Calls(this.#host, prepared, this.#traffic, this.#descriptors, settings, text =>
      this.#tell(this.#host.nowNs, text),
    );
    Object.assign(this.#host.kernel.net.tcp.defaults, settings.profile.tcp);
  }

  run(): ScriptResult {
    const problems: Problem[] = [];
    let event: ScriptEvent | null = null;
    try {
      for (event of this.#script.events) this.#happen(event);
      event = this.#script.events.at(-1) ?? null;
      this.#finish();
    } catch (error) {
      if (!(error instanceof DrillFailure)) throw error;
      const at = error.event ?? event;
      problems.push({
        at: at?.at ?? { line: 1, column: 1 },
        text: error.message,
        source: at?.source ?? null,
        details: error.details,
      });
    }
    return {
      path: this.#script.path,
      verdict: problems.length === 0 ? 'passed' : 'failed',
      problems,
      notes: this.#notes,
      eventCount: this.#eventCount,
      packetCount: this.#traffic.packetCount,
      virtualTimeNs: this.#host.nowNs - this.#startNs,
    };
  }

  #happen(event: ScriptEvent): void {
    this.#eventCount += 1;
    const { fromNs, toNs } = this.#window(event);
    if (event.kind === 'packet' && event.packet.direction === 'out') {
      this.#expect(event, fromNs, toNs);
      return;
    }
    this.#advance(fromNs);
    this.#lastNs = this.#host.nowNs;
    switch (event.kind) {
      case 'packet':
        this.#traffic.inject(event.packet);
        this.#host.settle();
        break;
      case 'call':
        this.#call(event, toNs);
        break;
      case 'command':
        this.#command(event);
        break;
      case 'code':
        this.#code(event);
    }
  }

  /** When the event may happen, as the clock of the host counts. */
  #window(event: ScriptEvent): { readonly fromNs: number; readonly toNs: number } {
    const { kind, fromNs, toNs } = event.time;
    if (kind === 'any') return { fromNs: this.#host.nowNs, toNs: Number.POSITIVE_INFINITY };
    const base = kind === 'absolute' ? this.#startNs : this.#lastNs;
    return { fromNs: base + fromNs, toNs: base + toNs };
  }

  /** Lets time pass up to that of an event. A packet that was late within the tolerance may have made it late too. */
  #advance(dueNs: number): void {
    const { nowNs } = this.#host;
    if (dueNs + this.#settings.toleranceNs < nowNs) {
      throw new DrillFailure('the event is due in the past', [
        ['due', this.#seconds(dueNs)],
        ['now', this.#seconds(nowNs)],
      ]);
    }
    const untilNs = Math.max(dueNs, nowNs);
    this.#calls.checkDue(untilNs);
    this.#host.run(untilNs);
    this.#calls.checkDone();
  }

  #expect(event: PacketEvent, fromNs: number, toNs: number): void {
    const { packet } = event;
    const { toleranceNs } = this.#settings;
    const { waiting } = this.#traffic;
    const untilNs = Number.isFinite(toNs) ? toNs + toleranceNs : this.#host.nowNs + ANY_TIME_NS;
    if (waiting.length === 0) this.#await(untilNs, () => waiting.length > 0);
    if (waiting.length === 0) this.#nothingCame(packet, fromNs, untilNs);
    const ownFlow = packet.endpoints === null && packet.protocol === 'icmp';
    const expectedFlow = ownFlow ? waiting[0]!.flow : this.#traffic.flowOf(packet);
    while (isIncomplete(packet, expectedFlow, waiting) && this.#host.nowNs < untilNs) {
      const count = waiting.length;
      this.#await(untilNs, () => waiting.length > count);
      if (waiting.length === count) break;
    }
    const taken = takeExpected(packet, expectedFlow, waiting, { exact: this.#settings.exactStamps });
    const firstNs = taken.segments[0]!.timeNs;
    const lastNs = taken.segments.at(-1)!.timeNs;
    const early = firstNs < fromNs - toleranceNs && event.time.kind !== 'any';
    const late = lastNs > toNs + toleranceNs;
    if (taken.differences.length > 0 || early || late) {
      const what = taken.differences.length > 0 ? `the packet differs: ${taken.differences.join(', ')}` : '';
      const when = early ? 'the packet came too early' : late ? 'the packet came too late' : '';
      throw new DrillFailure([what, when].filter(text => text !== '').join('; '), [
        ['expected', `${this.#windowText(event, fromNs, toNs)} ${packetText(packet)}`],
        ['actual', `${this.#seconds(firstNs)} ${packetText(taken.actual)}`],
      ]);
    }
    this.#lastNs = lastNs;
  }

  /** Lets time pass until `done`, at most to `untilNs`; then all that belongs to that instant happens too. */
  #await(untilNs: number, done: () => boolean): void {
    if (untilNs > this.#host.nowNs) this.#host.run(untilNs, done);
    this.#host.settle();
    this.#calls.checkDone();
  }

  #nothingCame(packet: PacketLine, fromNs: number, untilNs: number): never {
    const { waiting } = this.#traffic;
    const details: [string, string][] = [['expected', `${this.#seconds(fromNs)} ${packetText(packet)}`]];
    this.#host.run(untilNs + LOOK_AHEAD_NS, () => waiting.length > 0);
    const next = waiting[0];
    if (next === undefined) details.push(['actual', 'no packet']);
    else {
      const taken = takeExpected(packet, this.#traffic.flowOf(packet), waiting, { exact: false });
      details.push(['actual', `${this.#seconds(next.wire.timeNs)} ${packetText(taken.actual)}`]);
    }
    throw new DrillFailure(`no packet was sent by ${this.#seconds(untilNs)}`, details);
  }

  #call(event: CallEvent, toNs: number): void {
    this.#calls.make(event, event.time.waits ? toNs : null);
  }

  #command(event: CommandEvent): void {
    if (event.note !== null) this.#notes.push(`${this.#script.path}:${event.at.line}: ${event.note}`);
    for (const setting of event.settings) {
      applySetting(this.#host.kernel.net.tcp.defaults, setting, this.#settings.profile, event.at);
    }
  }

  #code(event: CodeEvent): void {
    try {
      runCode(event.statements, {
        member: name => memberOf(this.#calls.tcpInfo(), name),
        print: text => {
          this.#notes.push(`${this.#script.path}:${event.at.line}: ${text}`);
          this.#tell(this.#host.nowNs, text);
        },
        variables: this.#variables,
      });
    } catch (error) {
      if (error instanceof AssertionFailure) throw new DrillFailure(error.message);
      throw error;
    }
  }

  /** Calls that still wait have their time; packets that nobody expected are a failure to the strict. */
  #finish(): void {
    const endNs = this.#host.nowNs;
    this.#calls.checkDue(Number.POSITIVE_INFINITY);
    const left = this.#traffic.waiting.find(({ wire }) => wire.timeNs <= endNs);
    if (!this.#settings.strict || left === undefined) return;
    const packet = takeExpected(
      { direction: 'out', protocol: 'udp', ip: { ecn: null, tos: null, ttl: null }, endpoints: null, lengthBytes: 0 },
      left.flow,
      [left],
      { exact: false },
    ).actual;
    throw new DrillFailure('the host has sent a packet that the script does not expect', [
      ['actual', `${this.#seconds(left.wire.timeNs)} ${packetText(packet)}`],
    ]);
  }

  #windowText({ time }: ScriptEvent, fromNs: number, toNs: number): string {
    if (time.kind === 'any') return '*';
    return fromNs === toNs ? this.#seconds(fromNs) : `${this.#seconds(fromNs)}~${this.#seconds(toNs)}`;
  }

  #seconds(ns: number): string {
    return secondsText(ns - this.#startNs);
  }

  #tell(timeNs: number, text: string): void {
    this.#observer.line?.(`${this.#seconds(timeNs)} ${text}`);
  }
}
