/**
 * A scenario: a named world, what runs in it, and what it has to say at the end. A scenario file is a TypeScript
 * module whose default export comes from {@link scenario}.
 */
import type { World } from './world.ts';

/** What a scenario hands back from `build`. */
export interface ScenarioRun {
  /** When the run ends, in nanoseconds, where the options have a say in that; else the scenario's `untilNs` holds. */
  readonly untilNs?: number;
  /** A JSON-able summary of what happened, taken when the run has ended. */
  result(): unknown;
  /** The result for a person, where plain `name: value` lines would not do. */
  lines?(): readonly string[];
  /** What a terminal shows while the run goes on: a screenful, asked for again and again. */
  live?(): readonly string[];
}

/** An option of one scenario: `--name VALUE` of `ringtail run`. */
export interface ScenarioOption {
  /** What a value is: a number, or one of some words. */
  readonly kind: 'integer' | 'number' | readonly string[];
  /** Null: there is none unless given, and `doc` says what then holds. */
  readonly default: number | string | null;
  /** One line for `ringtail list`. */
  readonly doc: string;
}

/** By name, lower case with hyphens. */
export type ScenarioOptions = Readonly<Record<string, ScenarioOption>>;

type ValueOf<Kind> = Kind extends readonly (infer Word)[] ? Word : number;

/** A value for each of the options `O`. */
export type OptionValues<O extends ScenarioOptions> = {
  readonly [Name in keyof O]: ValueOf<O[Name]['kind']> | (null extends O[Name]['default'] ? null : never);
};

/** What a scenario file says. */
export interface ScenarioDefinition<O extends ScenarioOptions> {
  /** One line for `ringtail list`. */
  readonly summary: string;
  /** Virtual time at which the run ends, in nanoseconds, unless the user says otherwise. */
  readonly untilNs: number;
  readonly options?: O;
  /** Builds the computers and wires, and starts the programs. Nothing has run yet. Throws when the values make no sense. */
  build(world: World, values: OptionValues<O>): ScenarioRun;
}

/** A scenario as others see it: which options it has is known at run time only. */
export interface Scenario {
  readonly summary: string;
  readonly untilNs: number;
  readonly options?: ScenarioOptions;
  /** As in the definition. `values` has a value for each option; without it the defaults hold. */
  build(world: World, values?: OptionValues<ScenarioOptions>): ScenarioRun;
}

/** Declares a scenario: the compiler checks the shape where it is written. */
export function scenario<const O extends ScenarioOptions = Readonly<Record<never, never>>>(
  definition: ScenarioDefinition<O>,
): Scenario {
  return {
    ...definition,
    build: (world, values = defaultsOf(definition.options ?? {})) => definition.build(world, values as OptionValues<O>),
  };
}

/** The values of options of which none is given. */
export function defaultsOf(options: ScenarioOptions): OptionValues<ScenarioOptions> {
  const entries = Object.entries(options).map(([name, option]) => [name, option.default]);
  return Object.fromEntries(entries) as OptionValues<ScenarioOptions>;
}
