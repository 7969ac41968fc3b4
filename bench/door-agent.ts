/**
 * Reads over HTTP from a whole agent (Raft with one voter, LMDB, its door), by consistency, as a ratio to a bare `node:http`
 * responder that sends the same bytes, measured in the same run: what `default` (lease), `consistent` (ReadIndex) and
 * `stale` cost on top of a socket.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from '../src/index.ts';
import { startBareResponder } from './lib/bare-responder.ts';
import { cpuPerRequest } from './lib/cpu.ts';
import { runLoad } from './lib/load.ts';
import { RawClient } from './lib/raw-http.ts';
import { figure, printTable } from './lib/table.ts';

/** The usual ports on an address that nobody else uses. */
const host = '127.0.15.201';
const port = 8500;

async function serve(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const agent = await Agent.start({
    given: {
      node_name: 'bench',
      server: true,
      bootstrap_expect: 1,
      bind_addr: host,
      client_addr: host,
      data_dir: folder,
      limits: { http_max_conns_per_client: 0 },
    },
  });
  process.once('message', () => void agent.stop().then(() => process.exit(0)));
  process.send!('ready');
}

const reads: readonly [what: string, path: string][] = [
  ['kv, default', '/v1/kv/key'],
  ['kv, consistent', '/v1/kv/key?consistent'],
  ['kv, stale', '/v1/kv/key?stale'],
  ['health passing, default', '/v1/health/service/web?passing'],
  ['health passing, consistent', '/v1/health/service/web?passing&consistent'],
  ['health passing, stale', '/v1/health/service/web?passing&stale'],
  ['health passing, cached', '/v1/health/service/web?passing&cached'],
];

export async function benchAgentReads(): Promise<void> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--serve-agent'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await new Promise((resolve) => child.once('message', resolve));
  const client = await RawClient.open(host, port);
  await client.request({ method: 'PUT', path: '/v1/kv/key', body: 'x'.repeat(100) });
  for (let i = 0; i < 10; i++) {
    const body = JSON.stringify({
      Node: `n${i}`,
      Address: '10.0.0.1',
      Service: { Service: 'web', Port: 80 },
      Check: { Node: `n${i}`, Name: 'c', ServiceID: 'web', Status: 'passing' },
    });
    await client.request({ method: 'PUT', path: '/v1/catalog/register', body });
  }
  const rows: string[][] = [];
  for (const [what, path] of reads) {
    const { body } = await client.request({ method: 'GET', path });
    const bare = await startBareResponder(host, body.toString());
    const load = { clients: 16, seconds: 3, warmupMs: 500, request: { method: 'GET', path } };
    const ours = await cpuPerRequest(child.pid!, 1 / 6, () => runLoad({ ...load, targets: [`${host}:${port}`] }));
    const theirs = await cpuPerRequest(bare.pid, 1 / 6, () => runLoad({ ...load, targets: [bare.target] }));
    bare.stop();
    if (ours.result.errors > 0) throw new Error(`${what}: ${ours.result.firstError}`);
    rows.push([
      what,
      String(body.length),
      figure(ours.result.perSecond),
      ours.result.p99Ms.toFixed(2),
      figure(theirs.result.perSecond),
      (ours.result.perSecond / theirs.result.perSecond).toFixed(2),
      ours.cpuUs.toFixed(1),
      theirs.cpuUs.toFixed(1),
    ]);
  }
  const header = ['read', 'bytes', 'agent /s', 'p99 ms', 'bare /s', 'ratio', 'agent cpu µs', 'bare cpu µs'];
  printTable('Reads from an agent', header, rows);
  client.close();
  child.send('stop');
}

if (process.argv.includes('--serve-agent')) await serve();
