/** What a scenario has to say at its end. */
import type { ScenarioRun } from '../world/scenario.ts';
import { UsageError } from './usage-error.ts';

/** Asks the scenario. Throws a UsageError, with the scenario's own message, when that fails. */
export function resultOf(run: ScenarioRun): unknown {
  try {
    const result = run.result();
    JSON.stringify(result);
    return result;
  } catch (error) {
    throw new UsageError(`the scenario has no result: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Prints a result for a person. */
export function printResult(result: unknown): void {
  for (const line of plainLines(result, '')) process.stdout.write(`${line}\n`);
}

/** The result of `run` for a person: the scenario's own lines, or plain ones. */
export function resultLines(run: ScenarioRun, result: unknown): readonly string[] {
  return run.lines === undefined ? plainLines(result, '') : run.lines();
}

/** One `name: value` a line, nested values indented. */
function plainLines(value: unknown, indent: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${String(value)}`];
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0
      ? [`${indent}${name}:`, ...plainLines(inner, `${indent}  `)]
      : [`${indent}${name}: ${text(inner)}`],
  );
}

const text = (value: unknown): string => (typeof value === 'object' && value !== null ? 'none' : String(value));
