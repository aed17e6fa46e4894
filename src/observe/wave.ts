/** Signals over a stretch of time, as data: what the writers of VCD, SVG and text draw. Times are nanoseconds. */

/**
 * - `clock`, `bit`: two levels;
 * - `bus`: a number with a text;
 * - `digits`: bits that are written, not drawn;
 * - `level`: a voltage, -1, 0 or 1.
 */
export type WaveKind = 'clock' | 'bit' | 'bus' | 'digits' | 'level';

/** What part of a frame a value belongs to. */
export type Field = 'preamble' | 'SFD' | 'DA' | 'SA' | 'type' | 'data' | 'FCS' | 'jam' | 'code';

/** The signal has this value from `atNs` on. */
export interface Change {
  readonly atNs: number;
  /** Null where nothing is known. */
  readonly value: number | null;
  /** How a person reads the value; empty where there is nothing to say. */
  readonly text: string;
  readonly field: Field | null;
}

export interface Wave {
  /** Where the signal is: `alice.eth0`, or the cable. */
  readonly scope: string;
  readonly name: string;
  readonly kind: WaveKind;
  /** Bits of the value. */
  readonly width: number;
  /** In the order of their time; the first is at the beginning of the window. */
  readonly changes: readonly Change[];
}

/** A signal between two of its changes, or the ends of what was asked for. */
export interface Segment extends Change {
  readonly toNs: number;
  /** False where the signal had the value already before. */
  readonly edge: boolean;
}

/** Collects the changes of a wave, in the order of their time. */
export class WaveBuilder {
  readonly #wave: Omit<Wave, 'changes'>;
  readonly #changes: Change[] = [];

  constructor(scope: string, name: string, kind: WaveKind, width = 1) {
    this.#wave = { scope, name, kind, width };
  }

  set(atNs: number, value: number | null, text = '', field: Field | null = null): this {
    this.#changes.push({ atNs, value, text, field });
    return this;
  }

  /** High during each of `intervals`, low between them. */
  pulses(intervals: readonly { readonly fromNs: number; readonly toNs: number }[]): this {
    for (const { fromNs, toNs } of intervals) this.set(fromNs, 1).set(toNs, 0);
    return this;
  }

  /** The wave from `fromNs` to `toNs`. Before the first change its value is `before`. */
  build(fromNs: number, toNs: number, before: number | null): Wave {
    const first: Change = { atNs: fromNs, value: before, text: '', field: null };
    const earlier = this.#changes.findLast(({ atNs }) => atNs <= fromNs);
    const inside = this.#changes.filter(({ atNs }) => atNs > fromNs && atNs < toNs);
    return { ...this.#wave, changes: [earlier === undefined ? first : { ...earlier, atNs: fromNs }, ...inside] };
  }
}

/** The pieces of `wave` between `fromNs` and `toNs`. */
export function segmentsOf({ changes }: Wave, fromNs: number, toNs: number): Segment[] {
  return changes.flatMap((change, i) => {
    const end = Math.min(changes[i + 1]?.atNs ?? toNs, toNs);
    const begin = Math.max(change.atNs, fromNs);
    return begin < end ? [{ ...change, atNs: begin, toNs: end, edge: i > 0 && change.atNs === begin }] : [];
  });
}
