/**
 * More than three servers can take: many clients write values of 512 KiB as fast as they are answered, to all servers, while
 * one follower stands still (SIGSTOP) and, later, the leader. What is refused must say so (503 or 429 with Retry-After), no
 * accepted write may be lost, and no server may grow without a bound. Prints counts, who led, and the most memory each server took.
 *
 *   npm run bench:overload                 192 clients, 15 seconds
 *   npm run bench:overload -- 64 30        fewer, for longer
 *   npm run bench:overload -- --calm       nobody stands still: then nobody may lose the lead either
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { ProcessCluster } from '../jepsen-like/real/cluster.ts';
import { printTable } from './lib/table.ts';

const { clients, seconds, calm } = readCommandLine(
  {
    script: 'bench:overload',
    about: 'More than three servers can take: what is refused, what is kept, how much memory.',
    words: { usage: '[CLIENTS [SECONDS]]', help: 'how many write, for how long (192 15)', most: 2, numbers: true },
    options: { calm: { type: 'boolean', default: false, help: 'nobody stands still: then nobody may lose the lead' } },
    environment: { BENCH_SUBNET: 'where the servers listen (127.0.36)' },
  },
  ({ numbers: [clients = 192, seconds = 15], values: { calm } }) => ({ clients, seconds, calm }),
);
const subnet = process.env.BENCH_SUBNET ?? '127.0.36';
const valueBytes = 512 * 1024;
/** Keys are written again and again: the log grows, the state does not. */
const keysEach = 4;
/** Generous: the sum of the bounds (bodies, forwarded, uncommitted, in flight to each peer), three copies, and the runtime. */
const residentMiBMax = 1_536;

interface Tally {
  readonly statuses: Map<string, number>;
  refusedWithoutRetryAfter: number;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

function put(target: string, key: string, body: Buffer): Promise<Answered> {
  const options = { method: 'PUT', agent, headers: { 'Content-Length': body.length }, timeout: 30_000 };
  return new Promise((resolve, reject) => {
    const request = http.request(`http://${target}/v1/kv/${key}`, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8').trim(),
          retryAfter: answer.headers['retry-after'],
        }),
      );
    });
    request.once('timeout', () => request.destroy(new Error('no answer in 30 s')));
    request.once('error', reject);
    request.end(body);
  });
}

/** Writes until the end; returns, for each key, the newest value that was acknowledged and those of unknown outcome after it. */
async function client(cluster: ProcessCluster, name: number, until: () => boolean, tally: Tally) {
  const may = new Map<string, Set<number>>();
  for (let n = 0; !until(); n++) {
    const key = `overload/${name}/${n % keysEach}`;
    const body = Buffer.alloc(valueBytes);
    body.writeUInt32BE(n);
    const outcome = await put(cluster.target((name + n) % cluster.size), key, body).catch((error: Error) => error);
    const word =
      outcome instanceof Error ? `broken: ${outcome.message}` : `${outcome.status} ${outcome.text.slice(0, 60)}`;
    tally.statuses.set(word, (tally.statuses.get(word) ?? 0) + 1);
    if (outcome instanceof Error || outcome.status === 500) may.set(key, (may.get(key) ?? new Set([-1])).add(n));
    else if (outcome.status === 200) may.set(key, new Set([n]));
    else {
      if (outcome.retryAfter === undefined) tally.refusedWithoutRetryAfter++;
      await delay(50);
    }
  }
  return may;
}

function residentMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) / 1024;
}

/** Who led, by what the servers logged: `s1 in term 2`. */
function leaders(cluster: ProcessCluster): string[] {
  const found: { readonly term: number; readonly server: number }[] = [];
  for (let server = 0; server < cluster.size; server++) {
    const log = readFileSync(cluster.logFile(server), 'utf8');
    for (const [, term] of log.matchAll(/role: role=leader term=(\d+)/g)) found.push({ term: Number(term), server });
  }
  return found.sort((a, b) => a.term - b.term).map(({ term, server }) => `s${server} in term ${term}`);
}

async function standStill(cluster: ProcessCluster, server: number, forMs: number): Promise<void> {
  cluster.signal(server, 'SIGSTOP');
  await delay(forMs);
  cluster.signal(server, 'SIGCONT');
}

async function main(): Promise<number> {
  const cluster = await ProcessCluster.start({
    size: 3,
    subnet,
    flags: ['-log-level=info', '-hcl=limits { http_max_conns_per_client = 0 }'],
  });
  const most = [0, 0, 0];
  let over = false;
  const watching = setInterval(() => {
    for (const server of most.keys()) most[server] = Math.max(most[server]!, residentMiB(cluster.pid(server)));
  }, 100);
  try {
    const tally: Tally = { statuses: new Map(), refusedWithoutRetryAfter: 0 };
    const asking = Promise.all(Array.from({ length: clients }, (_, name) => client(cluster, name, () => over, tally)));
    const leader = (await cluster.leader()) ?? 0;
    await delay(seconds * 200);
    if (!calm) {
      await standStill(cluster, (leader + 1) % 3, seconds * 300);
      await standStill(cluster, (await cluster.leader()) ?? leader, seconds * 200);
    } else await delay(seconds * 500);
    await delay(seconds * 300);
    over = true;
    const maps = await asking;
    await cluster.waitForWrite(60_000);
    let lost = 0;
    for (const [key, values] of maps.flatMap((map) => [...map])) {
      const answer = await fetch(`http://${cluster.target(0)}/v1/kv/${key}?raw&consistent`);
      const body = Buffer.from(await answer.arrayBuffer());
      const found = answer.status === 200 ? body.readUInt32BE(0) : -1;
      if (!values.has(found)) lost++;
    }
    printTable(
      `${clients} clients, ${valueBytes / 1024} KiB each, ${seconds} s`,
      ['answer', 'writes'],
      [...tally.statuses].map(([word, count]) => [word, String(count)]),
    );
    const terms = leaders(cluster);
    process.stdout.write(`leaders: ${terms.join(', ')}\n`);
    printTable(
      'memory',
      ['server', 'most resident MiB'],
      most.map((mib, server) => [`s${server}`, mib.toFixed(0)]),
    );
    const bad = [
      ...(lost > 0 ? [`${lost} accepted writes are not there`] : []),
      ...(tally.refusedWithoutRetryAfter > 0 ? [`${tally.refusedWithoutRetryAfter} refusals without Retry-After`] : []),
      ...(Math.max(...most) > residentMiBMax ? [`a server grew beyond ${residentMiBMax} MiB`] : []),
      ...(calm && terms.length > 1 ? [`${terms.length - 1} leaders lost the lead under load alone`] : []),
      ...cluster.complaints,
    ];
    process.stdout.write(bad.length === 0 ? 'no accepted write was lost\n' : `FAIL: ${bad.join('; ')}\n`);
    return bad.length === 0 ? 0 : 1;
  } finally {
    clearInterval(watching);
    cluster.stop();
  }
}

process.exit(await main());
