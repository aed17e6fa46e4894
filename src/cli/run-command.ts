/** `ringtail run`: a scenario from power-on to its end, on virtual time. */
import { createHash } from 'node:crypto';
import { recordFrames } from '../world/recorders.ts';
import type { World } from '../world/world.ts';
import { formatDuration } from './duration.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { throwProgramFailure } from './program-failure.ts';
import { runWithProgress } from './progress.ts';
import { openRecordings, type RecordingOptions } from './recordings.ts';
import { printResult, resultOf } from './result.ts';
import { printSockets, socketsOf } from './socket-table.ts';

export interface RunOptions extends RecordingOptions {
  readonly seed: string;
  readonly until?: number;
  readonly json?: boolean;
  readonly sockets?: boolean;
}

/** Runs the scenario `name`, and prints what it has to say. Throws what went wrong. */
export async function runCommand(name: string, options: RunOptions): Promise<void> {
  const scenario = await loadScenario(name);
  const { world, run } = buildWorld(name, scenario, options.seed);
  const trace = options.json === true ? hashFrames(world) : null;
  const recordings = openRecordings(world, options);
  try {
    await runWithProgress(world, options.until ?? scenario.untilNs);
  } finally {
    for (const path of recordings.close()) process.stderr.write(`wrote ${path}\n`);
  }
  throwProgramFailure(world);
  const result = resultOf(run);
  if (trace === null) {
    process.stdout.write(`${name}, seed ${options.seed}: ${formatDuration(world.clock.nowNs)} of virtual time\n`);
    printResult(result);
    if (options.sockets === true) printSockets(world);
  } else {
    printJson(name, world, trace(), options.sockets === true ? { result, sockets: socketsOf(world) } : { result });
  }
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

function printJson(scenario: string, world: World, traceHash: string, rest: object): void {
  const { nowNs, eventCount, stepCount } = world.clock;
  const summary = { scenario, seed: world.seed, virtualTimeNs: nowNs, eventCount, stepCount, traceHash, ...rest };
  process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
}
