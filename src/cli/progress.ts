/** Runs a world, with a progress bar on the terminal when that takes longer than a moment. */
import { SingleBar } from 'cli-progress';
import pico from 'picocolors';
import type { World } from '../world/world.ts';
import { formatDuration } from './duration.ts';

/** A run that is over sooner shows no bar. */
const PATIENCE_MS = 500;
/** The bar moves, and signals are heeded, this often. */
const TURN_MS = 50;
/** The wall clock is looked at once in so many steps. */
const STEPS_PER_LOOK = 4096;

/**
 * Lets `world` run to `untilNs`. The bar is on standard error, and only on a terminal; where the scenario has something
 * to show while it runs, that is shown instead.
 */
export async function runWithProgress(world: World, untilNs: number, live?: () => readonly string[]): Promise<void> {
  if (live !== undefined && process.stderr.isTTY) return runWithScreen(world, untilNs, live);
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

/** Draws what `live` returns over itself, and takes it away at the end. */
async function runWithScreen(world: World, untilNs: number, live: () => readonly string[]): Promise<void> {
  let drawnLines = 0;
  const draw = (lines: readonly string[]): void => {
    const up = drawnLines === 0 ? '' : `\x1b[${drawnLines}A\x1b[J`;
    process.stderr.write(up + lines.map(line => `${coloured(line)}\n`).join(''));
    drawnLines = lines.length;
  };
  live();
  while (runTurn(world, untilNs)) {
    draw([...live(), `${formatDuration(world.clock.nowNs)} of ${formatDuration(untilNs)}`]);
    await new Promise(resolve => setTimeout(resolve, TURN_MS));
  }
  draw([]);
}

const coloured = (line: string): string =>
  line.replace(/[#X]/g, pico.red).replace(/\*/g, pico.green).replace(/~/g, pico.yellow);

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
