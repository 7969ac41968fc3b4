// Makes a fresh clone runnable: dependencies and build, only where they are missing or older than the sources.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { note, typed } from './terminal.mjs';

export function prepare(root) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node ${process.versions.node} is too old: Heddle needs 20.19 or newer`);
  }
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
    note('installing dependencies (once)');
    npm(root, ['ci', '--no-audit', '--no-fund']);
  }
  if (buildIsStale(root)) {
    note('building (once, and when sources change)');
    npm(root, ['run', 'build']);
  }
}

function npm(root, args) {
  typed(`npm ${args.join(' ')}`);
  const { status, error } = spawnSync('npm', args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
}

function buildIsStale(root) {
  const built = statSync(join(root, 'dist', 'src', 'cli', 'entry.js'), { throwIfNoEntry: false });
  if (built === undefined) return true;
  const sources = [join(root, 'package.json'), join(root, 'tsconfig.build.json'), ...filesUnder(join(root, 'src'))];
  return sources.some((file) => statSync(file).mtimeMs > built.mtimeMs);
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
