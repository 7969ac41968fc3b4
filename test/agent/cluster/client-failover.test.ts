/**
 * Three servers, each a process of its own, and a client agent. What local watchers cost the servers, what `?cached` says when
 * the servers are lost, and what becomes of requests under way when the very server that the client speaks to hangs (SIGSTOP)
 * or is killed (kill -9): what may be asked twice does not fail, every other write is answered as it ended, or as unknown.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ProcessCluster } from '../../../jepsen-like/real/cluster.ts';
import { eventually, until } from '../../support/eventually.ts';
import { remoteEnds } from '../../support/sockets.ts';
import { type ProcessServers, startProcessServers } from './process-servers.ts';
import { AgentCluster } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-client-failover-'));
let pool: ProcessServers | undefined;
let servers: ProcessCluster;
let clients: AgentCluster;

beforeAll(async () => {
  pool = await startProcessServers(folder);
  servers = pool.servers;
  clients = new AgentCluster(pool.subnet);
  await clients.start('c1', { ...pool.client, limits: { http_max_conns_per_client: 1_000 } }, 11);
}, 180_000);

afterAll(async () => {
  await clients?.close();
  pool?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const url = (path: string): string => clients.agent('c1').httpAddress + path;
/** The server to which this process, so the client agent, has a connection for its requests. */
const spokenTo = (): Promise<number> =>
  eventually(() => {
    const remotes = remoteEnds();
    return [0, 1, 2].find((server) => servers.isRunning(server) && remotes.has(`${servers.host(server)}:8300`));
  });
const aliveAtClient = async (server: number): Promise<boolean> => {
  const members = await clients.get<{ Name: string; Status: number }[]>('c1', '/v1/agent/members');
  return members.some(({ Name, Status }) => Name === `s${server}` && Status === 1);
};

/** Blocking reads that wait in all servers together. */
async function waitingAtServers(): Promise<number> {
  let waiting = 0;
  for (const server of [0, 1, 2]) {
    const { body } = await servers.ask(server, 'GET', '/v1/agent/metrics');
    const { Gauges } = JSON.parse(body) as { Gauges: { Name: string; Value: number }[] };
    waiting += Gauges.find(({ Name }) => Name.endsWith('.rpc.queries_blocking'))!.Value;
  }
  return waiting;
}

describe('local watchers', () => {
  it('200 of the same things cost the servers one blocking read each thing, whatever their filters, and all hear of news', async () => {
    const service = { Name: 'web', Port: 1, Check: { TTL: '1h', Status: 'passing' } };
    expect(await clients.put('c1', '/v1/agent/service/register', service)).toMatch(/^200/);
    const paths = ['/v1/health/service/web', '/v1/catalog/service/web'];
    const indexes = await Promise.all(
      paths.map((path) =>
        eventually(async () => {
          const answer = await fetch(url(path));
          return ((await answer.json()) as unknown[]).length === 1 ? answer.headers.get('x-consul-index')! : undefined;
        }),
      ),
    );
    const before = await waitingAtServers();
    const filters = ['', '&filter=ID!=x', '&near=_agent', '&wait=60s'];
    const watchers = Array.from({ length: 200 }, async (_, number) => {
      const which = number % 2;
      const filter = which === 0 ? filters[(number >> 1) % 4]!.replace('ID', 'Service.ID') : '';
      const answer = await fetch(url(`${paths[which]}?index=${indexes[which]}${filter}`));
      return { status: answer.status, instances: ((await answer.json()) as unknown[]).length };
    });
    await until(waitingAtServers, (waiting) => waiting === before + paths.length);
    expect(await clients.put('c1', '/v1/agent/check/warn/service:web', '')).toMatch(/^200/);
    expect(new Set((await Promise.all(watchers)).map((heard) => JSON.stringify(heard)))).toEqual(
      new Set(['{"status":200,"instances":1}']),
    );
    expect(await waitingAtServers()).toBe(before + paths.length);
  }, 60_000);
});

interface Told {
  asked: number;
  failed: string[];
}

/** Asks again and again until `over`; each request is begun before the fault, in it, or after it. */
async function keepAsking(ask: () => Promise<string>, over: () => boolean, told: Told): Promise<void> {
  do {
    told.asked++;
    const failure = await ask().catch(String);
    if (failure !== '') told.failed.push(failure);
  } while (!over());
}

