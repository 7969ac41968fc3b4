/**
 * Replicated writes and reads, side by side with etcd: three servers each, on loopback, real fsync, closed-loop clients
 * over HTTP with keep-alive, one load generator for both.
 *
 *   npm run bench:replication            all
 *   npm run bench:replication -- writes  one part: writes, reads
 *   npm run bench:replication -- writes 64 512  with these numbers of clients only
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { startBareResponder } from './lib/bare-responder.ts';
import { type PeerCluster, startEtcd } from './lib/etcd.ts';
import { type Load, type LoadResult, runLoad } from './lib/load.ts';
import { cpuSeconds, residentParts, which } from './lib/processes.ts';
import type { RawRequest } from './lib/raw-http.ts';
import { figure, printTable, ratio } from './lib/table.ts';
import { etcdGrpcPut, etcdPut, heddlePut } from './lib/writes.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 6);
const warmSeconds = Number(process.env.BENCH_WARM_SECONDS ?? 8);
const value = 'x'.repeat(64);
const { parts, clientCounts } = readCommandLine(
  {
    script: 'bench:replication',
    about: 'Replicated writes and reads of three servers, beside a three-node etcd on the same machine.',
    words: {
      usage: '[writes] [reads] [CLIENTS…]',
      help: 'these parts (both), with these numbers of clients (1 64 512)',
      most: 9,
      names: ['writes', 'reads'],
      numbers: true,
    },
    environment: {
      BENCH_SECONDS: 'how long each load lasts (6)',
      BENCH_WARM_SECONDS: 'how long each load runs before it counts (8)',
      BENCH_SUBNET: 'where the servers listen (127.0.32)',
    },
  },
  ({ names, numbers }) => ({ parts: names, clientCounts: numbers.length > 0 ? numbers : [1, 64, 512] }),
);
/** All clients come from one address: the limit of connections an address would stop them. */
const flags = ['-log-level=warn', '-hcl=limits { http_max_conns_per_client = 0 }'];
/** Our servers and the bare responder listen here; another one lets two benchmarks run side by side. */
const subnet = process.env.BENCH_SUBNET ?? '127.0.32';

interface Measured {
  readonly load: LoadResult;
  readonly cpuPer1000: number;
  /** Of the largest of the three, and how much of it is its own: the rest is pages of files, which the kernel may take back. */
  readonly residentMiB: number;
  readonly ownMiB: number;
}

/**
 * Both systems are measured warm, as after a minute of service: caches filled, and on our side the code compiled. V8 goes on compiling
 * for some ten seconds, and for one client it compiles other code than for 64: so each load runs for a while before it counts.
 */
async function warmUp(targets: readonly string[], request: RawRequest): Promise<void> {
  await runLoad({ targets, clients: 64, seconds: 3, warmupMs: 0, request });
}

async function measure(pids: readonly number[], load: Parameters<typeof runLoad>[0]): Promise<Measured> {
  await runLoad({ ...load, seconds: warmSeconds });
  const before = pids.map(cpuSeconds);
  const result = await runLoad(load);
  const cpu = pids.reduce((sum, pid, i) => sum + cpuSeconds(pid) - before[i]!, 0);
  if (result.errors > 0) process.stderr.write(`${result.errors} requests failed, first: ${result.firstError}\n`);
  const parts = pids.map(residentParts).sort((a, b) => b.own + b.files - a.own - a.files);
  const { own, files } = parts[0]!;
  return { load: result, cpuPer1000: (cpu / (result.requests + 1)) * 1000, residentMiB: own + files, ownMiB: own };
}

async function startHeddle(): Promise<Omit<PeerCluster, 'restart'> & { cluster: ProcessCluster }> {
  const cluster = await ProcessCluster.start({ size: 3, subnet, flags });
  const leader = await cluster.leader();
  if (leader === undefined) throw new Error('no leader');
  const order = [leader, ...[0, 1, 2].filter((server) => server !== leader)];
  return {
    cluster,
    targets: order.map((server) => cluster.target(server)),
    pids: order.map((server) => cluster.pid(server)),
    stop: () => cluster.stop(),
  };
}

/** The servers of one system, warm, with each kind of load in turn, in the order of the rows. */
async function measureEach<Row extends string>(
  system: { readonly targets: readonly string[]; readonly pids: readonly number[]; readonly stop: () => void },
  warm: RawRequest,
  loads: Readonly<Record<Row, Pick<Load, 'targets' | 'request' | 'protocol' | 'clients'>>>,
): Promise<Readonly<Record<Row, Measured>>> {
  const measured: Partial<Record<Row, Measured>> = {};
  try {
    await warmUp(system.targets, warm);
    for (const row in loads) {
      measured[row] = await measure(system.pids, { ...loads[row], seconds, warmupMs: 0 });
    }
  } finally {
    system.stop();
  }
  await delay(500);
  return measured as Record<Row, Measured>;
}

