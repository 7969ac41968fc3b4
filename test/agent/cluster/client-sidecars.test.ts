/**
 * Three servers, each a process of its own, and two client agents on other hosts that run sidecars: `web` and `api` on c1 call
 * `counting` on c2. What the mesh does while all is well, while the server that a client speaks to hangs (SIGSTOP), when the
 * leader is killed (kill -9), and when no majority is left.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ProcessCluster } from '../../../jepsen-like/real/cluster.ts';
import { loopback } from '../../proxy/support/fake-agent.ts';
import { application, dial, echo, ending, exchange, freePort } from '../../proxy/support/mesh.ts';
import { eventually, until } from '../../support/eventually.ts';
import { remoteEnds } from '../../support/sockets.ts';
import { type ProcessServers, startProcessServers } from './process-servers.ts';
import { AgentCluster } from './support.ts';

interface Instance {
  Node: { Node: string; Address: string };
  Service: { Port: number };
  Checks: { CheckID: string; Status: string }[];
}

const loopbackNumbers = { c1: 11, c2: 12 };
const folder = mkdtempSync(join(tmpdir(), 'heddle-client-sidecars-'));
const upstream = { web: 0, api: 0 };
let pool: ProcessServers | undefined;
let servers: ProcessCluster;
let clients: AgentCluster;
let counting: { port: number; server: Server };

beforeAll(async () => {
  pool = await startProcessServers(folder);
  servers = pool.servers;
  clients = new AgentCluster(pool.subnet);
  await clients.start('c1', pool.client, loopbackNumbers.c1);
  await clients.start('c2', pool.client, loopbackNumbers.c2);
  // An agent runs before it has heard of a server, and registers no sidecar before it can ask one.
  for (const client of ['c1', 'c2'])
    await eventually(() => clients.get<string>(client, '/v1/status/leader').catch(() => undefined));
  counting = await application(echo);
  upstream.web = await freePort();
  upstream.api = await freePort();
}, 180_000);

afterAll(async () => {
  await clients?.close();
  pool?.stop();
  counting?.server.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const sidecar = (upstreamPort?: number) => ({
  SidecarService: {
    Proxy: {
      Config: { managed: true },
      LocalServiceAddress: loopback,
      ...(upstreamPort === undefined
        ? {}
        : { Upstreams: [{ DestinationName: 'counting', LocalBindAddress: loopback, LocalBindPort: upstreamPort }] }),
    },
  },
});
const register = async (agent: string, service: Record<string, unknown>) =>
  expect(await clients.put(agent, '/v1/agent/service/register', service)).toMatch(/^200/);
const intention = async (agent: string, source: string, Action: 'allow' | 'deny') =>
  expect(
    await clients.put(agent, `/v1/connect/intentions/exact?source=${source}&destination=counting`, { Action }),
  ).toBe('200 true');

/**
 * What a service gets from `counting` through both sidecars: its own words, or the code of the error. A refusal is a reset or,
 * since with TLS 1.3 the far side judges after our handshake is done, an end without a word.
 */
const call = (port: number): Promise<string> =>
  exchange(port, 'hello').catch((error: NodeJS.ErrnoException) => error.code ?? error.message);

async function echoed(socket: Socket, text: string): Promise<string> {
  const heard = once(socket, 'data');
  socket.write(text);
  const [chunk] = await heard;
  return String(chunk);
}

const refusal = /^(ECONNRESET)?$/;

/** Asks both clients, and `counting` through the sidecars, again and again until `over`. Tells what failed. */
async function asking(over: () => boolean | Promise<boolean>): Promise<{ asked: number; failed: string[] }> {
  const failed: string[] = [];
  let asked = 0;
  const read = async (agent: string): Promise<string> =>
    `${(await clients.get<Instance[]>(agent, '/v1/health/service/counting')).length} instance`;
  const expecting = async (wanted: string, what: string, answer: Promise<string>): Promise<void> => {
    asked++;
    const heard = await answer.catch(String);
    if (heard !== wanted) failed.push(`${what}: ${heard}`);
  };
  do {
    await Promise.all([
      expecting('1 instance', 'read at c1', read('c1')),
      expecting('1 instance', 'read at c2', read('c2')),
      expecting('hello', 'web calls counting', call(upstream.web)),
    ]);
  } while (!(await over()));
  return { asked, failed };
}

const stale = async (agent: string) =>
  Number(
    (await clients.get<{ Stats: { client: { topics_stale: string } } }>(agent, '/v1/agent/self')).Stats.client
      .topics_stale,
  );
