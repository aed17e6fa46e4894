/** Writes `docs/datasheet`, or with `--check` tells whether it is what the declarations say: `npm run docs`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOOKS } from './books.ts';
import { type DatasheetFile, indexOf, pageOf } from './page.ts';

const DIRECTORY = fileURLToPath(new URL('../../docs/datasheet', import.meta.url));

function main(check: boolean): void {
  const files = [indexOf(BOOKS), ...BOOKS.flatMap(pageOf)];
  if (!check) write(files);
  else if (staleOf(files).length > 0) {
    process.stderr.write(`docs/datasheet is stale (npm run docs): ${staleOf(files).join(', ')}\n`);
    process.exitCode = 1;
  }
}

function write(files: readonly DatasheetFile[]): void {
  rmSync(DIRECTORY, { recursive: true, force: true });
  for (const { path, text } of files) {
    mkdirSync(dirname(join(DIRECTORY, path)), { recursive: true });
    writeFileSync(join(DIRECTORY, path), text);
  }
}

/** Files that are missing, differ, or should not be there. */
function staleOf(files: readonly DatasheetFile[]): string[] {
  const wanted = new Map(files.map(({ path, text }) => [path, text]));
  const present = existsSync(DIRECTORY)
    ? readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name).slice(DIRECTORY.length + 1))
    : [];
  const differs = (path: string) =>
    !present.includes(path) || readFileSync(join(DIRECTORY, path), 'utf8') !== wanted.get(path);
  return [...[...wanted.keys()].filter(differs), ...present.filter(path => !wanted.has(path))];
}

main(process.argv.includes('--check'));
