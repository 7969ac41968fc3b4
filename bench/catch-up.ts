/**
 * A server that was away for a million writes: three real servers, one of them stopped while the others write, started again while
 * clients go on writing. Measured: how long until it has everything, what the clients notice, and the longest time that any
 * server's event loop was held. Twice: from the log, where the leader still has all of it, and by a checkpoint and the rest of the log.
 *
 *   npm run bench:catch-up               1,000,000 entries, some six minutes
 *   npm run bench:catch-up -- 50000      so many
 *   BENCH_CPU_PROFILE=/tmp/p npm run …   the servers leave CPU profiles there
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { type Load, type LoadResult, runLoad } from './lib/load.ts';
import { cpuProfiles, longestBlock, traced } from './lib/loop-blocks.ts';
import { residentMiB } from './lib/processes.ts';
import { figure, printTable, ratio } from './lib/table.ts';

const entries = readCommandLine(
  {
    script: 'bench:catch-up',
    about: 'A server that was away for many writes catches up while clients write: from the log, and by a checkpoint.',
    words: { usage: '[ENTRIES]', help: 'how far it is behind (1000000: some six minutes)', most: 1, numbers: true },
    environment: {
      BENCH_CPU_PROFILE: 'a folder: the servers leave CPU profiles there',
      BENCH_SUBNET: 'where the servers listen (127.0.36)',
    },
  },
  ({ numbers: [entries = 1_000_000] }) => entries,
);
const subnet = process.env.BENCH_SUBNET ?? '127.0.36';
const value = 'x'.repeat(64);
const clientsMeanwhile = 16;
const common = ['-log-level=info', '-hcl=limits { http_max_conns_per_client = 0 }'];
const ways = [
  { name: 'from the log', flags: [`-hcl=raft_trailing_logs = ${entries * 3}`] },
  {
    name: 'by a checkpoint',
    flags: [
      `-hcl=raft_snapshot_threshold = ${Math.min(65_536, Math.ceil(entries / 4))}`,
      `-hcl=raft_trailing_logs = ${Math.min(16_384, Math.ceil(entries / 16))}`,
    ],
  },
];

const say = (text: string): void => void process.stderr.write(`${text}\n`);

interface Metrics {
  readonly Gauges: readonly { readonly Name: string; readonly Value: number }[];
  readonly Samples: readonly { readonly Name: string; readonly Max: number }[];
}

/** What the servers say of themselves, asked again and again; the longest hold of an event loop is kept. */
class Watcher {
  readonly #cluster: ProcessCluster;
  readonly longest = [0, 0, 0];
  readonly applied = [0, 0, 0];
  /** When each was first heard of, 0 before; a server that starts loads its code until then. */
  readonly answeredAt = [0, 0, 0];
  readonly #timer: NodeJS.Timeout;

  constructor(cluster: ProcessCluster) {
    this.#cluster = cluster;
    this.#timer = setInterval(() => void this.look(), 200);
  }

