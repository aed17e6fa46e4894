/** The tests that claim rows: the IDs stand at the start of their titles, one or several, each followed by a space. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAMILIES } from './rows.ts';

export interface Claim {
  readonly id: string;
  /** From the root of the repository, with slashes. */
  readonly path: string;
  /** As in the source, without the quotes; `%s` and `${...}` stand for what a run puts there. */
  readonly title: string;
}

const names = FAMILIES.map(({ name }) => (name === 'sharp' ? 'sharp ' : `${name}-`)).join('|');
/** IDs at the start of a title, rows that nobody has heard of among them. */
const LEADING_ID = new RegExp(String.raw`^(?:${names})\d+\b`);
/** A string that is the first argument of a call and begins with an ID: the title of a test, or of a group of them. */
const TITLE = new RegExp(String.raw`\(\s*(['"\`])((?:${names})\d+ (?:\\.|(?!\1).)*)\1\s*,`, 'gs');

/** The IDs that `title` begins with. */
export function idsOf(title: string): string[] {
  const ids: string[] = [];
  for (let rest = title; ; rest = rest.slice(rest.indexOf(ids.at(-1)!) + ids.at(-1)!.length).trimStart()) {
    const [id] = LEADING_ID.exec(rest) ?? [];
    if (id === undefined) return ids;
    ids.push(id);
  }
}

/** The titles in `source` that claim a row. */
export const titlesIn = (source: string): string[] =>
  [...source.matchAll(TITLE)].map(([, , title]) => title!.replace(/\\(.)/gs, '$1'));

/** All claims of the test files below `root`, by path and then as they stand there. */
export function claimsBelow(root: string): Claim[] {
  const files = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
  return files.flatMap(path =>
    titlesIn(readFileSync(join(root, path), 'utf8')).flatMap(title => idsOf(title).map(id => ({ id, path, title }))),
  );
}