async function measureEtcd(clients: number) {
  const etcd = await startEtcd(3);
  const [leader, follower] = etcd.targets as [string, string, string];
  return measureEach(etcd, etcdPut, {
    json: { clients, targets: [leader], request: etcdPut },
    jsonFollower: { clients, targets: [follower], request: etcdPut },
    grpc: { clients, targets: [leader], request: etcdGrpcPut, protocol: 'grpc' },
  });
}

async function measureHeddle(clients: number) {
  const heddle = await startHeddle();
  const [leader, follower] = heddle.targets as [string, string, string];
  return measureEach(heddle, heddlePut, {
    leader: { clients, targets: [leader], request: heddlePut },
    follower: { clients, targets: [follower], request: heddlePut },
  });
}

async function writes(): Promise<void> {
  const rows: string[][] = [];
  const add = (name: string, clients: number, mine: Measured, json?: Measured, grpc?: Measured): void => {
    const to = (peer: Measured | undefined): string =>
      peer === undefined ? '' : ratio(mine.load.perSecond, peer.load.perSecond);
    const { load, cpuPer1000, residentMiB, ownMiB } = mine;
    rows.push([
      ...[name, String(clients), figure(load.perSecond), figure(load.p50Ms, 2), figure(load.p99Ms, 2)],
      ...[figure(cpuPer1000, 3), figure(residentMiB), figure(ownMiB), to(json), to(grpc)],
    ]);
  };
  const withEtcd = which('etcd') !== undefined;
  if (!withEtcd) process.stdout.write('etcd is not installed: no peer to compare writes with\n');
  for (const clients of clientCounts) {
    const etcd = withEtcd ? await measureEtcd(clients) : undefined;
    const heddle = await measureHeddle(clients);
    if (etcd !== undefined) {
      add('etcd, leader, JSON gateway', clients, etcd.json);
      add('etcd, follower, JSON gateway', clients, etcd.jsonFollower);
      add('etcd, leader, gRPC', clients, etcd.grpc);
    }
    add('heddle, leader', clients, heddle.leader, etcd?.json, etcd?.grpc);
    add('heddle, follower', clients, heddle.follower, etcd?.jsonFollower);
  }
  printTable(
    `Writes of 64-byte values, each a change, three servers, real fsync, ${seconds} s each after ${warmSeconds} s`,
    ['server', 'clients', 'writes/s', 'p50 ms', 'p99 ms', 'CPU s/1,000', 'MiB/server', 'own MiB', 'to JSON', 'to gRPC'],
    rows,
  );
}

async function reads(): Promise<void> {
  const mine = await startHeddle();
  try {
    await mine.cluster.ask(0, 'PUT', '/v1/kv/bench/read', value);
    const body = (await mine.cluster.ask(0, 'GET', '/v1/kv/bench/read')).body;
    const bare = await startBareResponder(`${subnet}.9`, body);
    const rows: string[][] = [];
    const common = { clients: 64, seconds, warmupMs: 0 };
    const path = '/v1/kv/bench/read';
    await warmUp(mine.targets, { method: 'GET', path });
    await warmUp([bare.target], { method: 'GET', path });
    const cases: [string, string, string][] = [
      ['default, leader', mine.targets[0]!, path],
      ['consistent, leader', mine.targets[0]!, `${path}?consistent`],
      ['stale, follower', mine.targets[1]!, `${path}?stale`],
    ];
    for (const [name, target, casePath] of cases) {
      await warmUp([target], { method: 'GET', path: casePath });
      const peer = await measure([bare.pid], { ...common, targets: [bare.target], request: { method: 'GET', path } });
      const got = await measure(mine.pids, {
        ...common,
        targets: [target],
        request: { method: 'GET', path: casePath },
      });
      rows.push([
        name,
        figure(got.load.perSecond),
        figure(got.load.p50Ms, 2),
        figure(got.load.p99Ms, 2),
        figure(peer.load.perSecond),
        ratio(got.load.perSecond, peer.load.perSecond),
      ]);
    }
    bare.stop();
    printTable(
      'Reads of one key, 64 clients',
      ['read', 'reads/s', 'p50 ms', 'p99 ms', 'bare node:http/s', 'ratio'],
      rows,
    );
  } finally {
    mine.stop();
  }
}

if (parts.length === 0 || parts.includes('writes')) await writes();
if (parts.length === 0 || parts.includes('reads')) await reads();