  async look(): Promise<void> {
    await Promise.all(
      [0, 1, 2].map(async (server) => {
        const answer = await this.#cluster.ask(server, 'GET', '/v1/agent/metrics').catch(() => undefined);
        if (answer?.status !== 200) return; // down, as it should be, or busy: the next look tells
        this.answeredAt[server] = this.answeredAt[server] || Date.now();
        const { Gauges, Samples } = JSON.parse(answer.body) as Metrics;
        const held = Samples.find(({ Name }) => Name.endsWith('event_loop_delay_ms'))?.Max ?? 0;
        this.longest[server] = Math.max(this.longest[server]!, held);
        this.applied[server] = Gauges.find(({ Name }) => Name.endsWith('raft.applied_index'))?.Value ?? 0;
      }),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const writing = (target: string, change: Partial<Load>): Promise<LoadResult> =>
  runLoad({
    ...{ targets: [target], clients: clientsMeanwhile, seconds: 5, warmupMs: 500 },
    request: { method: 'PUT', path: '/v1/kv/bench/{client}', body: value },
    ...change,
  });

/** A row for each server: how long its loop was held in each phase. */
const holds: string[][] = [];

async function measure({ name, flags }: (typeof ways)[number], traces: string): Promise<string[]> {
  const cluster = await ProcessCluster.start({ size: 3, subnet, flags: [...common, ...flags], wrap: traced(traces) });
  const watcher = new Watcher(cluster);
  try {
    const wroteFrom = Date.now();
    const leader = (await cluster.leader())!;
    const target = cluster.target(leader);
    const away = [0, 1, 2].find((server) => server !== leader)!;
    const before = await writing(target, {});
    await cluster.kill(away);
    const missedFrom = watcher.applied[away]!;
    say(`${name}: ${figure(entries)} writes without server ${away}`);
    const missed = await writing(target, { clients: 512, seconds: 3_600, requests: entries, warmupMs: 0 });
    if (missed.errors > 0) throw new Error(missed.firstError);
    say(`${name}: server ${away} comes back while ${clientsMeanwhile} clients write`);
    const start = performance.now();
    const launchedAt = Date.now();
    watcher.answeredAt[away] = 0;
    cluster.launch(away);
    let caughtUpMs: number | undefined;
    const meanwhile = (async () => {
      const parts: LoadResult[] = [];
      while (caughtUpMs === undefined) parts.push(await writing(target, { seconds: 2, warmupMs: 0 }));
      return parts;
    })();
    for (; caughtUpMs === undefined; await delay(50)) {
      await watcher.look();
      if (watcher.applied[away]! > missedFrom + entries && watcher.applied[leader]! - watcher.applied[away]! < 1_000) {
        caughtUpMs = performance.now() - start;
      }
      if (performance.now() - start > 900_000) throw new Error(`not caught up after 15 min. Logs: ${cluster.folder}`);
    }
    const during = await meanwhile;
    for (const server of [0, 1, 2]) {
      const role = server === leader ? 'leader' : server === away ? 'was away' : 'follower';
      const [filling, after] = [
        longestBlock(traces, server, wroteFrom, launchedAt),
        longestBlock(traces, server, server === away ? watcher.answeredAt[away]! : launchedAt, Date.now()),
      ];
      holds.push([name, role, ...[filling, after].flatMap(({ wallMs, ownMs }) => [figure(wallMs), figure(ownMs)])]);
    }
    // The last interval of the servers' own measurement has to end.
    await delay(11_000);
    await watcher.look();
    const p99 = Math.max(...during.map(({ p99Ms }) => p99Ms));
    const rate = during.reduce((sum, { perSecond }) => sum + perSecond, 0) / during.length;
    return [
      name,
      figure(entries),
      figure(caughtUpMs / 1000, 1),
      figure(entries / (caughtUpMs / 1000)),
      ratio(entries / (caughtUpMs / 1000), missed.perSecond),
      ratio(rate, before.perSecond),
      `${figure(before.p99Ms, 1)} → ${figure(p99, 1)}`,
      figure(watcher.longest[leader]!),
      figure(watcher.longest[away]!),
      figure(Math.max(...[0, 1, 2].map((server) => residentMiB(cluster.pid(server))))),
    ];
  } finally {
    watcher.stop();
    // A profile is written by a process that ends in good order.
    if (cpuProfiles) for (const server of [0, 1, 2]) await cluster.terminate(server);
    cluster.stop();
  }
}

const rows = [];
const traces = mkdtempSync(join(tmpdir(), 'bench-loops-'));
try {
  for (const [i, way] of ways.entries()) rows.push(await measure(way, mkdtempSync(join(traces, `${i}-`))));
} finally {
  rmSync(traces, { recursive: true, force: true });
}
printTable(
  'A server catches up while clients write (ratios: to the rate at which the entries were written; to the rate before)',
  [
    ...['caught up', 'entries', 'seconds', 'entries/s', 'to writing', 'clients’ rate', 'their p99 ms'],
    ...['leader’s loop held ms', 'its own ms', 'MiB/server'],
  ],
  rows,
);
printTable(
  'The longest time that an event loop was held, ms; "own": without the time that its thread stood in line for one of the CPUs',
  ['caught up', 'server', 'before it came back', 'own', 'since it is back', 'own'],
  holds,
);
