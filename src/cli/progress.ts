/** Runs a world, with a progress bar on the terminal when that takes longer than a moment. */
import { SingleBar } from 'cli-progress';
import type { World } from '../world/world.ts';
import { formatDuration } from './duration.ts';

/** A run that is over sooner shows no bar. */
const PATIENCE_MS = 500;
/** The bar moves, and signals are heeded, this often. */
const TURN_MS = 50;
/** The wall clock is looked at once in so many steps. */
const STEPS_PER_LOOK = 4096;

/** Lets `world` run to `untilNs`. The bar is on standard error, and only on a terminal. */
export async function runWithProgress(world: World, untilNs: number): Promise<void> {
  const beganMs = Date.now();
  let bar: SingleBar | null = null;
  try {
    while (runTurn(world, untilNs)) {
      if (bar === null && process.stderr.isTTY && Date.now() - beganMs > PATIENCE_MS) {
        const format = '{bar} {percentage}%  {time} of virtual time';
        bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true });
        bar.start(untilNs, world.clock.nowNs, { time: '' });
      }
      bar?.update(Math.min(world.clock.nowNs, untilNs), { time: formatDuration(world.clock.nowNs) });
      await new Promise(resolve => setImmediate(resolve));
    }
  } finally {
    bar?.stop();
  }
}

/** Runs for one turn. False when the run is complete. */
function runTurn(world: World, untilNs: number): boolean {
  const endMs = Date.now() + TURN_MS;
  let steps = 0;
  let more = false;
  world.run(untilNs, () => {
    more = ++steps % STEPS_PER_LOOK === 0 && Date.now() >= endMs;
    return more;
  });
  return more;
}
