/**
 * `check` and `match` of a real server (Raft with one voter, LMDB, the whole agent) beside a bare `node:http` responder that
 * sends the same bytes. Rounds are interleaved, so that both see the same machine; the load comes from a third process.
 * Ratios are medians of the rounds' ratios. CPU is that of the server's process alone.
 */
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { type BareResponder, startBareResponder } from './lib/bare-responder.ts';
import { type LoadResult, runLoad } from './lib/load.ts';
import { cpuSeconds, residentMiB } from './lib/processes.ts';
import { RawClient } from './lib/raw-http.ts';
import { figure, median, printTable } from './lib/table.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const seconds = Number(process.env.BENCH_SECONDS ?? 2);
const clients = 32;
const base = '/v1/connect/intentions';
const destinations = 1_000;

interface Asked {
  readonly name: string;
  readonly path: string;
}
const questions: readonly Asked[] = [
  { name: 'check, exact', path: `${base}/check?source=source-1&destination=service-7` },
  { name: 'check, wildcard source', path: `${base}/check?source=nobody&destination=service-7` },
  { name: 'check, miss', path: `${base}/check?source=nobody&destination=elsewhere` },
  { name: 'match, 11 intentions', path: `${base}/match?by=destination&name=small` },
];

export async function benchOverHttp(counts: readonly number[]): Promise<void> {
  const rows: string[][] = [];
  for (const count of counts) {
    const cluster = await ProcessCluster.start({ size: 1, subnet: '127.0.17', flags: ['-log-level=warn'] });
    try {
      const loadedMs = await fill(cluster, count);
      for (const [i, question] of questions.entries()) {
        const shared = i === 0 ? [figure(count), figure(loadedMs / 1000, 1)] : ['', ''];
        rows.push([...shared, ...(await compare(cluster, question))]);
      }
    } finally {
      cluster.stop();
    }
  }
  printTable(
    `Over HTTP, ${clients} connections, ${rounds} rounds`,
    [
      'intentions',
      'filled s',
      'question',
      'per second',
      'p99 ms',
      'CPU µs',
      'MiB',
      'bare /s',
      'bare p99',
      'bare CPU',
      'ratio',
    ],
    rows,
  );
}

/** Sources are spread over at most a thousand destinations; one more has ten, whatever the number. */
async function fill(cluster: ProcessCluster, count: number): Promise<number> {
  const [host, port] = cluster.target(0).split(':') as [string, string];
  const client = await RawClient.open(host, Number(port));
  const spread = Math.min(destinations, count / 10);
  const start = performance.now();
  for (let i = 0; i < spread; i++) await put(client, `service-${i}`, count / spread);
  await put(client, 'small', 10);
  client.close();
  return performance.now() - start;
}

async function put(client: RawClient, Name: string, sources: number): Promise<void> {
  const Sources = Array.from({ length: sources }, (_, i) => ({
    Name: i === sources - 1 ? '*' : `source-${i}`,
    Action: i % 2 === 0 ? 'deny' : 'allow',
  }));
  const body = JSON.stringify({ Kind: 'service-intentions', Name, Sources });
  const answer = await client.request({ method: 'PUT', path: '/v1/config', body });
  if (answer.status !== 200) throw new Error(`filling: ${answer.status} ${answer.body.toString()}`);
}

interface Measured extends LoadResult {
  readonly cpuMicros: number;
}

async function compare(cluster: ProcessCluster, { name, path }: Asked): Promise<string[]> {
  const target = cluster.target(0);
  const [host, port] = target.split(':') as [string, string];
  const client = await RawClient.open(host, Number(port));
  const { body, status } = await client.request({ method: 'GET', path });
  if (status !== 200) throw new Error(`${path}: ${status} ${body.toString()}`);
  client.close();
  const bare: BareResponder = await startBareResponder('127.0.17.200', body.toString());
  const mine: Measured[] = [];
  const theirs: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await measure(bare.target, bare.pid, path));
    mine.push(await measure(target, cluster.pid(0), path));
  }
  bare.stop();
  const of = (results: readonly Measured[], field: keyof Measured): number =>
    median(results.map((result) => Number(result[field])));
  return [
    name,
    figure(of(mine, 'perSecond')),
    figure(of(mine, 'p99Ms'), 2),
    figure(of(mine, 'cpuMicros'), 1),
    figure(residentMiB(cluster.pid(0))),
    figure(of(theirs, 'perSecond')),
    figure(of(theirs, 'p99Ms'), 2),
    figure(of(theirs, 'cpuMicros'), 1),
    median(mine.map((result, round) => result.perSecond / theirs[round]!.perSecond)).toFixed(2),
  ];
}

async function measure(target: string, pid: number, path: string): Promise<Measured> {
  const before = cpuSeconds(pid);
  const result = await runLoad({ targets: [target], clients, seconds, warmupMs: 0, request: { method: 'GET', path } });
  if (result.errors > 0) throw new Error(`${result.errors} requests failed, first: ${result.firstError}`);
  return { ...result, cpuMicros: ((cpuSeconds(pid) - before) / result.requests) * 1e6 };
}
