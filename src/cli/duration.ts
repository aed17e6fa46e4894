/** Durations as a person types them: `250ms`, `2s`, `40us`, `1.5ms`, `800ns`. */
import { InvalidArgumentError } from 'commander';

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, min: 60e9 };

/** Whole nanoseconds. Throws commander's InvalidArgumentError on anything else. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s|min)$/.exec(text);
  const ns = match === null ? Number.NaN : Number(match[1]) * UNIT_NS[match[2]!]!;
  if (!Number.isSafeInteger(Math.round(ns))) {
    throw new InvalidArgumentError(`a duration is a number and a unit, such as 250ms, 2s or 40us; not "${text}"`);
  }
  return Math.round(ns);
}

/** The shortest exact-looking form, with three decimals at most: `1.234 ms`. */
export function formatDuration(ns: number): string {
  const unit = ns >= 1e9 ? 's' : ns >= 1e6 ? 'ms' : ns >= 1e3 ? 'us' : 'ns';
  return `${Number((ns / UNIT_NS[unit]!).toFixed(3))} ${unit}`;
}
