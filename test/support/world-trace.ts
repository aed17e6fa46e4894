/** Runs a world and takes its finger-prints: what two runs that are the same have in common, to the bit. */
import { createHash } from 'node:crypto';
import { recordFrames, recordSignals } from '../../src/world/recorders.ts';
import { World } from '../../src/world/world.ts';

/** What a world leaves behind without being watched. */
export interface WorldTrace {
  readonly clock: unknown;
  readonly result: unknown;
  readonly consoles: readonly string[];
}

/** What the recorders saw besides: hashes of the capture and of the waveform. */
export interface WatchedTrace extends WorldTrace {
  readonly pcapng: string;
  readonly vcd: string;
}

/** Builds a world, and says what it has to say at its end. */
export type Build = (world: World) => { result(): unknown };

/** Runs to `untilNs`, unwatched. */
export function runUnwatched(seed: string, build: Build, untilNs: number): WorldTrace {
  const world = new World(seed);
  const run = build(world);
  world.run(untilNs);
  return traceOf(world, run.result());
}

/** Runs to `untilNs` with all recorders on, stopping at each of `stopsNs`, and every so many steps, on the way. */
export function runWatched(
  seed: string,
  build: Build,
  untilNs: number,
  stopsNs: readonly number[] = [],
  stopSteps = Number.POSITIVE_INFINITY,
): WatchedTrace {
  const world = new World(seed);
  const run = build(world);
  const pcapng = createHash('sha256');
  const vcd = createHash('sha256');
  const recorders = [
    recordFrames(world, chunk => pcapng.update(chunk)),
    recordSignals(world, chunk => vcd.update(chunk)),
  ];
  for (const stopNs of [...stopsNs, untilNs]) runInPieces(world, stopNs, stopSteps);
  for (const recorder of recorders) recorder.close();
  return { ...traceOf(world, run.result()), pcapng: pcapng.digest('hex'), vcd: vcd.digest('hex') };
}

function runInPieces(world: World, untilNs: number, stopSteps: number): void {
  for (let stopped = true; stopped; ) {
    let steps = 0;
    stopped = false;
    world.run(untilNs, () => {
      stopped = steps++ >= stopSteps;
      return stopped;
    });
  }
}

function traceOf(world: World, result: unknown): WorldTrace {
  const consoles = Array.from(world.computers.values(), computer => computer.console);
  return { clock: world.clock.save(), result: structuredClone(result), consoles };
}
