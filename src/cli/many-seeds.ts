/** One scenario run with many seeds: what varies, and how much. */

/** A number of the result over all runs. `deviation` is the standard deviation of a sample, 0 for a single run. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}

/** Seeds of `count` runs: the given one, then the given one with a number behind it. */
export function seedsOf(seed: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? seed : `${seed}+${i}`));
}

/** Mean and spread of everything in `results` that is a number in each of them, by its path: `perStation.0.share`. */
export function spreadOf(results: readonly unknown[]): Readonly<Record<string, Spread>> {
  const [first, ...others] = results.map(result => new Map(numbersIn(result, '')));
  const spreads: Record<string, Spread> = {};
  for (const [path, value] of first ?? []) {
    const values = [value, ...others.map(each => each.get(path) ?? Number.NaN)];
    if (!values.some(Number.isNaN)) spreads[path] = spread(values);
  }
  return spreads;
}

/** One line for each number at the top of the result. */
export function spreadLines(spreads: Readonly<Record<string, Spread>>): readonly string[] {
  const top = Object.entries(spreads).filter(([path]) => !path.includes('.'));
  const width = Math.max(0, ...top.map(([path]) => path.length));
  return top.map(([path, { mean, deviation, min, max }]) => {
    const [m, d, low, high] = [mean, deviation, min, max].map(value => Number(value.toPrecision(5)));
    return `${path.padEnd(width)}  ${m} ± ${d}  (${low} to ${high})`;
  });
}

function* numbersIn(value: unknown, path: string): Generator<[path: string, value: number]> {
  if (typeof value === 'number') yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) yield* numbersIn(inner, path === '' ? name : `${path}.${name}`);
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
  return { mean, deviation, min: Math.min(...values), max: Math.max(...values) };
}
