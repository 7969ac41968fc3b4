// A real PostgreSQL server where one is installed, run as somebody without rights; else PGlite, which speaks the same protocol.
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Process, run } from './processes.mjs';

/** The folder with initdb and postgres, or null. */
function findPostgres() {
  const versions = '/usr/lib/postgresql';
  const debian = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : [];
  const folders = [...debian, ...(process.env.PATH ?? '').split(':')];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null;
}

export async function startPostgres({ folder, port, demo }) {
  const asked = process.env.HEDDLE_DEMO_PGLITE === '1';
  const why = asked ? 'asked for by HEDDLE_DEMO_PGLITE=1' : 'no PostgreSQL server is installed here';
  const bin = asked ? null : findPostgres();
  if (bin === null) {
    const server = new Process('postgresql (PGlite)', process.execPath, [join(demo, 'services', 'pglite.mjs')], {
      env: { PORT: String(port) },
    });
    await answering(server, port);
    return { server, kind: `PGlite (${why})` };
  }
  const data = join(folder, 'postgresql');
  mkdirSync(data, { mode: 0o700 });
  const user = unprivileged();
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid);
  const options = { ...user, cwd: data };
  const init = await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...options, ms: 60_000 },
  );
  if (init.code !== 0) throw new Error(`initdb failed:\n${init.output}`);
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'].flatMap((each) => [
    '-c',
    each,
  ]);
  const server = new Process(
    'postgresql',
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...settings],
    options,
  );
  await answering(server, port);
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return { server, kind: stdout.trim() };
}

/** PostgreSQL refuses to run as root: then it gets the user it was installed with, or nobody. */
function unprivileged() {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user === undefined) throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

async function answering(server, port) {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; ) {
    if (server.exitCode !== null) break;
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${server.name} did not come up:\n${server.text}`);
}
