/**
 * The options of `ringtail live` that put boxes in line of the open wires: `--loss 5%`, or `--loss uplink:5%` for one of
 * several wires. They stand in the journal's header, so that a replay has the same boxes.
 */

import type { ImpairmentCounters } from '../../hw/ethernet/medium/impairment.ts';
import type { Impairments } from '../../hw/ethernet/medium/impairments.ts';
import type { JournalHeader } from '../bridge/journal.ts';
import { stationOn } from '../bridge/ports.ts';
import type { World } from '../world/world.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './usage-error.ts';

/** As the command line gives them: each time that one stands there, its value. */
export interface ImpairmentOptions {
  readonly loss?: readonly string[];
  readonly duplicate?: readonly string[];
  readonly reorder?: readonly string[];
  readonly corrupt?: readonly string[];
  readonly delay?: readonly string[];
  readonly jitter?: readonly string[];
}

/** By the wire's name; each holds for both directions. */
export type ImpairmentsByWire = Readonly<Record<string, Impairments>>;

/** What an option says, and how its value is read. */
const OPTIONS = {
  loss: { field: 'loss', parse: parseRate },
  duplicate: { field: 'duplicate', parse: parseRate },
  reorder: { field: 'reorder', parse: parseRate },
  corrupt: { field: 'corrupt', parse: parseRate },
  delay: { field: 'delayNs', parse: parseDuration },
  jitter: { field: 'jitterNs', parse: parseDuration },
} as const;
const NAMES = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];

/** What `options` say about each of `wires`, which are joined; null when they say nothing. Throws a UsageError. */
export function impairmentsOf(options: ImpairmentOptions, wires: readonly string[]): ImpairmentsByWire | null {
  const byWire: Record<string, Record<string, number>> = {};
  for (const name of NAMES) {
    const { field, parse } = OPTIONS[name];
    for (const text of options[name] ?? []) {
      const colon = text.lastIndexOf(':');
      const named = colon < 0 ? wires : [text.slice(0, colon)];
      const value = valueIn(name, text.slice(colon + 1), parse);
      for (const wire of named) {
        if (!wires.includes(wire)) throw new UsageError(`--${name} names the wire "${wire}", which no --wire opens`);
        byWire[wire] ??= {};
        const impairments = byWire[wire];
        if (field in impairments) throw new UsageError(`--${name} is given twice for the wire ${wire}`);
        impairments[field] = value;
      }
    }
  }
  return Object.keys(byWire).length === 0 ? null : byWire;
}

/** What the header of the journal at `path` says; null when it says nothing. Throws a UsageError. */
export function impairmentsIn({ options }: JournalHeader, path: string): ImpairmentsByWire | null {
  const { impairments = null } = options;
  const known: readonly string[] = NAMES.map(name => OPTIONS[name].field);
  const isOfWire = (value: unknown) =>
    isFields(value) && Object.entries(value).every(([field, n]) => known.includes(field) && typeof n === 'number');
  if (impairments === null) return null;
  if (isFields(impairments) && Object.values(impairments).every(isOfWire)) return impairments as ImpairmentsByWire;
  throw new UsageError(`${path}, line 1: the impairments make no sense`);
}

/** Puts the boxes in line. Throws a UsageError when a value makes no sense, and an Error when there is no such wire. */
export function impairWires(world: World, impairments: ImpairmentsByWire | null): void {
  for (const [wire, ofWire] of Object.entries(impairments ?? {})) {
    stationOn(world, wire);
    try {
      world.impair(wire, ofWire);
    } catch (error) {
      throw new UsageError(`wire ${wire}: ${(error as Error).message}`);
    }
  }
}

/** What the boxes have done, by wire and direction. */
export function impairmentCounters(
  world: World,
  impairments: ImpairmentsByWire,
): Readonly<Record<string, { readonly toPeer: ImpairmentCounters; readonly fromPeer: ImpairmentCounters }>> {
  const counted = Object.keys(impairments).map(name => {
    const { cable } = world.openWires.get(name)!;
    const [toPeer, fromPeer] = ([0, 1] as const).map(from => ({ ...cable.impairment(from)!.counters }));
    return [name, { toPeer, fromPeer }];
  });
  return Object.fromEntries(counted);
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A percentage or a fraction. */
function parseRate(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const rate = percent === '%' ? Number(number) / 100 : Number(number ?? Number.NaN);
  if (!(rate <= 1)) throw new RangeError(`a rate is a percentage or a fraction, such as 5% or 0.05; not "${text}"`);
  return rate;
}

function valueIn(name: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`--${name}: ${(error as Error).message}`);
  }
}
