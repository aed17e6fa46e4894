/**
 * A scenario: a named world, what runs in it, and what it has to say at the end. A scenario file is a TypeScript
 * module whose default export comes from {@link scenario}.
 */
import type { World } from './world.ts';

/** What a scenario hands back from `build`. */
export interface ScenarioRun {
  /** A JSON-able summary of what happened, taken when the run has ended. */
  result(): unknown;
}

export interface Scenario {
  /** One line for `ringtail list`. */
  readonly summary: string;
  /** Virtual time at which the run ends, in nanoseconds, unless the user says otherwise. */
  readonly untilNs: number;
  /** Builds the computers and wires, and starts the programs. Nothing has run yet. */
  build(world: World): ScenarioRun;
}

/** Declares a scenario; the identity, but the compiler checks the shape where it is written. */
export function scenario(definition: Scenario): Scenario {
  return definition;
}
