/**
 * `docs/acceptance.md`: writes it (`npm run docs`), with `--check` tells whether it is up to date, and with
 * `--report FILE` whether the run of which FILE is the test runner's JSON report has shown all that it says.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failuresOf, type Report } from './report.ts';
import { pageOf } from './table.ts';
import { claimsBelow } from './titles.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const PAGE = `${ROOT}/docs/acceptance.md`;

function main([mode, file]: readonly string[]): void {
  if (mode === '--report') tell(reportFailures(file!));
  else if (mode === '--check') {
    if (written() !== pageOf(claimsBelow(ROOT))) tell(['stale, run npm run docs: acceptance.md']);
  } else writeFileSync(PAGE, pageOf(claimsBelow(ROOT)));
}

function reportFailures(file: string): string[] {
  if (!existsSync(file)) return ['the test runner left no report'];
  return failuresOf(written(), JSON.parse(readFileSync(file, 'utf8')) as Report, ROOT);
}

const written = (): string => (existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '');

function tell(failures: readonly string[]): void {
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  if (failures.length > 0) process.exitCode = 1;
}

main(process.argv.slice(2));
