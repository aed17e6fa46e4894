/** The `ringtail` command as a process of its own: a live run to which real peers connect, and a replay. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from './stream-peer.ts';

const COMMAND = resolve('src/cli/ringtail.js');

/** Runs `ringtail` with these arguments to its end; returns what it printed. Throws when it fails. */
export function ringtail(...args: readonly string[]): string {
  return execFileSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export interface LiveProcessOptions {
  /** More of the command line. */
  readonly options?: readonly string[];
  /** Whether it keeps a journal and a capture; yes unless told otherwise. */
  readonly recorded?: boolean;
}

/** Ticks of the processor time in /proc: USER_HZ, the same on every Linux. */
const TICKS_PER_SECOND = 100;

/** `ringtail live` on open wires, with journal and capture in a directory that is the caller's. */
export class LiveProcess {
  /** Of each wire, by its name. */
  readonly socketPaths: Readonly<Record<string, string>>;
  readonly journalPath: string;
  readonly pcapPath: string;
  /** What it has said on standard error so far. */
  said = '';
  /** What it has printed on standard output so far: its result, once it has ended. */
  printed = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  private constructor(scenario: string, wires: readonly string[], directory: string, more: LiveProcessOptions) {
    const { options = [], recorded = true } = more;
    this.socketPaths = Object.fromEntries(wires.map(wire => [wire, join(directory, `${wire}.sock`)]));
    this.journalPath = join(directory, 'journal.jsonl');
    this.pcapPath = join(directory, 'live.pcapng');
    const files = recorded ? ['--journal', this.journalPath, '--pcap', this.pcapPath] : [];
    const sockets = Object.entries(this.socketPaths).flatMap(([wire, path]) => ['--wire', `${wire}=${path}`]);
    const args = [COMMAND, 'live', scenario, ...sockets, ...files, ...options];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout!.setEncoding('utf8').on('data', text => {
      this.printed += text;
    });
    this.#child.stderr!.setEncoding('utf8').on('data', text => {
      this.said += text;
    });
    this.#ended = once(this.#child, 'close');
  }

  /** Starts the run, and waits until a peer may connect to the wire, or to each of several. */
  static async start(
    scenario: string,
    wires: string | readonly string[],
    directory: string,
    more: LiveProcessOptions = {},
  ): Promise<LiveProcess> {
    const names = [wires].flat();
    const live = new LiveProcess(scenario, names, directory, more);
    await until('the wire sockets', () => {
      if (live.#child.exitCode !== null) throw new Error(`ringtail live has ended: ${live.said}`);
      return live.said.split('waiting for a peer').length > names.length;
    });
    return live;
  }

  /** Of the first wire. */
  get socketPath(): string {
    return Object.values(this.socketPaths)[0]!;
  }

  /** Processor time that it has used, in user and in system mode. */
  get cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Sends `signal`; returns the exit status, or the signal's name when that is what ended the process. */
  async end(signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<number | string> {
    this.#child.kill(signal);
    const [code, by] = await this.#ended;
    return (code ?? by) as number | string;
  }

  /** For clearing up: ends it in any case. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
