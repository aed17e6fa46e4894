/** `ringtail show`: runs a scenario to its end, or to a pause, and prints one kind of table of what is in it. */
import { COMPUTER_VIEWS, SWITCH_VIEWS } from '../views/index.ts';
import type { View } from '../views/view.ts';
import type { World } from '../world/world.ts';
import { formatDuration } from './duration.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { throwProgramFailure } from './program-failure.ts';
import { runWithProgress } from './progress.ts';
import { optionValues } from './scenario-options.ts';
import { type NamedTable, tableLines, tableRows, tablesOf } from './table-output.ts';
import { UsageError } from './usage-error.ts';

export interface ShowOptions {
  readonly seed: string;
  readonly until?: number;
  readonly on?: string;
  readonly changes?: boolean;
  readonly json?: boolean;
}

const VIEWS: Readonly<Record<string, View<never>>> = { ...COMPUTER_VIEWS, ...SWITCH_VIEWS };

/** What is asked for, of a world that has not run yet: the function returned gives the tables, once it has. */
type Request = (world: World) => () => readonly NamedTable[];

/** Prints the table `tableName` of the scenario `name`, run with its own options `args`. Throws what went wrong. */
export async function showCommand(
  tableName: string,
  name: string,
  args: readonly string[],
  options: ShowOptions,
): Promise<void> {
  const request = requestOf(tableName, name, options);
  const scenario = await loadScenario(name);
  const { world, untilNs } = buildWorld(name, scenario, options.seed, optionValues(name, scenario, args));
  const tables = request(world);
  await runWithProgress(world, options.until ?? untilNs);
  const { nowNs: virtualTimeNs } = world.clock;
  const { seed } = options;
  if (options.json === true) {
    const summary = { scenario: name, seed, virtualTimeNs, [tableName]: tableRows(tables()) };
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  } else {
    process.stdout.write(`${name}, seed ${seed}: ${formatDuration(virtualTimeNs)} of virtual time\n`);
    for (const line of tableLines(tables())) process.stdout.write(`${line}\n`);
  }
  throwProgramFailure(world);
}

function requestOf(tableName: string, scenario: string, options: ShowOptions): Request {
  const wanted = { tableName, scenario, options };
  if (isIn(COMPUTER_VIEWS, tableName)) {
    const view = COMPUTER_VIEWS[tableName];
    return world => begin(view, Array.from(world.computers.values()), { ...wanted, kind: 'computer', world });
  }
  if (isIn(SWITCH_VIEWS, tableName)) {
    const view = SWITCH_VIEWS[tableName];
    return world => begin(view, Array.from(world.switches.values()), { ...wanted, kind: 'switch', world });
  }
  throw new UsageError(`no table "${tableName}": there are ${Object.keys(VIEWS).join(', ')}`);
}

interface Wanted {
  readonly tableName: string;
  readonly scenario: string;
  readonly options: ShowOptions;
  readonly kind: 'computer' | 'switch';
  readonly world: World;
}

function begin<Node extends { readonly name: string }>(
  view: View<Node>,
  nodes: readonly Node[],
  wanted: Wanted,
): ReturnType<Request> {
  const { clock } = wanted.world;
  const chosen = choose(nodes, wanted);
  checkPresence(view, chosen, wanted);
  if (wanted.options.changes !== true) return () => tablesOf(view, chosen, clock.nowNs);
  if (view.watch === undefined) {
    const watched = Object.keys(VIEWS).filter(name => VIEWS[name]!.watch !== undefined);
    throw new UsageError(`nothing tells of changes of table ${wanted.tableName}: only of ${watched.join(', ')}`);
  }
  const logs = chosen.flatMap(node => {
    const log = view.watch!(node, clock);
    return log === null ? [] : [{ name: node.name, log }];
  });
  return () => logs.map(({ name, log }) => ({ name, table: log() }));
}

/** Those of `nodes` that the user wants. Throws a UsageError when there are none. */
function choose<Node extends { readonly name: string }>(
  nodes: readonly Node[],
  { tableName, scenario, options: { on }, kind, world }: Wanted,
): readonly Node[] {
  if (on === undefined) {
    if (nodes.length === 0) throw new UsageError(`scenario ${scenario} has no ${kind}, so no table ${tableName}`);
    return nodes;
  }
  const found = nodes.filter(({ name }) => name === on);
  if (found.length > 0) return found;
  if (world.computers.has(on)) throw new UsageError(`${on} is a computer: table ${tableName} is one of switches`);
  if (world.switches.has(on)) throw new UsageError(`${on} is a switch: table ${tableName} is one of computers`);
  const names = [...world.computers.keys(), ...world.switches.keys()];
  throw new UsageError(`scenario ${scenario} has no "${on}": there are ${names.join(', ')}`);
}

/** Throws a UsageError when none of `nodes` has the table. */
function checkPresence<Node extends { readonly name: string }>(
  view: View<Node>,
  nodes: readonly Node[],
  { tableName, scenario, options: { on }, kind, world }: Wanted,
): void {
  if (nodes.some(node => view.table(node, world.clock.nowNs) !== null)) return;
  const where = on ?? `any ${kind} of scenario ${scenario}`;
  throw new UsageError(`there is no ${view.needs} on ${where}, so no table ${tableName}`);
}

const isIn = <Views extends object>(views: Views, name: string): name is Extract<keyof Views, string> =>
  Object.hasOwn(views, name);
