/** The `ringtail` command, run to its end: what it prints, and how it ends. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { main } from '../../src/cli/main.ts';

const COMMAND = resolve('src/cli/ringtail.js');

export interface CommandOutcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As a process of its own, in `directory`, with nothing in the environment that asks for colours or against them. */
export function runProcess(directory: string, ...args: readonly string[]): CommandOutcome {
  const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, ...env } = process.env;
  const options = { cwd: directory, env, encoding: 'utf8', timeout: 30_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], options);
  return { status, stdout, stderr };
}

/** In this process, which is faster. One at a time: it listens to what the process prints. */
export async function runMain(...args: readonly string[]): Promise<CommandOutcome> {
  const printed = { stdout: '', stderr: '' };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((text: string) => {
      printed[name] += text;
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    const status = await main(['node', 'ringtail', ...args]);
    return { status, ...printed };
  } finally {
    for (const name of ['stdout', 'stderr'] as const) process[name].write = writes[name];
  }
}
