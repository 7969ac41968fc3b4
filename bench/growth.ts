/**
 * What the size of the state costs: the same measurements with 10,000, 100,000 and 1,000,000 keys of 64 bytes, on three servers
 * with real fsync, beside etcd. Ratios are to the smallest size (does it grow?) and to etcd at the same size.
 *
 *   npm run bench:growth                        all three sizes, some five minutes
 *   npm run bench:growth -- 10000 100000        these sizes, ascending
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { etcdPutMany, startEtcd } from './lib/etcd.ts';
import { runLoad } from './lib/load.ts';
import { residentParts, which } from './lib/processes.ts';
import { RawClient, type RawRequest } from './lib/raw-http.ts';
import { figure, printTable, ratio } from './lib/table.ts';
import { etcdPut, heddlePut } from './lib/writes.ts';

const sizes = readCommandLine(
  {
    script: 'bench:growth',
    about: 'What the size of the state costs: latency, restart, checkpoint and memory, beside etcd.',
    words: {
      usage: '[KEYS…]',
      help: 'sizes, ascending (10000 100000 1000000: some five minutes)',
      most: 9,
      numbers: true,
    },
    environment: {
      BENCH_SECONDS: 'how long each load lasts (3)',
      BENCH_SUBNET: 'where the servers listen (127.0.35)',
    },
  },
  ({ numbers }) => (numbers.length > 0 ? numbers : [10_000, 100_000, 1_000_000]),
);
const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const subnet = process.env.BENCH_SUBNET ?? '127.0.35';
const value = 'x'.repeat(64);
const flags = [
  '-log-level=info',
  '-hcl=limits { http_max_conns_per_client = 0 }',
  '-hcl=raft_snapshot_threshold = 16384',
  // A follower that begins again empty is a voter again soon after it has everything.
  '-hcl=autopilot { server_stabilization_time = "1s" }',
];

interface Row {
  readonly keys: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  readonly killedMs: number;
  readonly stoppedMs: number;
  readonly checkpointMs: number;
  /** Saving the whole state over HTTP, as an operator does. */
  readonly saveMs: number;
  /** An empty follower, from its start until it answers with the newest write. */
  readonly installMs: number;
  readonly loopMs: number;
  readonly ownMiB: number;
  readonly filesMiB: number;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function writesOn(target: string, request: RawRequest): Promise<Pick<Row, 'p50Ms' | 'p99Ms' | 'perSecond'>> {
  const one = await runLoad({ targets: [target], clients: 1, seconds, warmupMs: 500, request });
  const many = await runLoad({ targets: [target], clients: 64, seconds, warmupMs: 500, request });
  if (one.errors + many.errors > 0) throw new Error(one.firstError || many.firstError);
  return { p50Ms: one.p50Ms, p99Ms: one.p99Ms, perSecond: many.perSecond };
}

/** Until the server answers from its own state with what was written last, ms. */
async function untilReady(cluster: ProcessCluster, server: number, start: number, marker: string): Promise<number> {
  for (;;) {
    const answer = await cluster.ask(server, 'GET', '/v1/kv/marker?stale&raw').catch(() => undefined);
    if (answer?.status === 200 && answer.body === marker) return performance.now() - start;
    if (performance.now() - start > 120_000) throw new Error(`server ${server} is not ready. Logs: ${cluster.folder}`);
    await delay(5);
  }
}

async function restarted(cluster: ProcessCluster, server: number, how: 'kill' | 'terminate'): Promise<number> {
  const marker = `${how}-${performance.now()}`;
  const leader = (await cluster.leader())!;
  await cluster.ask(leader, 'PUT', '/v1/kv/marker', marker);
  await delay(500);
  await cluster[how](server);
  const start = performance.now();
  cluster.launch(server);
  return untilReady(cluster, server, start, marker);
}