/** Whether the client agent holds this server for alive. */
const alive = async (server: number): Promise<boolean> => {
  const members = await clients.get<{ Name: string; Status: number }[]>('c1', '/v1/agent/members');
  return members.some(({ Name, Status }) => Name === `s${server}` && Status === 1);
};
const logged = (text: string, from: number) => clients.log.slice(from).filter((line) => line.includes(text));

/** Servers to which this process, so one of its client agents, has a connection for its requests. */
function spokenTo(): number[] {
  const remotes = remoteEnds();
  return [0, 1, 2].filter((server) => remotes.has(`${servers.host(server)}:8300`));
}

describe('sidecars that client agents run', () => {
  it('are in the catalog of the servers, and carry bytes from host to host under identities of the servers’ CA', async () => {
    await register('c2', { Name: 'counting', Port: counting.port, Connect: sidecar() });
    await register('c1', { Name: 'web', Port: 1, Connect: sidecar(upstream.web) });
    await register('c1', { Name: 'api', Port: 1, Connect: sidecar(upstream.api) });
    for (const port of [upstream.web, upstream.api])
      await until(
        () => call(port),
        (heard) => heard === 'hello',
      );
    const [instance] = await until(
      () => clients.get<Instance[]>('c1', '/v1/health/connect/counting?passing'),
      (list) => list.length === 1,
    );
    expect(instance).toMatchObject({ Node: { Node: 'c2', Address: `${pool!.subnet}.12` } });

    const leaf = await clients.get<{ CertPEM: string; PrivateKeyPEM: string }>('c1', '/v1/agent/connect/ca/leaf/web');
    const { body } = await servers.ask(0, 'GET', '/v1/connect/ca/roots');
    const { Roots } = JSON.parse(body) as { Roots: { RootCert: string }[] };
    const tls = connectTls({
      host: instance!.Node.Address,
      port: instance!.Service.Port,
      cert: leaf.CertPEM,
      key: leaf.PrivateKeyPEM,
      ca: Roots.map(({ RootCert }) => RootCert),
      checkServerIdentity: () => undefined,
    });
    await once(tls, 'secureConnect');
    expect(tls.authorized).toBe(true);
    expect(tls.getPeerCertificate().subjectaltname).toMatch(
      /^URI:spiffe:\/\/.+\.consul\/ns\/default\/dc\/dc1\/svc\/counting$/,
    );
    tls.destroy();
  }, 60_000);

  it('obey intentions: a new denial cuts what is open and refuses what comes, whoever is not meant goes on', async () => {
    const open = await dial(upstream.web);
    expect(await echoed(open, 'before')).toBe('before');
    const end = ending(open);
    await intention('c2', 'web', 'deny');
    await end;
    expect(await call(upstream.web)).toMatch(refusal);
    expect(await call(upstream.api)).toBe('hello');
    await intention('c1', 'web', 'allow');
    await intention('c1', 'api', 'deny');
    await until(
      async () => [await call(upstream.web), await call(upstream.api)],
      ([web, api]) => web === 'hello' && refusal.test(api!),
    );
  }, 60_000);
});

