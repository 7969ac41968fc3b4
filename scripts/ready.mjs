// Makes a checkout ready to run with nothing but Node and npm: installs when the lockfile asks for it, builds when a source
// is newer than the build. Says what it does and how long it took; prints nothing when there is nothing to do.
//
//   node scripts/ready.mjs            dependencies
//   node scripts/ready.mjs --build    dependencies and dist/
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Heddle needs Node 20.19 or newer; this is ${process.version}.\n`);
  process.exit(1);
}

/** Milliseconds since 1970 of the newest file below a folder; 0 when there is none. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(what, ...words) {
  process.stderr.write(`${what} …\n`);
  const started = Date.now();
  const { status, error } = spawnSync('npm', words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    process.stderr.write(
      `${what} failed${error ? `: ${error.message}` : ''}. The command was: npm ${words.join(' ')}\n`,
    );
    process.exit(1);
  }
  process.stderr.write(`${what}: done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

const installed = join(root, 'node_modules', '.package-lock.json');
if (newest(installed) < newest(join(root, 'package-lock.json'))) {
  // Not `npm ci`: it refuses a lockfile written where a registry lacks some platform's optional binary. `--no-save` installs
  // the locked versions all the same and leaves the lockfile alone.
  run('Installing dependencies', 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error');
}
if (process.argv.includes('--build')) {
  const sources = Math.max(
    ...['src', 'bench', 'jepsen-like', 'demo', 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
      newest(join(root, name)),
    ),
  );
  if (newest(join(root, 'dist', 'src')) < sources) run('Building', 'run', '--silent', 'build');
}
