/** Makes a command fail when a program did in a run of it. The kernels outlive that, so the run goes on to its end. */
import type { World } from '../world/world.ts';
import { UsageError } from './usage-error.ts';

/** Throws a UsageError that names the first program that failed, if any did. */
export function throwProgramFailure(world: World): void {
  const [first, ...others] = world.failedPrograms();
  if (first === undefined) return;
  const more = others.length === 0 ? '' : ` (and ${others.map(({ computer }) => computer).join(', ')} too)`;
  const [line] = first.error.message.split('\n');
  throw new UsageError(`${first.computer}: program ${first.program} failed: ${line}${more}`);
}
