/** A program of a test that needs a process of its own, made of the sources as they are. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../../src/package-root.ts';

/** Returns the file to run with Node. Imports of `contents` are relative to the package's root. */
export async function bundleProgram(name: string, contents: string): Promise<string> {
  const outfile = join(packageRoot, '.vitest', `${name}.mjs`);
  await build({
    stdin: { contents, resolveDir: packageRoot, loader: 'ts' },
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' },
  });
  return outfile;
}
