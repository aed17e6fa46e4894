/** `ringtail live` and `ringtail replay`: a world with real peers, and the same run again without them. */
import { JournalWriter, readJournal } from '../bridge/journal.ts';
import { runLive } from '../bridge/live.ts';
import { replay } from '../bridge/replay.ts';
import { formatDuration } from './duration.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { throwProgramFailure } from './program-failure.ts';
import { openRecordings, type RecordingOptions } from './recordings.ts';
import { printResult, resultOf } from './result.ts';
import { optionValues, valuesIn } from './scenario-options.ts';
import { UsageError } from './usage-error.ts';
import {
  type ImpairmentOptions,
  impairmentCounters,
  impairmentsIn,
  impairmentsOf,
  impairWires,
} from './wire-impairments.ts';

export interface LiveCommandOptions extends RecordingOptions, ImpairmentOptions {
  readonly wire: readonly string[];
  readonly seed: string;
  readonly for?: number;
  readonly journal?: string;
}

export interface ReplayCommandOptions extends RecordingOptions {
  readonly json?: boolean;
}

/** Runs the scenario `name`, with its own options `args`, against the clock on the wall until it is told to end. */
export async function liveCommand(name: string, args: readonly string[], options: LiveCommandOptions): Promise<void> {
  const scenario = await loadScenario(name);
  const values = optionValues(name, scenario, args);
  const { world, run } = buildWorld(name, scenario, options.seed, values);
  const wires = parseWires(options.wire);
  const impairments = impairmentsOf(options, [...wires.keys()]);
  impairWires(world, impairments);
  const recordings = openRecordings(world, options);
  const report = (line: string) => process.stderr.write(`${line}\n`);
  try {
    const outcomeDependsOn = {
      ...(Object.keys(values).length > 0 && { values }),
      ...(impairments && { impairments }),
    };
    const header = { scenario: name, seed: options.seed, options: outcomeDependsOn };
    const journal = options.journal === undefined ? null : new JournalWriter(options.journal, header);
    const result = await runLive(world, { wires, durationNs: options.for ?? null, journal, report });
    process.stdout.write(
      `${name}, seed ${options.seed}: ${formatDuration(result.nowNs)} live, ended by ${result.endedBy}\n`,
    );
    const { inCount, outCount, dropCount, maxLagNs } = result;
    printResult({ framesIn: inCount, framesOut: outCount, framesDropped: dropCount, lag: formatDuration(maxLagNs) });
    if (impairments !== null) printResult({ impairments: impairmentCounters(world, impairments) });
    throwProgramFailure(world);
    printResult(resultOf(run));
  } finally {
    for (const path of recordings.close()) report(`wrote ${path}`);
  }
}

/** Repeats the run that the journal at `path` has recorded. */
export async function replayCommand(path: string, options: ReplayCommandOptions): Promise<void> {
  const journal = readJournal(path);
  const { scenario: name, seed } = journal.header;
  const scenario = await loadScenario(name);
  const { world, run } = buildWorld(name, scenario, seed, valuesIn(journal.header, scenario, path));
  const impairments = impairmentsIn(journal.header, path);
  impairWires(world, impairments);
  const recordings = openRecordings(world, options);
  try {
    const { frameCount, complete } = replay(world, journal);
    throwProgramFailure(world);
    // Before the result: a scenario that asks a NIC for its statistics spends time on the bus.
    const impaired = impairments && { impairments: impairmentCounters(world, impairments) };
    const result = resultOf(run);
    const { nowNs, stepCount } = world.clock;
    if (options.json === true) {
      const summary = { scenario: name, seed, virtualTimeNs: nowNs, stepCount, frameCount, complete, ...impaired };
      process.stdout.write(`${JSON.stringify({ ...summary, result }, null, 2)}\n`);
    } else {
      const end = complete ? '' : ', as far as the journal goes: it has no end';
      process.stdout.write(`${name}, seed ${seed}: ${formatDuration(nowNs)}, ${frameCount} frames replayed${end}\n`);
      if (impaired !== null) printResult(impaired);
      printResult(result);
    }
  } finally {
    for (const file of recordings.close()) process.stderr.write(`wrote ${file}\n`);
  }
}

function parseWires(texts: readonly string[]): ReadonlyMap<string, string> {
  const wires = new Map<string, string>();
  for (const text of texts) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || path === undefined) throw new UsageError(`--wire takes NAME=SOCKET, not "${text}"`);
    if (wires.has(name)) throw new UsageError(`--wire ${name} is given twice`);
    wires.set(name, path);
  }
  return wires;
}