describe('when servers fail', () => {
  it('a server that hangs while a client speaks to it costs no read and no connection, and watchers hear what happens after', async () => {
    await register('c2', { Name: 'batch', Port: 1, Check: { TTL: '1h', Status: 'passing' } });
    const url = `${clients.agent('c1').httpAddress}/v1/health/service/batch`;
    await until(
      () => clients.get<Instance[]>('c1', '/v1/health/service/batch'),
      (list) => list.length === 1,
    );
    const index = (await fetch(url)).headers.get('x-consul-index');
    const news = eventually(async () => {
      const list = (await (await fetch(`${url}?index=${index}&wait=1s`)).json()) as Instance[];
      return list[0]!.Checks.some(({ Status }) => Status === 'warning') ? true : undefined;
    });
    news.catch(() => undefined); // looked at below, if the test comes so far
    const [server] = spokenTo();
    expect(server).toBeDefined();
    await makeLeader(server!);

    const from = clients.log.length;
    servers.signal(server!, 'SIGSTOP');
    onTestFinished(() => servers.signal(server!, 'SIGCONT'));
    // Nobody watched these yet: what a client waits on for the first time just now.
    const fresh = Promise.all(
      ['c1', 'c2'].map((agent) =>
        fetch(`${clients.agent(agent).httpAddress}/v1/catalog/services?index=1&wait=100ms`).then(
          ({ status }) => status,
        ),
      ),
    );
    const { asked, failed } = await asking(async () => !(await alive(server!)));
    expect({ asked, failed }).toEqual({ asked, failed: [] });
    expect(await fresh).toEqual([200, 200]);
    // The other client may hear of it a moment later, and may be the one that speaks to this server.
    await eventually(() =>
      logged('a server is gone: asking another one', from).join().includes(servers.host(server!)) ? true : undefined,
    );
    expect(await clients.put('c2', '/v1/agent/check/warn/service:batch', '')).toMatch(/^200/);
    expect(await news).toBe(true);
    expect(await clients.put('c1', '/v1/kv/hung', 'written')).toBe('200 true');

    servers.signal(server!, 'SIGCONT');
    await until(
      () => alive(server!),
      (back) => back,
    );
  }, 90_000);

  it('a leader that is killed costs no read and no connection, new or open', async () => {
    const leader = await eventually(() => servers.leader());
    const open = await dial(upstream.web);
    expect(await echoed(open, 'before')).toBe('before');
    await servers.kill(leader);
    let written = false;
    const writing = until(
      () => clients.put('c1', '/v1/kv/killed', 'written'),
      (answer) => answer === '200 true',
    ).then(() => {
      written = true;
    });
    const { asked, failed } = await asking(async () => written && !(await alive(leader)));
    expect({ asked, failed }).toEqual({ asked, failed: [] });
    await writing;
    expect(await echoed(open, 'after')).toBe('after');
    open.destroy();
  }, 90_000);

  it('a lost majority leaves sidecars as they were, open connections, new ones and refusals alike, and this is said', async () => {
    const [victim] = [0, 1, 2].filter((server) => servers.isRunning(server));
    const gone = [0, 1, 2].filter((server) => !servers.isRunning(server) || server === victim);
    expect(gone).toHaveLength(2);
    const open = await dial(upstream.web);
    expect(await echoed(open, 'before')).toBe('before');
    const from = clients.log.length;
    await servers.kill(victim!);
    await until(
      async () => [await stale('c1'), await stale('c2')],
      (counts) => counts.every((count) => count > 0),
    );
    for (const agent of ['c1', 'c2']) {
      const said = clients.log.slice(from).filter((line) => line.startsWith(`${agent} `));
      expect(said.join('\n')).toContain('going on with the last known state');
      const { Gauges } = await clients.get<{ Gauges: { Name: string; Value: number }[] }>(agent, '/v1/agent/metrics');
      expect(Gauges.find(({ Name }) => Name.endsWith('.client.topics_stale'))!.Value).toBeGreaterThan(0);
    }
    const refused = clients.put('c1', '/v1/kv/lost', 'not written');
    let answered = '';
    void refused.then((answer) => {
      answered = answer;
    });
    do {
      expect(await call(upstream.web)).toBe('hello');
      expect(await call(upstream.api)).toMatch(refusal);
      expect(await echoed(open, 'meanwhile')).toBe('meanwhile');
    } while (answered === '');
    expect(await refused).toMatch(/^500 /);

    const healing = clients.log.length;
    for (const server of gone) servers.launch(server);
    await until(
      async () => [await stale('c1'), await stale('c2')],
      (counts) => counts.every((count) => count === 0),
    );
    const again = logged('the servers answer again: the state is current', healing);
    expect(new Set(again.map((line) => line.split(' ')[0]))).toEqual(new Set(['c1', 'c2']));
    await intention('c2', 'api', 'allow');
    await until(
      () => call(upstream.api),
      (heard) => heard === 'hello',
    );
    expect(await echoed(open, 'after')).toBe('after');
    open.destroy();
    expect(servers.complaints).toEqual([]);
  }, 120_000);
});

/** The worst server to hang is the one that leads as well. */
async function makeLeader(server: number): Promise<void> {
  await until(
    async () => {
      const leader = await servers.leader();
      if (leader === undefined || leader === server) return leader;
      const { body } = await servers.ask(server, 'GET', '/v1/operator/raft/configuration');
      const { Servers } = JSON.parse(body) as { Servers: { ID: string; Node: string }[] };
      const { ID } = Servers.find(({ Node }) => Node === `s${server}`)!;
      await servers.ask(server, 'POST', `/v1/operator/raft/transfer-leader?id=${ID}`);
      return servers.leader();
    },
    (leader) => leader === server,
  );
}
