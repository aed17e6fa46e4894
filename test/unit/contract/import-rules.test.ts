/**
 * Each import rule of .dependency-cruiser.cjs catches the one thing it is there for. A small tree keeps all of them;
 * each case adds one import that breaks one.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const { forbidden, options } = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs');

const FOLDERS = ['src', 'hw', 'drivers', 'kernel', 'test'];

const TREE: Readonly<Record<string, string>> = {
  'package.json': '{"type":"module","dependencies":{"rxjs":"7.8.2"},"devDependencies":{"vitest":"4.1.12"}}',
  'src/lib/leaf.ts': 'export const leaf = 1;',
  'src/world/world.ts': `import { nic } from '../../hw/nic.ts'; import 'rxjs'; export const world = nic;`,
  'src/bridge/live.ts': `import 'node:net'; import '../world/world.ts'; export const live = 1;`,
  'src/cli/main.ts': `import 'node:fs'; await import('../bridge/live.ts');`,
  'hw/clock.ts': `import { leaf } from '../src/lib/leaf.ts'; export const clock = leaf;`,
  'hw/nic.ts': `import './clock.ts'; export const nic = 1;`,
  'kernel/driver-api.ts': 'export type Driver = 1; export const code = 1;',
  'kernel/kernel.ts': `import '../src/lib/leaf.ts'; import './driver-api.ts'; export type Kernel = 1;`,
  'drivers/e1000.ts': `import type { Driver } from '../kernel/driver-api.ts'; export const e1000: Driver = 1;`,
  'test/a.test.ts': `import 'vitest'; import '../hw/nic.ts'; import './support.ts';`,
  'test/support.ts': 'export const support = 1;',
};

const CASES: readonly (readonly [rule: string, file: string, statement: string])[] = [
  ['hw-imports', 'hw/nic.ts', `import '../kernel/kernel.ts';`],
  ['hw-imports', 'hw/nic.ts', `import type { Kernel } from '../kernel/kernel.ts';`],
  ['hw-imports', 'hw/nic.ts', `import 'node:fs';`],
  ['hw-imports', 'hw/nic.ts', `import 'rxjs';`],
  ['drivers-imports', 'drivers/e1000.ts', `import '../hw/clock.ts';`],
  ['drivers-imports', 'drivers/e1000.ts', `import type { Kernel } from '../kernel/kernel.ts';`],
  ['driver-api-as-types', 'drivers/e1000.ts', `import { code } from '../kernel/driver-api.ts'; code;`],
  ['kernel-imports', 'kernel/kernel.ts', `import '../drivers/e1000.ts';`],
  ['kernel-imports', 'kernel/kernel.ts', `import type { nic } from '../hw/nic.ts';`],
  ['src-lib-imports', 'src/lib/leaf.ts', `import '../world/world.ts';`],
  ['src-lib-imports', 'src/lib/leaf.ts', `import 'node:fs';`],
  ['browser-without-node', 'src/world/world.ts', `import { readFileSync } from 'node:fs'; readFileSync;`],
  ['browser-without-node', 'src/world/world.ts', `import 'path';`],
  ['browser-without-cli-or-bridge', 'src/world/world.ts', `import type { live } from '../bridge/live.ts';`],
  ['nothing-imports-test', 'src/cli/main.ts', `import '../../test/support.ts';`],
  ['no-circular', 'hw/clock.ts', `import './nic.ts';`],
  ['resolvable', 'src/world/world.ts', `import './gone.ts';`],
  ['declared-packages', 'src/bridge/live.ts', `import 'vitest';`],
  ['declared-packages', 'src/bridge/live.ts', `import 'fast-check';`],
];

describe('the import rules', () => {
  let root = '';
  const put = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };

  /** The names of the rules that the tree breaks. */
  async function broken(): Promise<string[]> {
    const { output } = await cruise(
      FOLDERS,
      { ...options, baseDir: root, ruleSet: { forbidden }, validate: true },
      options.enhancedResolveOptions,
    );
    const { modules, summary } = output as ICruiseResult;
    expect(modules.length).toBeGreaterThanOrEqual(Object.keys(TREE).length - 1);
    return [...new Set(summary.violations.map(violation => violation.rule.name))];
  }

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'ringtail-imports-'));
    for (const [file, text] of Object.entries(TREE)) put(file, text);
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('are kept by the tree without a violation', async () => {
    expect(await broken()).toEqual([]);
  });

  it.each(CASES)('%s: %s may not say %s', async (rule, file, statement) => {
    put(file, `${statement}\n${TREE[file]}`);
    try {
      expect(await broken()).toContain(rule);
    } finally {
      put(file, TREE[file]!);
    }
  });

  it('have each been broken once', () => {
    const names = forbidden.map((rule: { readonly name: string }) => rule.name);
    expect(new Set(CASES.map(([rule]) => rule))).toEqual(new Set(names));
  });
});
