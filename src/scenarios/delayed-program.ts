/** A program that begins later: when links are up, or when another one has come to an end. */
import type { Program } from '../../kernel/task.ts';

/** `program`, begun that much later. */
export function after(delayNs: number, program: Program): Program {
  return function* (sys) {
    yield* sys.sleep(delayNs);
    yield* program(sys);
  };
}
