/** The scripts of test/drill, one test each, named after the first line of the script. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultLines } from '../../../../src/drill/report-text.ts';
import { runScript } from '../../../../src/drill/runner.ts';
import { DEFAULT_SETTINGS } from '../../../../src/drill/settings.ts';

const DIRECTORY = 'test/drill';

const scripts = readdirSync(DIRECTORY)
  .filter(name => name.endsWith('.pkt'))
  .sort()
  .map(name => {
    const text = readFileSync(join(DIRECTORY, name), 'utf8');
    return { name, text, title: /^\/\/ (.*)\n/.exec(text)?.[1] ?? name };
  });

test('every row that a script shows stands in its name and in its first line', () => {
  expect(scripts.length).toBeGreaterThan(60);
  for (const { name, title } of scripts) {
    const [, rfc, row] = /^(\d{4})-(\d+)-/.exec(name) ?? [];
    if (rfc !== undefined) expect(title, name).toMatch(new RegExp(`^${rfc}-${Number(row)} `));
  }
});

describe('scripts', () => {
  test.each(scripts)('$title', ({ name, text }) => {
    const result = runScript(join(DIRECTORY, name), text, DEFAULT_SETTINGS);
    expect(result.verdict, resultLines(result).join('\n')).toBe('passed');
    expect(text).toContain('--strict');
  });
});
