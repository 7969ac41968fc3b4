/**
 * What the HTTP door costs: reads of the API over a store in memory, as a ratio to a bare `node:http` responder that sends
 * the same bytes, measured in the same run. No Raft, no gossip, no disk: only request in, query, answer out.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { backendRoutes, ConnectionLimit, Door, doorDefaults, serveHttp } from '../src/api/http/index.ts';
import { noSnapshots, TestBackend } from '../test/support/backend.ts';
import { benchAgentReads } from './door-agent.ts';
import { startBareResponder } from './lib/bare-responder.ts';
import { cpuPerRequest } from './lib/cpu.ts';
import { runLoad } from './lib/load.ts';
import { RawClient } from './lib/raw-http.ts';
import { figure, printTable } from './lib/table.ts';

const host = '127.0.0.1';

async function serve(): Promise<void> {
  const backend = new TestBackend();
  const caller = { token: '', address: '', call: 'bench', datacenter: '' };
  for (const [name, count] of [
    ['one', 1],
    ['ten', 10],
    ['hundred', 100],
  ] as const) {
    for (let i = 0; i < count; i++) await backend.apply('catalog.register', registration(`${name}-${i}`, name), caller);
  }
  await backend.apply('kv.set', { Key: 'key', Value: new Uint8Array(100), Flags: 0 }, caller);
  const { routes } = backendRoutes({ backend, snapshots: noSnapshots });
  const log = { error: (fields: object, text: string) => console.error(text, fields), debug: () => undefined };
  const server = await serveHttp(new Door(routes, doorDefaults, log), new ConnectionLimit(0), { host, port: 0 });
  process.send!(server.address.port);
}

function registration(node: string, service: string): Parameters<TestBackend['apply']>[1] & never {
  const check = { Node: node, Name: 'alive', ServiceID: service, Status: 'passing' };
  const empty = { Notes: '', Output: '', ServiceName: '', ServiceTags: null, Type: '', Interval: '', Timeout: '' };
  const indexes = { CreateIndex: 0, ModifyIndex: 0 };
  return {
    Datacenter: '',
    ID: '',
    Node: node,
    Address: '10.0.0.1',
    TaggedAddresses: { lan: '10.0.0.1', wan: '10.0.0.1' },
    NodeMeta: { rack: 'r1' },
    Service: {
      Kind: '',
      ID: service,
      Service: service,
      Tags: ['v1'],
      Address: '10.0.0.2',
      TaggedAddresses: null,
      Meta: { version: '1' },
      Port: 8080,
      SocketPath: '',
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Proxy: null,
      Connect: null,
      ...indexes,
    },
    Check: { ...check, ...empty, CheckID: 'alive', ExposedPort: 0, Definition: {}, ...indexes },
    Checks: null,
    SkipNodeUpdate: false,
  } as never;
}

const reads: readonly [what: string, path: string][] = [
  ['status/leader', '/v1/status/leader'],
  ['kv, one key', '/v1/kv/key'],
  ['health, 1 instance', '/v1/health/service/one'],
  ['health, 10, passing', '/v1/health/service/ten?passing'],
  ['health, 100, passing', '/v1/health/service/hundred?passing'],
  ['health, 100, filter', `/v1/health/service/hundred?filter=${encodeURIComponent('Service.Port == 8080')}`],
  ['catalog, 100', '/v1/catalog/service/hundred'],
];

async function benchStoreReads(): Promise<void> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--serve-store'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number)));
  const client = await RawClient.open(host, port);
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
      figure(theirs.result.perSecond),
      (ours.result.perSecond / theirs.result.perSecond).toFixed(2),
      ours.cpuUs.toFixed(1),
      theirs.cpuUs.toFixed(1),
    ]);
  }
  printTable('HTTP door', ['read', 'bytes', 'door /s', 'bare /s', 'ratio', 'door cpu µs', 'bare cpu µs'], rows);
  client.close();
  child.kill();
}

if (process.argv.includes('--serve-store')) await serve();
else {
  const parts = readCommandLine(
    {
      script: 'bench:door',
      about: 'Reads over HTTP beside a bare node:http responder: from a store in memory, and from a whole agent.',
      words: { usage: '[store] [agent]', help: 'these parts (both)', most: 2, names: ['store', 'agent'] },
    },
    ({ names }) => names,
  );
  if (parts.length === 0 || parts.includes('store')) await benchStoreReads();
  if (parts.length === 0 || parts.includes('agent')) await benchAgentReads();
}
