/**
 * Repeats a live run from its journal, offline and exactly: the same world is built again, and each frame goes into the
 * same station after the same number of steps at the same nanosecond. All that the world then does, it did then, so the
 * captures are the same to the byte.
 */
import type { Journal, JournalPosition } from './journal.ts';
import { type BridgeWorld, stationOn } from './ports.ts';

/** Why a replay was not the run that was recorded. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

export interface ReplayResult {
  readonly frameCount: number;
  /** False when the journal has no end: the run was killed, and the replay went as far as the last frame. */
  readonly complete: boolean;
}

/**
 * Runs `world`, fresh and built from the journal's header, to the journal's end. Throws a {@link ReplayError} when it
 * turns out to be another world than the recorded one, and whatever the recorded run threw.
 */
export function replay(world: BridgeWorld, journal: Journal): ReplayResult {
  for (const record of journal.records) {
    goTo(world, record);
    if (!stationOn(world, record.wire).send(record.frame)) {
      throw new ReplayError(`wire ${record.wire} has no room at step ${record.step}, unlike in the recorded run`);
    }
  }
  const { end } = journal;
  if (end !== null && end.failed === null) goTo(world, end);
  if (end !== null && end.failed !== null) failAgain(world, end.t, end.failed);
  return { frameCount: journal.records.length, complete: end !== null };
}

/** A failed run ends within the step that threw, which is not counted: running on up to then takes it again. */
function failAgain(world: BridgeWorld, untilNs: number, failed: string): never {
  world.run(untilNs);
  throw new ReplayError(`the recorded run failed (${failed}) where the replay does not`);
}

function goTo(world: BridgeWorld, { step, t }: JournalPosition): void {
  world.replayTo(step, t);
  if (world.clock.stepCount === step && world.clock.nowNs === t) return;
  const at = `step ${world.clock.stepCount} and ${world.clock.nowNs} ns`;
  throw new ReplayError(`the replay is at ${at} where the recorded run was at step ${step} and ${t} ns`);
}
