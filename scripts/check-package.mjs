// Whether the package works for somebody who installs it: packs it, installs the tarball in an empty folder, runs the command
// line, an agent and a key-value write, a program that imports the four doors, and the examples of the pages. `npm run test:package`
//
// Needs a registry (or npm's cache) for the dependencies. The agent binds 127.0.21.9, or --address.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { address: { type: 'string', default: '127.0.21.9' } } });
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'heddle-package-'));

const program = `
import { Agent } from 'heddle';
import { RaftNode } from 'heddle/raft';
import { GossipNode } from 'heddle/gossip';
import { Cluster } from 'heddle/testing';
for (const door of [RaftNode, GossipNode]) if (typeof door !== 'function') throw new Error('a door is missing');
const agent = await Agent.start({ dev: true, anyPorts: true, given: { bind_addr: '${values.address}' } });
const answer = await fetch(agent.httpAddress + '/v1/kv/a', { method: 'PUT', body: 'b', headers: { connection: 'close' } });
console.log(await answer.text());
await agent.stop();
const cluster = await Cluster.simulate(3, { seed: 1 });
await cluster.put('a', 'simulated');
cluster.crash(await cluster.leader());
console.log((await cluster.get('a')).value);
`;

function run(command, ...words) {
  console.log(`$ ${[command, ...words].join(' ')}`);
  const env = { ...process.env, CONSUL_HTTP_ADDR: '', HEDDLE_HTTP_ADDR: `${values.address}:8500` };
  return execFileSync(command, words, {
    cwd: folder,
    encoding: 'utf8',
    env,
    timeout: 180_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function expect(what, text, wanted) {
  if (!wanted.test(text)) throw new Error(`${what}: ${JSON.stringify(text)} is not like ${wanted}`);
  console.log(`  ok: ${what}`);
}

/** An agent by npx, as a newcomer starts one; resolves when it runs. */
async function startAgent() {
  const words = ['heddle', 'agent', '-dev', `-bind=${values.address}`, `-client=${values.address}`];
  console.log(`$ npx ${words.join(' ')}`);
  // A group of its own: npx does not always hand a signal on.
  const child = spawn('npx', words, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let log = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      log += chunk;
      if (log.includes('agent running!')) resolve();
    });
    ended.then(() => reject(new Error(`the agent did not start:\n${log}`)));
  });
  return () => {
    process.kill(-child.pid, 'SIGINT');
    return ended;
  };
}

try {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{"name":"somebody","version":"1.0.0","type":"module"}');
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball}`);
  expect('the command line', run('npx', 'heddle', 'version'), /^Heddle v\d+\.\d+\.\d+\n/);
  const stopAgent = await startAgent();
  try {
    expect('a write', run('npx', 'heddle', 'kv', 'put', 'a', 'b'), /^Success! Data written to: a\n$/);
    expect('a read', run('npx', 'heddle', 'kv', 'get', 'a'), /^b\n$/);
  } finally {
    await stopAgent();
  }
  writeFileSync(join(folder, 'program.js'), program);
  expect('a program', run('node', 'program.js'), /^true\n+simulated\n$/);
  copyFileSync(join(root, 'examples/replicated-counter.mjs'), join(folder, 'counter.mjs'));
  expect('Raft alone, as on its page', run('node', 'counter.mjs'), /^back: 42$/m);
  // The example of the README, as somebody would paste it, with the vitest that this repository uses.
  const [, example] = /```ts\n(import { expect, it } from 'vitest';[\s\S]*?)```/.exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  );
  writeFileSync(join(folder, 'example.test.ts'), example);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/vitest/package.json'), 'utf8'));
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', '--save-dev', `vitest@${version}`);
  expect('the example of the README', run('npx', 'vitest', 'run', '--no-color'), /Tests {2}1 passed/);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
