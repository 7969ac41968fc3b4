/** The folder with package.json: sources run from `src/`, the build from `dist/src/`, and both find `proto/` and the version there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json not found above the sources: the installation is incomplete');
  return find(parent);
}

export const packageRoot = find(dirname(fileURLToPath(import.meta.url)));
