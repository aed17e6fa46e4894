/** `ringtail run`: a scenario from power-on to its end, on virtual time; with `--seeds` again and again. */
import { createHash } from 'node:crypto';
import { socketsView } from '../views/sockets.ts';
import { recordFrames } from '../world/recorders.ts';
import type { OptionValues, Scenario, ScenarioOptions } from '../world/scenario.ts';
import type { World } from '../world/world.ts';
import { formatDuration } from './duration.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { seedsOf, spreadLines, spreadOf } from './many-seeds.ts';
import { throwProgramFailure } from './program-failure.ts';
import { runWithProgress } from './progress.ts';
import { openRecordings, type RecordingOptions } from './recordings.ts';
import { resultLines, resultOf } from './result.ts';
import { optionValues } from './scenario-options.ts';
import { tableLines, tableRows, tablesOf } from './table-output.ts';
import { UsageError } from './usage-error.ts';

export interface RunOptions extends RecordingOptions {
  readonly seed: string;
  readonly seeds?: number;
  readonly until?: number;
  readonly json?: boolean;
  readonly sockets?: boolean;
}

/** What a run came to. */
interface Outcome {
  readonly seed: string;
  readonly virtualTimeNs: number;
  readonly eventCount: number;
  readonly stepCount: number;
  /** Null where nobody asked for it. */
  readonly traceHash: string | null;
  readonly result: unknown;
  /** With `--sockets`: the tables of all computers. */
  readonly sockets?: ReturnType<typeof tableRows>;
  /** The result for a person. */
  readonly lines: readonly string[];
}

/** Runs the scenario `name` with its own options `args`, and prints what it has to say. Throws what went wrong. */
export async function runCommand(name: string, args: readonly string[], options: RunOptions): Promise<void> {
  const scenario = await loadScenario(name);
  const values = optionValues(name, scenario, args);
  if (options.seeds !== undefined) {
    await runSeeds(name, scenario, values, options, options.seeds);
    return;
  }
  const outcome = await runOnce(name, scenario, values, options, options.seed);
  if (options.json === true) {
    const { lines: _, ...summary } = outcome;
    printJson({ ...fieldsOf(outcome.result), scenario: name, ...summary });
  } else {
    const { seed, virtualTimeNs, lines } = outcome;
    process.stdout.write(`${name}, seed ${seed}: ${formatDuration(virtualTimeNs)} of virtual time\n`);
    for (const line of lines) process.stdout.write(`${line}\n`);
  }
}

async function runSeeds(
  name: string,
  scenario: Scenario,
  values: OptionValues<ScenarioOptions>,
  options: RunOptions,
  count: number,
): Promise<void> {
  if (options.pcap !== undefined || options.vcd !== undefined) {
    throw new UsageError('--pcap and --vcd record one run, --seeds makes many');
  }
  const runs: Outcome[] = [];
  for (const seed of seedsOf(options.seed, count)) runs.push(await runOnce(name, scenario, values, options, seed));
  const spread = spreadOf(runs.map(({ result }) => result));
  if (options.json === true) {
    printJson({ scenario: name, spread, runs: runs.map(({ lines: _, ...summary }) => summary) });
    return;
  }
  process.stdout.write(`${name}, ${count} seeds: mean ± standard deviation (least to most)\n`);
  for (const line of spreadLines(spread)) process.stdout.write(`${line}\n`);
}

async function runOnce(
  name: string,
  scenario: Scenario,
  values: OptionValues<ScenarioOptions>,
  options: RunOptions,
  seed: string,
): Promise<Outcome> {
  const { world, run, untilNs } = buildWorld(name, scenario, seed, values);
  const trace = options.json === true ? hashFrames(world) : null;
  const recordings = openRecordings(world, options);
  try {
    await runWithProgress(world, options.until ?? untilNs, options.json === true ? undefined : run.live);
  } finally {
    for (const path of recordings.close()) process.stderr.write(`wrote ${path}\n`);
  }
  throwProgramFailure(world);
  const { nowNs: virtualTimeNs, eventCount, stepCount } = world.clock;
  const result = resultOf(run);
  const shown = options.sockets === true ? tablesOf(socketsView, world.computers.values(), virtualTimeNs) : [];
  const sockets = options.sockets === true ? { sockets: tableRows(shown) } : {};
  const lines = [...resultLines(run, result), ...tableLines(shown)];
  return { seed, virtualTimeNs, eventCount, stepCount, traceHash: trace?.() ?? null, result, ...sockets, lines };
}

/** Hashes everything that goes over the world's wires; the function returned gives the hash, at the end. */
function hashFrames(world: World): () => string {
  const hash = createHash('sha256');
  const recorder = recordFrames(world, chunk => hash.update(chunk));
  return () => {
    recorder.close();
    return hash.digest('hex');
  };
}

/** The fields of a result that has names for them: they stand beside `result` too, so that `jq .goodputBps` finds them. */
function fieldsOf(result: unknown): object {
  return typeof result === 'object' && result !== null && !Array.isArray(result) ? result : {};
}

function printJson(summary: object): void {
  process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
}
