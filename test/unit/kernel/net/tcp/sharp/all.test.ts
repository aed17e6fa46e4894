/** The forty sharp cases of TCP are each the title of a test, here or where a test showed the case already. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const CASES = 40;
const FOLDERS = ['test/unit/kernel/net', 'test/property/net'];

test('every sharp case from 1 to 40 has a test', () => {
  const titles = FOLDERS.flatMap(folder => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile() && entry.name.endsWith('.test.ts'))
    .flatMap(
      entry => readFileSync(join(entry.parentPath, entry.name), 'utf8').match(/['"`][^'"`\n]*\bsharp \d+ /g) ?? [],
    );
  const shown = new Set(titles.flatMap(title => [...title.matchAll(/\bsharp (\d+)/g)].map(([, n]) => Number(n))));
  expect([...shown].sort((a, b) => a - b)).toEqual(Array.from({ length: CASES }, (_, i) => i + 1));
});
