/** Writes what is generated in `docs/`, or with `--check` tells whether it is up to date: `npm run docs`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOOKS } from '../datasheet/books.ts';
import { indexOf, pageOf } from '../datasheet/page.ts';
import webJourney, { type WebJourneyResult } from '../scenarios/web-journey.ts';
import { World } from '../world/world.ts';
import { collisionPictures } from './docs-collisions.ts';
import { journey } from './tour/journey.ts';
import { terminalSvg } from './tour/picture.ts';
import { Recording } from './tour/recording.ts';
import { tell } from './tour/tell.ts';

/** A generated file: its path below `docs`, and what is in it. */
interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
/** Folders in which everything is generated. */
const FOLDERS = ['datasheet', 'pictures'];

const PICTURE_COLUMNS = 116;
/** The picture in the README shows the steps of the tour from the first of these up to the other. */
const PICTURE_STEPS = ['The driver fills in a descriptor', 'The sender gets its buffer back'] as const;

function main(check: boolean): void {
  const files = [...datasheet(), tourPicture(), ...collisionPictures()];
  if (!check) {
    write(files);
    return;
  }
  const stale = staleOf(files);
  if (stale.length === 0) return;
  process.stderr.write(`stale, run npm run docs: ${stale.join(', ')}\n`);
  process.exitCode = 1;
}

function datasheet(): GeneratedFile[] {
  const files = [indexOf(BOOKS), ...BOOKS.flatMap(pageOf)];
  return files.map(({ path, text }) => ({ path: `datasheet/${path}`, text }));
}

/** A few steps of the tour as they look on a terminal. */
function tourPicture(): GeneratedFile {
  const world = new World('1');
  const run = webJourney.build(world);
  const recording = new Recording(world);
  world.run(webJourney.untilNs);
  const lines: string[] = [];
  tell(line => lines.push(line), journey(recording), run.result() as WebJourneyResult, [], true);
  const [from, to] = PICTURE_STEPS.map(title => lines.findIndex(line => line.includes(title))) as [number, number];
  return { path: 'pictures/tour.svg', text: terminalSvg(lines.slice(from, to - 1), PICTURE_COLUMNS) };
}

function write(files: readonly GeneratedFile[]): void {
  for (const folder of FOLDERS) rmSync(join(DOCS, folder), { recursive: true, force: true });
  for (const { path, text } of files) {
    mkdirSync(dirname(join(DOCS, path)), { recursive: true });
    writeFileSync(join(DOCS, path), text);
  }
}

/** Files that are missing, differ, or should not be there. */
function staleOf(files: readonly GeneratedFile[]): string[] {
  const wanted = new Map(files.map(({ path, text }) => [path, text]));
  const present = new Set(FOLDERS.flatMap(filesIn));
  const differs = (path: string) => !present.has(path) || readFileSync(join(DOCS, path), 'utf8') !== wanted.get(path);
  return [...[...wanted.keys()].filter(differs), ...[...present].filter(path => !wanted.has(path))];
}

function filesIn(folder: string): string[] {
  const root = join(DOCS, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(DOCS.length + 1));
}

main(process.argv.includes('--check'));
