/**
 * Tests against programs that a machine may not have. A missing program skips the tests and says why in their name;
 * with RINGTAIL_REQUIRE=all it fails them instead, which is how the full run makes sure that nothing was left out.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

type Describe = (name: string, body: () => void) => void;

/** A `describe` whose tests need every program in `tools` on the PATH: `requireTool('tshark')('reads ...', () => …)`. */
export function requireTool(...tools: readonly string[]): Describe {
  const missing = tools.filter(tool => !onPath(tool));
  return requirement(
    tools.join(' and '),
    missing.length === 0 ? null : `${missing.join(' and ')} not found on the PATH`,
  );
}

/** A `describe` whose tests need `what`; `reason` says why it is not to be had, and is null when it is. */
export function requirement(what: string, reason: string | null): Describe {
  if (reason === null) return (name, body) => describe(name, body);
  if (process.env['RINGTAIL_REQUIRE'] !== 'all') {
    return (name, body) => describe.skip(`${name} [skipped: ${reason}]`, body);
  }
  return name =>
    describe(name, () => {
      it(`needs ${what}`, () => {
        throw new Error(`${reason}, and RINGTAIL_REQUIRE=all forbids skipping`);
      });
    });
}

function onPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
