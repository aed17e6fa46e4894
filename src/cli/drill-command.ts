/** `ringtail drill`: runs packetdrill scripts, each against a fresh host, and tells what became of them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Frame } from '../../hw/ethernet/frame.ts';
import { junitReport } from '../drill/report-junit.ts';
import { tapReport } from '../drill/report-tap.ts';
import { resultLines, summaryLine } from '../drill/report-text.ts';
import type { RunObserver, ScriptResult, Verdict } from '../drill/result.ts';
import { runScript } from '../drill/runner.ts';
import type { RunSettings } from '../drill/settings.ts';
import { PcapngWriter } from '../observe/pcapng.ts';
import { FileSink } from './file-sink.ts';
import { UsageError } from './usage-error.ts';

const SCRIPT_EXTENSION = '.pkt';
const MAX_SCRIPT_BYTES = 1024 * 1024;

export interface DrillOptions {
  readonly tolerance: number;
  readonly profile?: NonNullable<RunSettings['profile']>;
  readonly strict?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly tap?: boolean;
  readonly junit?: string;
  readonly pcap?: string;
}

/** Exit codes, the worst first. */
const EXIT_CODES: readonly (readonly [Verdict, number])[] = [
  ['invalid', 2],
  ['failed', 1],
  ['unsupported', 3],
];

/** Runs the scripts that `paths` name, or that lie in the directories that they name; returns the exit code. */
export function drillCommand(paths: readonly string[], options: DrillOptions): number {
  if (options.json === true && options.tap === true) throw new UsageError('--json and --tap both ask for the output');
  const scripts = paths.flatMap(scriptsAt).map(path => ({ path, text: readScript(path) }));
  const junit = options.junit === undefined ? null : new FileSink(options.junit);
  const capture = options.pcap === undefined ? null : new DrillCapture(options.pcap);
  const quiet = options.json === true || options.tap === true;
  const settings = {
    profile: options.profile ?? null,
    toleranceNs: options.tolerance,
    strict: options.strict ?? false,
  };
  const results = scripts.map(({ path, text }) => {
    const observer: RunObserver = {
      ...(options.verbose === true ? { line: (line: string) => process.stderr.write(`${line}\n`) } : {}),
      ...(capture === null ? {} : { frame: capture.of(path) }),
    };
    const result = runScript(path, text, settings, observer);
    if (!quiet) process.stdout.write(`${resultLines(result).join('\n')}\n`);
    return result;
  });
  if (options.json === true) process.stdout.write(`${JSON.stringify({ scripts: results }, null, 2)}\n`);
  else if (options.tap === true) process.stdout.write(tapReport(results));
  else process.stdout.write(`${summaryLine(results)}\n`);
  junit?.text(junitReport(results));
  junit?.close();
  capture?.close();
  return exitCode(results);
}

const exitCode = (results: readonly ScriptResult[]): number =>
  EXIT_CODES.find(([verdict]) => results.some(each => each.verdict === verdict))?.[1] ?? 0;

/** The script itself, or the scripts in a directory and those below it, in the order of their names. */
function scriptsAt(path: string): string[] {
  const isDirectory = attempt(path, () => statSync(path).isDirectory());
  if (!isDirectory) return [path];
  const found = attempt(path, () => readdirSync(path, { recursive: true, encoding: 'utf8' }))
    .filter(name => name.endsWith(SCRIPT_EXTENSION))
    .map(name => join(path, name))
    .sort();
  if (found.length === 0) throw new UsageError(`there is no ${SCRIPT_EXTENSION} script in ${path}`);
  return found;
}

function readScript(path: string): string {
  const bytes = attempt(path, () => readFileSync(path));
  if (bytes.length > MAX_SCRIPT_BYTES) throw new UsageError(`${path} is longer than a megabyte: no script is`);
  return bytes.toString('utf8');
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** One capture file for all scripts: each is an interface of it. */
class DrillCapture {
  readonly #sink: FileSink;
  readonly #writer: PcapngWriter;

  constructor(path: string) {
    this.#sink = new FileSink(path);
    this.#writer = new PcapngWriter(this.#sink.bytes, 'Ringtail');
  }

  of(script: string): NonNullable<RunObserver['frame']> {
    const interfaceId = this.#writer.addInterface(script, `the wire of the host in ${script}`);
    return (timeNs, direction, bytes) => {
      this.#writer.packet({
        interfaceId,
        timeNs,
        bytes: Frame.withFcs(bytes).wire(),
        direction: direction === 'in' ? 'inbound' : 'outbound',
        errors: 0,
        comments: [],
      });
    };
  }

  close(): void {
    this.#sink.close();
    process.stderr.write(`wrote ${this.#sink.path}\n`);
  }
}
