import { defineConfig } from 'vitest/config';

/**
 * Two projects: what needs nothing but Node runs in parallel; what runs real programs against the wall clock comes
 * after it, one file at a time, so that nothing slows it down.
 */
export default defineConfig({
  test: {
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 60_000,
    coverage: { provider: 'v8', include: ['hw/**', 'drivers/**', 'kernel/**', 'src/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'machine',
          include: ['test/{unit,property,model,golden}/**/*.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