async function failureOf(method: string, path: string, body?: unknown): Promise<string> {
  const answer = await fetch(url(path), { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return answer.ok ? '' : `${method} ${path}: ${answer.status} ${text}`;
}

/** Requests that may be asked twice: each in a loop of its own. */
async function safeOnes(over: () => boolean, told: Told): Promise<void> {
  const created = await fetch(url('/v1/session/create'), { method: 'PUT', body: '{"TTL":"300s"}' });
  const { ID } = (await created.json()) as { ID: string };
  let leaf = 0;
  const requests: (() => Promise<string>)[] = [
    () => failureOf('GET', '/v1/kv/there'),
    () => failureOf('GET', '/v1/kv/there?consistent'),
    () => failureOf('GET', '/v1/kv/there?stale'),
    () => failureOf('GET', '/v1/health/service/web'),
    () => failureOf('GET', '/v1/catalog/nodes'),
    () => failureOf('GET', '/v1/status/leader'),
    () => failureOf('GET', '/v1/operator/raft/configuration'),
    () => failureOf('PUT', `/v1/session/renew/${ID}`),
    () => failureOf('GET', `/v1/agent/connect/ca/leaf/fresh-${++leaf % 20}`),
    () => failureOf('PUT', '/v1/agent/service/register', { Name: 'again', Port: 7 }),
    () => failureOf('PUT', '/v1/agent/check/pass/service:web'),
  ];
  await Promise.all(requests.map((ask) => keepAsking(ask, over, told)));
}

/** Plain writes, each of a key of its own, and how each was answered. */
async function plainWrites(name: string, over: () => boolean): Promise<Map<string, { status: number; text: string }>> {
  const answers = new Map<string, { status: number; text: string }>();
  let number = 0;
  const loop = async (): Promise<void> => {
    do {
      const key = `${name}/${++number}`;
      const answer = await fetch(url(`/v1/kv/${key}`), { method: 'PUT', body: key });
      answers.set(key, { status: answer.status, text: (await answer.text()).trim() });
    } while (!over());
  };
  await Promise.all(Array.from({ length: 8 }, loop));
  return answers;
}

const unknown = /may have been carried out or not|leadership lost while committing log/;

/** What was acknowledged is there, written once; what failed says that it is not known, or is not there. */
async function judge(answers: Map<string, { status: number; text: string }>): Promise<{ ok: number; unknown: number }> {
  const counts = { ok: 0, unknown: 0 };
  for (const [key, { status, text }] of answers) {
    const read = await fetch(url(`/v1/kv/${key}?consistent`));
    const [row] = read.status === 404 ? [] : ((await read.json()) as { CreateIndex: number; ModifyIndex: number }[]);
    if (row !== undefined) expect(row.ModifyIndex, `${key} was written twice`).toBe(row.CreateIndex);
    if (status === 200) {
      counts.ok++;
      expect(row, `${key} was acknowledged`).toBeDefined();
    } else if (unknown.test(text)) counts.unknown++;
    else expect(row, `${key} was refused: ${text}`).toBeUndefined();
  }
  return counts;
}

describe('when the server that the client speaks to', () => {
  beforeAll(async () => {
    expect(await clients.put('c1', '/v1/kv/there', 'x')).toBe('200 true');
  });

  it.each(['SIGSTOP', 'SIGKILL'] as const)(
    'gets %s, no request fails that may be asked twice, and each other one is answered honestly',
    async (signal) => {
      const server = await spokenTo();
      let over = false;
      const told: Told = { asked: 0, failed: [] };
      const safe = safeOnes(() => over, told);
      const writes = plainWrites(signal, () => over);
      await until(
        async () => told.asked,
        (asked) => asked > 200,
      );
      const before = told.asked;
      if (signal === 'SIGKILL') await servers.kill(server);
      else {
        servers.signal(server, signal);
        onTestFinished(() => servers.signal(server, 'SIGCONT'));
      }
      await until(
        () => aliveAtClient(server),
        (alive) => !alive,
      );
      const gone = told.asked;
      await until(
        async () => told.asked,
        (asked) => asked > gone + 200,
      );
      over = true;
      await safe;
      expect(told.failed).toEqual([]);
      expect(before).toBeLessThan(told.asked);
      const counts = await judge(await writes);
      expect(counts.ok).toBeGreaterThan(10);
      if (signal === 'SIGSTOP') {
        servers.signal(server, 'SIGCONT');
        await until(
          () => aliveAtClient(server),
          (alive) => alive,
        );
      } else {
        servers.launch(server);
        await until(
          () => aliveAtClient(server),
          (alive) => alive,
        );
      }
      console.log(
        `${signal}: ${told.asked} requests that may be asked twice, none failed; writes: ${JSON.stringify(counts)}`,
      );
    },
    120_000,
  );
});

describe('?cached', () => {
  it('says how old its answers are while the servers are lost, and that they are current when they are back', async () => {
    const cached = async (): Promise<{ cache: string; age: number; leader: string; instances: number }> => {
      const answer = await fetch(url('/v1/health/service/web?cached'));
      const { headers } = answer;
      return {
        cache: `${answer.status} ${headers.get('x-cache')}`,
        age: Number(headers.get('age') ?? -1),
        leader: headers.get('x-consul-knownleader')!,
        instances: ((await answer.json()) as unknown[]).length,
      };
    };
    expect(await cached()).toEqual({ cache: '200 MISS', age: -1, leader: 'true', instances: 1 });
    expect(await cached()).toEqual({ cache: '200 HIT', age: 0, leader: 'true', instances: 1 });
    expect(await clients.get('c1', '/v1/catalog/datacenters?cached')).toEqual(['dc1']);
    await Promise.all([0, 1, 2].map((server) => servers.kill(server)));
    const lost = await until(cached, ({ age }) => age >= 2);
    expect(lost).toMatchObject({ cache: '200 HIT', leader: 'false', instances: 1 });
    const datacenters = async (control: string): Promise<string> => {
      const answer = await fetch(url('/v1/catalog/datacenters?cached'), { headers: { 'cache-control': control } });
      return `${answer.status} ${(await answer.text()).trim()}`;
    };
    expect(await datacenters('max-age=60')).toBe('200 ["dc1"]');
    expect(await datacenters('max-age=0, stale-if-error=600')).toBe('200 ["dc1"]');
    expect(await datacenters('max-age=0')).toMatch(/^500 /);
    for (const server of [0, 1, 2]) servers.launch(server);
    const back = await until(cached, ({ age }) => age === 0);
    expect(back).toMatchObject({ cache: '200 HIT', leader: 'true', instances: 1 });
    expect(servers.complaints).toEqual([]);
  }, 120_000);
});
