import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'node_modules/**'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 60_000,
    coverage: { provider: 'v8', include: ['hw/**', 'drivers/**', 'kernel/**', 'src/**'] },
  },
});
