/**
 * Invariants. A guest's mistake is behaviour and ends in a status bit; a broken invariant is Ringtail's own mistake
 * and throws. Texts are short and unique, so that a report can be searched for.
 */

/** A broken invariant of Ringtail itself: never caused by anything that a guest, a frame or a file contains. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws an {@link InvariantError} with `text` unless `condition` holds. */
export function assert(condition: boolean, text: string): asserts condition {
  if (!condition) throw new InvariantError(text);
}
