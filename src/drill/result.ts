/** What running a script came to, and how it is told. */
import type { Position, ScriptEvent } from './script.ts';

/** `invalid`: it is no script. `unsupported`: it asks for what there is not, and was not run. */
export type Verdict = 'passed' | 'failed' | 'unsupported' | 'invalid';

/** Something that is wrong: the script as it stands there, what is wrong, and what was expected and seen. */
export interface Problem {
  readonly at: Position;
  readonly text: string;
  /** The event's own lines, or null. */
  readonly source: string | null;
  /** `expected` and `actual`, or other particulars: name and text. */
  readonly details: readonly (readonly [string, string])[];
}

export interface ScriptResult {
  readonly path: string;
  readonly verdict: Verdict;
  /** One for a failure, each place for what is not supported. */
  readonly problems: readonly Problem[];
  /** What a reader should know though nothing is wrong, and what the script has printed. */
  readonly notes: readonly string[];
  readonly eventCount: number;
  readonly packetCount: number;
  /** How long the script took, in its own time. */
  readonly virtualTimeNs: number;
}

/** Thrown inside of a run: the script ends here. */
export class DrillFailure extends Error {
  override readonly name = 'DrillFailure';
  readonly details: readonly (readonly [string, string])[];
  /** The event that has failed, where it is another than the one at hand. */
  readonly event: ScriptEvent | null;

  constructor(text: string, details: readonly (readonly [string, string])[] = [], event: ScriptEvent | null = null) {
    super(text);
    this.details = details;
    this.event = event;
  }
}

/** Who watches a run. */
export interface RunObserver {
  /** A line for each thing that happens. */
  line?(text: string): void;
  /** Every frame, with its time since power-on. */
  frame?(timeNs: number, direction: 'in' | 'out', bytes: Uint8Array): void;
}

/** Seconds since the script began, as scripts write them: `0.100000`. */
export function secondsText(ns: number): string {
  const text = (ns / 1e9).toFixed(9);
  return text.endsWith('000') ? text.slice(0, -3) : text;
}
