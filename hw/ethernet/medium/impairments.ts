/** What a box in line does to the frames of one direction, in numbers: see {@link Impairment} in impairment.ts. */

/** Longest delay, and widest jitter: two seconds, more than any path on earth has. */
const MAX_DELAY_NS = 2_000_000_000;
/** Frames that may overtake one. */
const MAX_REORDER_DEPTH = 64;
/** As many as bring about three duplicate acknowledgments of TCP. */
const DEFAULT_REORDER_DEPTH = 3;

/** All rates are probabilities per frame, 0 to 1; what is left out does not happen. */
export interface Impairments {
  /** A frame is lost. */
  readonly loss?: number;
  /** A frame comes out twice. */
  readonly duplicate?: number;
  /** A frame is held back until `reorderDepth` others have overtaken it, or for 10 ms where not so many come. */
  readonly reorder?: number;
  /** 1 to 64; 3 unless given. */
  readonly reorderDepth?: number;
  /** One octet of the IPv4 packet in a frame becomes another one, and the FCS fits it. */
  readonly corrupt?: number;
  /** Time that every frame spends in the box, in whole nanoseconds, up to two seconds. */
  readonly delayNs?: number;
  /** More of it, drawn for each frame between nothing and this. Frames keep their order. */
  readonly jitterNs?: number;
  /** Frames that are lost by plan. */
  readonly lose?: PlannedLoss;
}

/** Loses single frames: the `nth` ones, counted from 1, among those `matching`, or among all. */
export interface PlannedLoss {
  readonly nth: readonly number[];
  /** Looks at a frame, DA to the last octet before the FCS, and changes nothing. It has no state. */
  matching?(octets: Uint8Array): boolean;
}

/** With a value for everything but the plan. */
export type CheckedImpairments = Required<Omit<Impairments, 'lose'>> & Pick<Impairments, 'lose'>;

const RATES = ['loss', 'duplicate', 'reorder', 'corrupt'] as const;
const DELAYS = ['delayNs', 'jitterNs'] as const;

/** The impairments with all that was left out. Throws a RangeError when they make no sense. */
export function checkImpairments(impairments: Impairments): CheckedImpairments {
  for (const name of RATES) {
    const rate = impairments[name] ?? 0;
    if (!(rate >= 0 && rate <= 1)) throw new RangeError(`${name} is a probability from 0 to 1, not ${rate}`);
  }
  for (const name of DELAYS) {
    const ns = impairments[name] ?? 0;
    if (!(Number.isInteger(ns) && ns >= 0 && ns <= MAX_DELAY_NS)) {
      throw new RangeError(`${name} is 0 to ${MAX_DELAY_NS} whole nanoseconds, not ${ns}`);
    }
  }
  const { reorderDepth = DEFAULT_REORDER_DEPTH, lose } = impairments;
  if (!(Number.isInteger(reorderDepth) && reorderDepth >= 1 && reorderDepth <= MAX_REORDER_DEPTH)) {
    throw new RangeError(`reorderDepth is 1 to ${MAX_REORDER_DEPTH} frames, not ${reorderDepth}`);
  }
  const wrong = lose?.nth.find(n => !(Number.isSafeInteger(n) && n >= 1));
  if (wrong !== undefined) throw new RangeError(`frames to lose are counted from 1, so none is number ${wrong}`);
  return {
    loss: 0,
    duplicate: 0,
    reorder: 0,
    corrupt: 0,
    delayNs: 0,
    jitterNs: 0,
    ...impairments,
    reorderDepth,
  };
}
