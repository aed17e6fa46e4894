/**
 * Mistakes in the software of the machine: a driver that frees a buffer twice, a handler that throws. They stop this
 * one kernel (panic, and the hart halts); the simulation goes on. A broken invariant of Ringtail itself is not among
 * them: an InvariantError always passes through unchanged.
 */
import { InvariantError } from '../src/lib/assert.ts';

/** A mistake in kernel or driver code. Its message says who did what; `cause` keeps the original error, if any. */
export class KernelBug extends Error {
  override readonly name = 'KernelBug';
}

/** The KernelBug that says `error` came from `where`. Errors that already name their place stay as they are. */
export function blame(where: string, error: unknown): unknown {
  if (error instanceof KernelBug || error instanceof InvariantError) return error;
  return new KernelBug(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
