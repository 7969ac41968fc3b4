/**
 * Captures and sheets that lie beside the repository, not in it. Tests that read them skip, visibly, where they are not:
 * `describe.skipIf(reference('golden') === null)`.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The absolute path of a file or folder under `shared/reference/`, or null. */
export function reference(path: string): string | null {
  for (const up of ['..', '../..']) {
    const candidate = resolve(root, up, 'shared/reference', path);
    if (existsSync(candidate)) return candidate;
  }
  return null;
}
