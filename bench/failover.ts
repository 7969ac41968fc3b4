/**
 * How long a cluster of three real servers takes no writes when its leader goes: killed (`kill -9`: its peers see the
 * connections break) or silent (`SIGSTOP`: nothing breaks, only time tells). Measured from the signal to the first
 * acknowledgement of a write that was sent after it, by one client at each of the other servers.
 *
 *   npm run bench:failover                 20 rounds of each, about a minute
 *   npm run bench:failover -- 50           more of them: some 1.6 s a round, three minutes for 50 of each
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { RawClient } from './lib/raw-http.ts';
import { figure, printTable } from './lib/table.ts';

const rounds = readCommandLine(
  {
    script: 'bench:failover',
    about: 'From kill -9, or silence, of the leader to the next acknowledged write.',
    words: { usage: '[ROUNDS]', help: 'of each fault, some 1.6 s a round (20)', most: 1, numbers: true },
    environment: { BENCH_SUBNET: 'where the servers listen (127.0.34)' },
  },
  ({ numbers: [rounds = 20] }) => rounds,
);
const subnet = process.env.BENCH_SUBNET ?? '127.0.34';
/** The cluster is left in peace before each fault: leases run out, a new leader has told everyone. */
const calmMs = 500;

/** The first acknowledgement by any of these servers, in ms from now. */
async function untilAcknowledged(cluster: ProcessCluster, clients: readonly RawClient[]): Promise<number> {
  const start = performance.now();
  let done = false;
  const ask = async (client: RawClient, n: number): Promise<number> => {
    for (;;) {
      const { status } = await client.request({ method: 'PUT', path: `/v1/kv/failover/${n}`, body: String(start) });
      if (status === 200) done = true;
      if (done) return performance.now() - start;
      if (performance.now() - start > 30_000) throw new Error(`no write for 30 s. Logs: ${cluster.folder}`);
      await delay(1);
    }
  };
  return Promise.race(clients.map(ask));
}

async function round(cluster: ProcessCluster, fault: 'kill' | 'stop'): Promise<number> {
  await delay(calmMs);
  const leader = await cluster.leader();
  if (leader === undefined) throw new Error('no leader');
  const others = [0, 1, 2].filter((server) => server !== leader);
  const clients = await Promise.all(
    others.map((server) => {
      const [host, port] = cluster.target(server).split(':') as [string, string];
      return RawClient.open(host, Number(port));
    }),
  );
  // The connections, the routes and the way to the leader are warm: what is measured is the fail-over.
  for (const client of clients) await client.request({ method: 'PUT', path: '/v1/kv/failover/warm', body: '' });
  if (fault === 'stop') cluster.signal(leader, 'SIGSTOP');
  else process.kill(cluster.pid(leader), 'SIGKILL');
  const took = await untilAcknowledged(cluster, clients);
  for (const client of clients) client.close();
  if (fault === 'stop') cluster.signal(leader, 'SIGCONT');
  else {
    await cluster.kill(leader);
    cluster.expectExit(leader);
    cluster.launch(leader);
  }
  await untilAllAnswer(cluster);
  return took;
}

/** Every server is up and reaches the leader. */
async function untilAllAnswer(cluster: ProcessCluster): Promise<void> {
  for (let server = 0; server < cluster.size; server++) {
    const end = performance.now() + 30_000;
    for (;;) {
      const answer = await cluster.ask(server, 'PUT', '/v1/kv/failover/back', '').catch(() => undefined);
      if (answer?.status === 200) break;
      if (performance.now() > end) throw new Error(`server ${server} did not come back. Logs: ${cluster.folder}`);
      await delay(50);
    }
  }
}

/** How many rounds took up to so many ms, and longer than the step before. */
const steps = [75, 100, 125, 150, 200, 300, 400, 500, 750, 1_000, 1_500, Number.POSITIVE_INFINITY];

const began = performance.now();
const rows: string[][] = [];
const spread: Record<string, number[]> = {};
for (const fault of ['kill', 'stop'] as const) {
  const cluster = await ProcessCluster.start({ size: 3, subnet, flags: ['-log-level=warn'] });
  try {
    const took: number[] = [];
    for (let i = 0; i < rounds; i++) took.push(await round(cluster, fault));
    took.sort((a, b) => a - b);
    const at = (share: number): string => figure(took[Math.min(took.length - 1, Math.floor(took.length * share))]!);
    const name = fault === 'kill' ? 'kill -9' : 'SIGSTOP';
    rows.push([name, String(rounds), at(0), at(0.1), at(0.5), at(0.9), at(1)]);
    spread[name] = took;
  } finally {
    cluster.stop();
  }
}
printTable(
  'Leader gone to the next acknowledged write, ms',
  ['fault', 'rounds', 'best', 'p10', 'median', 'p90', 'worst'],
  rows,
);
const counted = (took: readonly number[], i: number): number =>
  took.filter((ms) => ms <= steps[i]! && ms > (steps[i - 1] ?? 0)).length;
printTable(
  'Rounds that took up to so many ms',
  ['up to', ...Object.keys(spread)],
  steps
    .map((step, i) => [
      Number.isFinite(step) ? figure(step) : 'longer',
      ...Object.values(spread).map((took) => String(counted(took, i))),
    ])
    .filter((row) => row.slice(1).some((cell) => cell !== '0')),
);
process.stdout.write(`\nTook ${figure((performance.now() - began) / 1000)} s.\n`);
