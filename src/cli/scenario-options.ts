/**
 * The options that a scenario declares: on the command line, `--name VALUE` or `--name=VALUE`, and in the header of a
 * journal, `"values":{"name":value}`.
 */
import type { JournalHeader } from '../bridge/journal.ts';
import {
  defaultsOf,
  type OptionValues,
  type Scenario,
  type ScenarioOption,
  type ScenarioOptions,
} from '../world/scenario.ts';
import { UsageError } from './usage-error.ts';

type Values = OptionValues<ScenarioOptions>;

/** Values for the options of `scenario`, which `name` is: those in `args`, else the defaults. Throws a UsageError. */
export function optionValues(name: string, { options = {} }: Scenario, args: readonly string[]): Values {
  const values: Record<string, number | string | null> = { ...defaultsOf(options) };
  const given = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const [, option = '', attached] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]!) ?? [];
    if (!Object.hasOwn(options, option)) throw unknown(name, args[i]!, options);
    if (given.has(option)) throw new UsageError(`--${option} is given twice`);
    given.add(option);
    const text = attached ?? args[++i];
    if (text === undefined) throw new UsageError(`--${option} wants a value`);
    values[option] = parseValue(option, options[option]!, text);
  }
  return values as Values;
}

/**
 * Values for the options of `scenario`: those in the header of the journal at `path`, else the defaults. Throws a
 * UsageError.
 */
export function valuesIn(
  { scenario: name, options: recorded }: JournalHeader,
  scenario: Scenario,
  path: string,
): Values {
  const { values = {} } = recorded;
  const { options = {} } = scenario;
  const where = `${path}, line 1`;
  if (typeof values !== 'object' || values === null) throw new UsageError(`${where}: the values make no sense`);
  for (const [option, value] of Object.entries(values)) {
    if (!Object.hasOwn(options, option)) throw new UsageError(`${where}: ${unknown(name, option, options).message}`);
    if (!isValue(options[option]!, value)) {
      throw new UsageError(
        `${where}: ${JSON.stringify(value)} is no value of the option ${option} of scenario ${name}`,
      );
    }
  }
  return { ...defaultsOf(options), ...values };
}

/** Lines that say which options a scenario has, for `ringtail list`. */
export function describeOptions({ options = {} }: Scenario): readonly string[] {
  return Object.entries(options).map(([name, { kind, default: value, doc }]) => {
    const usage = `--${name} ${typeof kind === 'string' ? 'N' : kind.join('|')}`;
    return `${usage.padEnd(22)} ${doc}${value === null ? '' : `; ${value}`}`;
  });
}

function parseValue(option: string, { kind }: ScenarioOption, text: string): number | string {
  if (typeof kind !== 'string') {
    if (kind.includes(text)) return text;
    throw new UsageError(`--${option} is ${kind.slice(0, -1).join(', ')} or ${kind.at(-1)}, not "${text}"`);
  }
  const value = /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) return value;
  throw new UsageError(`--${option} is ${kind === 'integer' ? 'an integer' : 'a number'}, not "${text}"`);
}

function isValue({ kind, default: value }: ScenarioOption, recorded: unknown): boolean {
  if (recorded === null) return value === null;
  if (typeof kind !== 'string') return typeof recorded === 'string' && kind.includes(recorded);
  return kind === 'integer' ? Number.isSafeInteger(recorded) : Number.isFinite(recorded);
}

function unknown(name: string, text: string, options: ScenarioOptions): UsageError {
  const names = Object.keys(options).map(option => `--${option}`);
  const has = names.length === 0 ? 'no options of its own' : names.join(', ');
  return new UsageError(`scenario ${name} has no option "${text}": it has ${has}`);
}
