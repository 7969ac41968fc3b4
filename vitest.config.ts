import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: '.vitest',
  test: {
    include: ['test/**/*.test.ts', 'jepsen-like/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Waiting for what must become true; a busy machine may take its time.
    expect: { poll: { timeout: 20_000 } },
    // Some tests speak to real agents over real time; CI shares its machine. A test that fails three times has failed.
    retry: process.env.CI ? 2 : 0,
    pool: 'forks',
    maxWorkers: 2,
  },
});
