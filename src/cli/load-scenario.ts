/** Finds a scenario by its name, or in a TypeScript file of the user's. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUILT_IN } from '../scenarios/index.ts';
import type { OptionValues, Scenario, ScenarioOptions, ScenarioRun } from '../world/scenario.ts';
import { World } from '../world/world.ts';
import { UsageError } from './usage-error.ts';

/** Throws a UsageError when there is no such scenario, or when the file does not export one. */
export async function loadScenario(name: string): Promise<Scenario> {
  const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (builtIn !== undefined) return (await builtIn()).default;
  if (!/[./]/.test(name)) throw new UsageError(`no scenario "${name}": there are ${Object.keys(BUILT_IN).join(', ')}`);
  if (!existsSync(name)) throw new UsageError(`no file "${name}"`);
  const module: unknown = await importFile(name);
  const exported = (module as { default?: unknown }).default;
  if (!isScenario(exported)) throw new UsageError(`${name} has no scenario as its default export`);
  if (!Number.isSafeInteger(exported.untilNs) || exported.untilNs < 0) {
    throw new UsageError(`${name} has untilNs ${exported.untilNs}: that is no time to end at, in whole nanoseconds`);
  }
  return exported;
}

/** A scenario that is ready to run, and when its run ends. */
export interface BuiltScenario {
  readonly world: World;
  readonly run: ScenarioRun;
  readonly untilNs: number;
}

/**
 * Builds the world of a scenario, with `values` for its options or the defaults. Throws a UsageError, with
 * the scenario's own message, when that fails.
 */
export function buildWorld(
  name: string,
  scenario: Scenario,
  seed: string,
  values?: OptionValues<ScenarioOptions>,
): BuiltScenario {
  const world = new World(seed);
  let run: ScenarioRun | undefined;
  try {
    run = scenario.build(world, values);
  } catch (error) {
    throw new UsageError(`scenario ${name} failed while it was built: ${messageOf(error)}`);
  }
  if (typeof run?.result !== 'function') throw new UsageError(`build of scenario ${name} returns no { result }`);
  return { world, run, untilNs: run.untilNs ?? scenario.untilNs };
}

async function importFile(name: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(resolve(name)).href);
  } catch (error) {
    throw new UsageError(`${name} cannot be loaded: ${messageOf(error)}`);
  }
}

function isScenario(value: unknown): value is Scenario {
  const fields = value as Partial<Scenario> | null | undefined;
  return (
    typeof fields?.build === 'function' && typeof fields.untilNs === 'number' && typeof fields.summary === 'string'
  );
}

/** A compiler's message says in its second line what is wrong, and where. */
function messageOf(error: unknown): string {
  const [first = '', second = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return first.endsWith(':') ? `${first} ${second}` : first;
}
