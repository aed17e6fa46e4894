/**
 * Every property runs from one seed, so that a run can be repeated: RINGTAIL_SEED gives another one, and
 * RINGTAIL_RUNS multiplies the number of cases. fast-check prints seed and path with each counterexample.
 */
import fc from 'fast-check';

const DEFAULT_SEED = 82_540;

fc.configureGlobal({
  seed: Number(process.env['RINGTAIL_SEED'] ?? DEFAULT_SEED),
  numRuns: 100 * Number(process.env['RINGTAIL_RUNS'] ?? 1),
});
