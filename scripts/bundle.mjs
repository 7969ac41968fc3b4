// Puts the compiled program into a few files. A start of the agent reads some 400 modules; finding and opening them costs
// more than running them. What is not needed to start (gRPC, metrics, single commands) stays in chunks of its own.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

/** Elsewhere for a test that wants the sources as they are: `node scripts/bundle.mjs OUTDIR`. */
const outdir = process.argv[2] ?? 'dist/bundle';
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: ['src/cli/entry.ts', 'src/proxy/host.ts'],
  outdir,
  entryNames: '[name]',
  // Beside the entries: the agent finds the sidecar host as its neighbour.
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