/** Reads all of an answer; ms. */
async function download(url: string, method: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(url, method === 'POST' ? { method, body: '{}' } : { method });
  let bytes = 0;
  for await (const piece of response.body ?? []) bytes += (piece as Uint8Array).length;
  if (response.status !== 200 || bytes === 0) throw new Error(`${url}: ${response.status}, ${bytes} bytes`);
  return performance.now() - start;
}

/** A follower loses its disk: it is taken out, begins again empty, and gets a checkpoint. */
async function reinstalled(cluster: ProcessCluster, server: number): Promise<number> {
  const marker = `install-${performance.now()}`;
  const leader = (await cluster.leader())!;
  const removal = `/v1/operator/raft/peer?address=${cluster.advertised(server)}:8300`;
  // Dead before it is taken out: a living server would be taken in again at once.
  await cluster.kill(server);
  const { status, body } = await cluster.ask(leader, 'DELETE', removal);
  if (status !== 200) throw new Error(body);
  cluster.wipe(server);
  await cluster.ask(leader, 'PUT', '/v1/kv/marker', marker);
  const start = performance.now();
  cluster.launch(server);
  const took = await untilReady(cluster, server, start, marker);
  for (;;) {
    const answer = await cluster.ask(leader, 'GET', '/v1/operator/raft/configuration');
    const { Servers } = JSON.parse(answer.body) as { Servers: { Voter: boolean }[] };
    if (Servers.filter(({ Voter }) => Voter).length === cluster.size) return took;
    if (performance.now() - start > 120_000) throw new Error(`server ${server} is no voter. Logs: ${cluster.folder}`);
    await delay(100);
  }
}

/** From the server's log: how long its newest checkpoint took, ms. */
function newestCheckpointMs(cluster: ProcessCluster, server: number): number {
  const lines = readFileSync(cluster.logFile(server), 'utf8').match(/checkpoint made: .*\bms=(\d+)/g) ?? [];
  return Number(/ms=(\d+)/.exec(lines.at(-1) ?? '')?.[1] ?? Number.NaN);
}

/** The longest time that the event loop was held in the interval before, as the server measured it, ms. */
async function loopDelayMs(cluster: ProcessCluster, server: number): Promise<number> {
  const { body } = await cluster.ask(server, 'GET', '/v1/agent/metrics');
  const { Samples } = JSON.parse(body) as { Samples: { Name: string; Max: number }[] };
  return Samples.find(({ Name }) => Name.endsWith('runtime.event_loop_delay_ms'))?.Max ?? Number.NaN;
}

async function heddle(): Promise<Row[]> {
  const cluster = await ProcessCluster.start({ size: 3, subnet, flags });
  const rows: Row[] = [];
  try {
    let filled = 0;
    for (const keys of sizes) {
      const leader = (await cluster.leader())!;
      const target = cluster.target(leader);
      say(`heddle: filling up to ${figure(keys)} keys`);
      const fill = { targets: [target], clients: 512, seconds: 3_600, requests: keys - filled, warmupMs: 0 };
      // Every request its own key; while it fills, the loop's delay is watched.
      let loopMs = 0;
      const watching = setInterval(() => {
        loopDelayMs(cluster, leader).then(
          (ms) => {
            if (ms > loopMs) loopMs = ms;
          },
          () => undefined, // busy: the next one tells
        );
      }, 5_000);
      const path = `/v1/kv/keys/${keys}/{client}/{n}`;
      const { errors, firstError } = await runLoad({ ...fill, request: { method: 'PUT', path, body: value } });
      clearInterval(watching);
      if (errors > 0) throw new Error(firstError);
      filled = keys;
      say(`heddle: measuring at ${figure(keys)} keys`);
      const writes = await writesOn(target, heddlePut);
      const follower = [0, 1, 2].find((server) => server !== leader)!;
      const { own, files } = residentParts(cluster.pid(leader));
      const killedMs = await restarted(cluster, follower, 'kill');
      const stoppedMs = await restarted(cluster, follower, 'terminate');
      const checkpointMs = newestCheckpointMs(cluster, leader);
      const saveMs = await download(`http://${target}/v1/snapshot`, 'GET');
      const installMs = await reinstalled(cluster, follower);
      const times = { killedMs, stoppedMs, checkpointMs, saveMs, installMs, loopMs };
      rows.push({ keys, ...writes, ...times, ownMiB: own, filesMiB: files });
    }
  } finally {
    cluster.stop();
  }
  return rows;
}

