/**
 * A paired benchmark: the variants take turns in short rounds, so that a slow moment of the machine strikes all of
 * them, and the least time per operation of each is compared. Ratios are worth quoting; absolute times are not.
 */
import { performance } from 'node:perf_hooks';

/** `run` does `operations` operations. */
export interface Variant {
  readonly name: string;
  readonly operations: number;
  run(): void;
}

export interface Measured {
  readonly name: string;
  /** Least nanoseconds per operation over all rounds. */
  readonly nsPerOperation: number;
}

const WARM_UP_ROUNDS = 5;

/** Interleaves the variants for `rounds` rounds each. */
export function measurePaired(variants: readonly Variant[], rounds: number): Measured[] {
  const least = variants.map(() => Number.POSITIVE_INFINITY);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    variants.forEach((variant, i) => {
      const startMs = performance.now();
      variant.run();
      const ns = ((performance.now() - startMs) * 1e6) / variant.operations;
      if (round >= 0) least[i] = Math.min(least[i]!, ns);
    });
  }
  return variants.map((variant, i) => ({ name: variant.name, nsPerOperation: least[i]! }));
}
