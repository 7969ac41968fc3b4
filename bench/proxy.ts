/**
 * What the built-in sidecars cost: one connection's throughput, and new connections a second, through two of them (client,
 * sidecar, mTLS, sidecar, application), against the same through two bare TCP proxies of a dozen lines, and against no proxy
 * at all. Every hop is a process of its own, all on this machine, measured in one run, so that the ratios mean something
 * where the figures do not. HAProxy is measured too where it is installed. On a busy machine trust the processor time a
 * connection took in the proxies (both hops together) rather than the rates.
 *
 *     npm run bench:proxy -- [SECONDS] [--host ADDRESS]
 */
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { createLogger, startSidecar } from '../src/proxy/index.ts';
import { type BenchIdentities, makeIdentities } from './proxy-identities.ts';

const self = fileURLToPath(import.meta.url);
const { seconds, host } = readCommandLine(
  {
    script: 'bench:proxy',
    about: 'What two built-in sidecars cost beside two bare TCP hops, no hop, and HAProxy where it is installed.',
    words: { usage: '[SECONDS]', help: 'each measurement (3)', most: 1, numbers: true },
    options: { host: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'all of it listens there' } },
  },
  ({ numbers: [seconds = 3], values }) => ({ seconds, host: values.host }),
);
const connectionsAtOnce = 16;
const chunk = Buffer.alloc(64 * 1024, 7);

/** A child's part; each tells its port (and the sidecars "ready") over IPC. */
const roles: Readonly<Record<string, (settings: Record<string, string>) => void>> = {
  /** Eats what comes and, at the end, answers with the count; a single byte is echoed at once. */
  sink: () => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      let bytes = 0;
      socket.on('error', () => {});
      socket.on('data', (data) => {
        bytes += data.length;
        if (bytes === 1) socket.write(data);
      });
      socket.on('end', () => socket.end(String(bytes)));
    });
    tellPort(server);
  },
  bare: ({ to }) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const far = connect({ port: Number(to), host, allowHalfOpen: true, noDelay: true });
      socket.on('error', () => far.destroy());
      far.on('error', () => socket.destroy());
      socket.pipe(far).pipe(socket);
    });
    tellPort(server);
  },
  sidecar: ({ agent, id }) => {
    const log = createLogger({
      name: id!,
      level: 'warn',
      json: false,
      write: (line) => process.stderr.write(line),
      nowMs: Date.now,
    });
    startSidecar(
      { agent: { address: agent! }, from: { proxyId: id! } },
      { log, onListening: () => process.send?.({ port: 0 }) },
    );
  },
};

function tellPort(server: Server): void {
  server.listen(0, host, 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

const children = new Set<ChildProcess>();

async function start(
  role: string,
  settings: Record<string, string> = {},
): Promise<{ port: number; child: ChildProcess }> {
  const child = fork(self, [String(seconds), '--host', host], {
    env: { ...process.env, ROLE: role, SETTINGS: JSON.stringify(settings) },
  });
  children.add(child);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { port: message.port, child };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Leaves {
  readonly roots: object;
  readonly db: object;
  readonly web: object;
}

const leavesOf = async (identities: BenchIdentities): Promise<Leaves> => ({
  roots: identities.roots,
  db: await identities.leaf('db'),
  web: await identities.leaf('web'),
});

/** The agent, as far as two sidecars ask it: every answer is there at once, and blocking questions wait for ever. */
function agentServer(identities: Leaves, ports: { db: number; upstream: number; sink: number }): HttpServer {
  const proxy = (service: string, port: number, upstreams: object[]) => ({
    Kind: 'connect-proxy',
    Address: host,
    Port: port,
    Proxy: {
      DestinationServiceName: service,
      LocalServiceAddress: host,
      LocalServicePort: ports.sink,
      Upstreams: upstreams,
    },
  });
  const upstream = { DestinationName: 'db', LocalBindAddress: host, LocalBindPort: ports.upstream };
  const answers: Record<string, unknown> = {
    '/v1/agent/service/db': proxy('db', ports.db, []),
    '/v1/agent/service/web': proxy('web', 0, [upstream]),
    '/v1/agent/connect/ca/roots': identities.roots,
    '/v1/agent/connect/ca/leaf/db': identities.db,
    '/v1/agent/connect/ca/leaf/web': identities.web,
    '/v1/connect/intentions/match': { db: [{ SourceName: 'web', DestinationName: 'db', Action: 'allow' }] },
    '/v1/health/connect/db': [
      {
        Node: { Node: 'bench', Address: host, Datacenter: 'dc1' },
        Service: {
          ID: 'db',
          Kind: 'connect-proxy',
          Address: host,
          Port: ports.db,
          Proxy: { DestinationServiceName: 'db' },
        },
      },
    ],
  };
  return createHttpServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://bench');
    if (url.searchParams.has('index') || url.searchParams.has('hash')) return;
    response.setHeader('X-Consul-Index', '7').setHeader('X-Consul-ContentHash', '7');
    response.setHeader('X-Consul-Default-Acl-Policy', 'deny').end(JSON.stringify(answers[url.pathname]));
  });
}

/** Megabytes a second that the far end counted, over one connection. */
async function throughput(port: number): Promise<number> {
  const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  const started = performance.now();
  const end = started + seconds * 1000;
  while (performance.now() < end) {
    // Many chunks between two looks at the clock: the client must not be the slow part.
    for (let i = 0; i < 16; i++) if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  let counted = '';
  for await (const data of socket) counted += String(data);
  const bytes = Number(counted.slice(counted.length > 0 && counted.charCodeAt(0) === 7 ? 1 : 0));
  return bytes / 1e6 / ((performance.now() - started) / 1000);
}

interface Rate {
  readonly connections: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** New connections a second: connect, send a byte, get it back, close; `connectionsAtOnce` of them at a time. */
async function connectionRate(port: number): Promise<Rate> {
  const end = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  const started = performance.now();
  const one = Buffer.from('x');
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const begun = performance.now();
      await ping(connect({ port, host, noDelay: true }), one);
      latencies.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: connectionsAtOnce }, worker));
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  const perSecond = latencies.length / ((performance.now() - started) / 1000);
  return { connections: latencies.length, perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function ping(socket: Socket, byte: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.once('data', () => socket.destroy());
    socket.write(byte);
  });
}

