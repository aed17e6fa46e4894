/** Taste, as far as a machine can check it. What is not checked decays. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE_FOLDERS = ['src', 'hw', 'drivers', 'kernel'];
const MAX_LINES = 400;
const TOP_LEVEL_FOLDERS = ['docs', 'drivers', 'hw', 'kernel', 'src', 'test'];
/** Made by tools, and ignored by git. */
const GENERATED_FOLDERS = ['coverage', 'node_modules', 'out'];

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
const sources = SOURCE_FOLDERS.flatMap(filesIn).filter(path => /\.(ts|js|pl)$/.test(path));
const all = [...sources, ...filesIn('test').filter(path => path.endsWith('.ts'))];
/** A test says what it is by its own name and that of what it tests. */
const explained = all.filter(path => !path.endsWith('.test.ts'));

describe('the repository', () => {
  it('has no other folders at the top than these', () => {
    const folders = readdirSync('.', { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(entry => entry.name)
      .filter(name => !GENERATED_FOLDERS.includes(name) && !TOP_LEVEL_FOLDERS.includes(name));
    expect(folders).toEqual([]);
  });

  it('has a lockfile that names no registry, and belongs to its package.json', () => {
    const text = readFileSync('package-lock.json', 'utf8');
    expect(text).not.toContain('"resolved"');
    const locked = JSON.parse(text).packages[''];
    const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect([locked.dependencies, locked.devDependencies]).toEqual([dependencies, devDependencies]);
  });
});

describe('a source file', () => {
  it('is there to be looked at', () => {
    expect(sources.length).toBeGreaterThan(40);
  });

  it(`has at most ${MAX_LINES} lines`, () => {
    const long = sources
      .map(path => ({ path, lines: readFileSync(path, 'utf8').trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  it('begins with a comment that says what it is', () => {
    const bare = explained.filter(path => !/^(#!.*\n)?(\/\*\*?[\s*]+\S|\/\/ \S|# \S)/.test(readFileSync(path, 'utf8')));
    expect(bare).toEqual([]);
  });

  it('is named after a thing, in lower case with hyphens', () => {
    expect(all.filter(path => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|js|pl)$/.test(basename(path)))).toEqual([]);
    expect(all.filter(path => /(^|-)(utils?|helpers?|managers?|misc|common)(\.|-)/.test(basename(path)))).toEqual([]);
  });
});
