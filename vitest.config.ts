import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: '.vitest',
  test: {
    include: ['test/**/*.test.ts', 'jepsen-like/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Waiting for what must become true; a busy machine may take its time.
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