interface Row {
  readonly path: string;
  readonly megabytes: number;
  readonly rate: Rate;
  /** Processor milliseconds of all hops together, a connection; null where they are not ours to ask. */
  readonly cpuMs: number | null;
}

async function measure(path: string, port: number, hops: readonly ChildProcess[]): Promise<Row> {
  process.stderr.write(`measuring ${path}...\n`);
  await connectionRate(port); // warm: compiled code, tickets, pools
  const megabytes = await throughput(port);
  const before = await Promise.all(hops.map(usage));
  const rate = await connectionRate(port);
  const after = await Promise.all(hops.map(usage));
  const spent = after.reduce((sum, { cpuMs }, i) => sum + cpuMs - before[i]!.cpuMs, 0);
  return { path, megabytes, rate, cpuMs: hops.length === 0 ? null : spent / rate.connections };
}

interface Usage {
  readonly cpuMs: number;
  readonly rssMb: number;
}

async function usage(child: ChildProcess): Promise<Usage> {
  const answer = once(child, 'message') as Promise<[Usage]>;
  child.send('usage');
  return (await answer)[0];
}

function answerUsage(): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const answer: Usage = { cpuMs: (user + system) / 1000, rssMb: Math.round(process.memoryUsage.rss() / 1e6) };
    process.send?.(answer);
  });
}

/** Two plain HAProxy hops, or null where it is not installed. */
async function startHaproxy(to: number, folder: string): Promise<number | null> {
  if (spawnSync('haproxy', ['-v']).error !== undefined) return null;
  const [first, second] = [await freePort(), await freePort()];
  const hop = (name: string, from: number, target: number) =>
    `listen ${name}\n  bind ${host}:${from}\n  mode tcp\n  server s ${host}:${target}\n`;
  const file = join(folder, 'haproxy.cfg');
  const limits = 'defaults\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n';
  writeFileSync(file, `${limits}${hop('a', first, second)}${hop('b', second, to)}`);
  children.add(spawn('haproxy', ['-f', file], { stdio: 'ignore' }));
  await new Promise((resolve) => setTimeout(resolve, 500));
  return first;
}

function print(rows: readonly Row[], baseline: Row): void {
  const lines = rows.map(({ path, megabytes, rate, cpuMs }) =>
    [
      path.padEnd(34),
      `${megabytes.toFixed(0)} MB/s`.padStart(10),
      `${(megabytes / baseline.megabytes).toFixed(2)}`.padStart(7),
      `${rate.perSecond.toFixed(0)}/s`.padStart(10),
      `${(rate.perSecond / baseline.rate.perSecond).toFixed(2)}`.padStart(7),
      `${rate.p50Ms.toFixed(1)}/${rate.p99Ms.toFixed(1)} ms`.padStart(14),
      (cpuMs === null ? '' : `${cpuMs.toFixed(2)} ms`).padStart(10),
    ].join('  '),
  );
  const head = [
    'path'.padEnd(34),
    'one stream',
    '  ratio',
    ' new conns',
    '  ratio',
    ' open p50/p99',
    'cpu a conn',
  ].join('  ');
  process.stdout.write(`${head}\n${lines.join('\n')}\n(ratios to the two bare TCP hops)\n`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-proxy-'));
  try {
    const sink = await start('sink');
    const inner = await start('bare', { to: String(sink.port) });
    const outer = await start('bare', { to: String(inner.port) });
    const ports = { db: await freePort(), upstream: await freePort(), sink: sink.port };
    const agent = agentServer(await leavesOf(await makeIdentities()), ports).listen(0, host);
    await once(agent, 'listening');
    const address = `${host}:${(agent.address() as AddressInfo).port}`;
    const sidecars = [
      await start('sidecar', { agent: address, id: 'db' }),
      await start('sidecar', { agent: address, id: 'web' }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 500)); // endpoints arrive after the listener is up
    const haproxy = await startHaproxy(sink.port, folder);

    const direct = await measure('direct', sink.port, []);
    const baseline = await measure('two bare TCP hops', outer.port, [inner.child, outer.child]);
    const processes = sidecars.map(({ child }) => child);
    const mesh = await measure('two sidecars (mTLS, intentions)', ports.upstream, processes);
    const rows = [direct, baseline, mesh];
    if (haproxy !== null) rows.push(await measure('two HAProxy hops, plain TCP', haproxy, []));
    print(rows, baseline);
    for (const child of processes) {
      process.stdout.write(`sidecar process after the run: ${(await usage(child)).rssMb} MB\n`);
    }
    agent.closeAllConnections();
    agent.close();
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
}

const role = process.env.ROLE;
if (role === undefined) await main();
else {
  answerUsage();
  roles[role]?.(JSON.parse(process.env.SETTINGS ?? '{}') as Record<string, string>);
}