async function etcd(): Promise<Row[]> {
  const peer = await startEtcd(3);
  const rows: Row[] = [];
  try {
    let filled = 0;
    for (const keys of sizes) {
      say(`etcd: filling up to ${figure(keys)} keys`);
      const [host, port] = peer.targets[0]!.split(':') as [string, string];
      const clients = await Promise.all(Array.from({ length: 16 }, () => RawClient.open(host, Number(port))));
      await Promise.all(
        clients.map(async (client) => {
          while (filled < keys) {
            const from = filled;
            filled = Math.min(keys, filled + 100);
            const names = Array.from({ length: filled - from }, (_, i) => `keys/${from + i}`);
            const { status, body } = await client.request(etcdPutMany(names, value));
            if (status !== 200) throw new Error(body.toString());
          }
        }),
      );
      for (const client of clients) client.close();
      say(`etcd: measuring at ${figure(keys)} keys`);
      const writes = await writesOn(peer.targets[0]!, etcdPut);
      const { own, files } = residentParts(peer.pids[0]!);
      const killedMs = await peer.restart(1);
      const saveMs = await download(`http://${peer.targets[0]}/v3/maintenance/snapshot`, 'POST');
      const none = { stoppedMs: Number.NaN, checkpointMs: Number.NaN, installMs: Number.NaN, loopMs: Number.NaN };
      rows.push({ keys, ...writes, killedMs, saveMs, ...none, ownMiB: own, filesMiB: files });
    }
  } finally {
    peer.stop();
  }
  return rows;
}

const cells = (name: string, row: Row, first: Row, peer: Row | undefined): string[] => [
  name,
  figure(row.keys),
  figure(row.p50Ms, 2),
  figure(row.p99Ms, 2),
  figure(row.perSecond),
  ratio(row.perSecond, first.perSecond),
  peer === undefined ? '' : ratio(row.perSecond, peer.perSecond),
  figure(row.killedMs),
  peer === undefined ? '' : ratio(row.killedMs, peer.killedMs),
  figure(row.stoppedMs),
  figure(row.checkpointMs),
  figure(row.saveMs),
  peer === undefined ? '' : ratio(row.saveMs, peer.saveMs),
  figure(row.installMs),
  figure(row.loopMs),
  figure(row.ownMiB),
  figure(row.filesMiB),
  peer === undefined ? '' : ratio(row.ownMiB, peer.ownMiB),
];

const mine = await heddle();
const withEtcd = which('etcd') !== undefined;
if (!withEtcd) say('etcd is not installed: no peer to compare with');
const peers = withEtcd ? await etcd() : [];
printTable(
  'Growth with the size of the state: three servers, real fsync, 64-byte values',
  [
    ...[
      'server',
      'keys',
      'p50 ms',
      'p99 ms',
      'writes/s (64)',
      'to smallest',
      'to etcd',
      'ready after -9 ms',
      'to etcd',
    ],
    ...[
      'after stop ms',
      'checkpoint ms',
      'saved ms',
      'to etcd',
      'install ms',
      'loop held ms',
      'own MiB',
      'file MiB',
      'own to etcd',
    ],
  ],
  [
    ...peers.map((row) => cells('etcd', row, peers[0]!, undefined)),
    ...mine.map((row, i) => cells('heddle', row, mine[0]!, peers[i])),
  ],
);
process.stdout.write(
  '\np50, p99: one client. Saved: the snapshot read over HTTP. Install: an empty follower, from its start until it answers. Ready: the process answers from its state with the newest write. File MiB: pages of files in memory.\n',
);
