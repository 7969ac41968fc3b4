// An agent in this process, on real Raft and LMDB: what a program holds, what survives, what is left when it stops.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Agent } from '../../src/index.ts';
import { bundleProgram } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-agent-'));
const agents: Agent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(options: Parameters<typeof Agent.start>[0] = {}): Promise<Agent> {
  const agent = await Agent.start({ dev: true, anyPorts: true, ...options });
  agents.push(agent);
  return agent;
}
const get = async (agent: Agent, path: string): Promise<unknown> => (await fetch(agent.httpAddress + path)).json();
async function put(agent: Agent, path: string, body?: unknown): Promise<string> {
  const response = await fetch(agent.httpAddress + path, {
    method: 'PUT',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return `${response.status} ${await response.text()}`;
}

describe('a development agent', () => {
  it('is ready when it is started: leader elected, node registered, writes answered, identities given', async () => {
    const agent = await start({ given: { node_name: 'n1' } });
    expect(agent.httpAddress).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(agent, '/v1/status/leader')).not.toBe('');
    expect(await put(agent, '/v1/kv/a', 1)).toBe('200 true\n');
    expect(await get(agent, '/v1/health/node/n1')).toMatchObject([{ CheckID: 'serfHealth', Status: 'passing' }]);
    expect(await get(agent, '/v1/agent/connect/ca/leaf/web')).toMatchObject({ Service: 'web' });
  });

  it('shows its metrics as JSON, and in the format of Prometheus', async () => {
    const agent = await start();
    expect(await get(agent, '/v1/agent/metrics')).toMatchObject({ Gauges: expect.any(Array) });
    const answer = await fetch(`${agent.httpAddress}/v1/agent/metrics?format=prometheus`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await answer.text()).toMatch(/^# HELP .*\n# TYPE /);
  });

  it('removes its directory when it stops, and never stops twice', async () => {
    const agent = await start();
    expect(existsSync(agent.dataDir)).toBe(true);
    await Promise.all([agent.stop(), agent.stop()]);
    expect(existsSync(agent.dataDir)).toBe(false);
    await expect(fetch(agent.httpAddress)).rejects.toThrow();
  });

  it('leaves no timer and no handle: a program that stopped it ends by itself', async () => {
    const program = `
      import { Agent } from './src/index.ts';
      const services = [{ name: 'web', checks: [{ ttl: '1h' }, { tcp: '127.0.16.4:1', interval: '10s' }, { alias_node: 'x' }] }];
      const agent = await Agent.start({ dev: true, anyPorts: true, given: { services } });
      const answer = await fetch(agent.httpAddress + '/v1/agent/connect/ca/leaf/web', { headers: { connection: 'close' } });
      console.log((await answer.json()).Service);
      await agent.stop();
      process.on('exit', (code) => console.log('ended', code));`;
    const outfile = await bundleProgram('agent-ends', program);
    const { stdout } = await promisify(execFile)(process.execPath, [outfile], { timeout: 20_000 });
    expect(stdout).toBe('web\nended 0\n');
  });
});

describe('a durable agent', () => {
  const given = {
    data_dir: join(folder, 'durable'),
    server: true,
    bootstrap: true,
    bind_addr: '127.0.16.4',
    node_name: 'd1',
  };
  it('has its state, its id and its registrations after a restart', async () => {
    const first = await start({ dev: false, given });
    await put(first, '/v1/kv/a', 'kept');
    await put(first, '/v1/agent/service/register', { Name: 'web', Port: 80, Check: { TTL: '1h', Status: 'passing' } });
    await first.stop();
    const second = await start({ dev: false, given });
    expect(second.nodeId).toBe(first.nodeId);
    expect(readFileSync(join(given.data_dir, 'node-id'), 'utf8')).toBe(second.nodeId);
    expect(statSync(join(given.data_dir, 'node-id')).mode & 0o777).toBe(0o600);
    expect(await (await fetch(`${second.httpAddress}/v1/kv/a?raw`)).json()).toBe('kept');
    expect(await get(second, '/v1/agent/services')).toMatchObject({ web: { Port: 80 } });
    expect(await get(second, '/v1/catalog/service/web')).toMatchObject([{ ServicePort: 80 }]);
  });
});

describe('reload', () => {
  it('brings new definitions in, takes old ones away, and keeps what holds when the file is wrong', async () => {
    const file = join(folder, 'services.json');
    const write = (...names: string[]): void =>
      writeFileSync(file, JSON.stringify({ services: names.map((name) => ({ name })) }));
    write('a', 'b');
    const agent = await start({ files: [file] });
    const names = async (): Promise<string[]> =>
      Object.keys((await get(agent, '/v1/catalog/services')) as object).sort();
    // The server's own entry is a duty of the leader, which nobody waits for.
    await expect.poll(names, { timeout: 10_000 }).toEqual(['a', 'b', 'consul']);
    write('b', 'c');
    expect(await put(agent, '/v1/agent/reload')).toBe('200 ');
    expect(await names()).toEqual(['b', 'c', 'consul']);
    writeFileSync(file, '{"nope": 1}');
    expect(await put(agent, '/v1/agent/reload')).toBe(
      `500 failed to parse ${file}: 1 error occurred:\n\t* invalid config key nope\n\n`,
    );
    expect(await names()).toEqual(['b', 'c', 'consul']);
  });
});

describe('what it cannot do', () => {
  it.each([
    ['two agents at one address', { ports: { http: 0 } }, /./],
    ['ACLs', { acl: { enabled: true } }, /acl.enabled: this version does not enforce ACLs yet/],
    [
      'a bad level',
      { log_level: 'loud' },
      /^Invalid log level: loud\. Valid log levels are: \[TRACE DEBUG INFO WARN ERR ERROR\]$/,
    ],
    ['a short gossip key', { encrypt: 'YWJj' }, /^Failed to configure keyring: key size must be 16, 24 or 32 bytes$/],
    [
      'a bad id',
      { node_id: 'nope' },
      /^failed to setup node ID: specified NodeID is invalid: uuid string is wrong length$/,
    ],
    ['an unnamed service', { service: { port: 1 } }, /^Failed to register service "": Service name missing$/],
    [
      'a check without a kind',
      { check: { name: 'c' } },
      /^Failed to register check 'c': Check is not valid: TTL must be > 0 for TTL checks$/,
    ],
    [
      'a check without an interval',
      { check: { name: 'c', http: 'http://x' } },
      /Check is not valid: Interval must be > 0/,
    ],
    [
      'a script',
      { check: { name: 'c', args: ['true'], interval: '1s' } },
      /^Failed to register check 'c': Scripts are disabled on this agent; to enable/,
    ],
  ])('%s: it says so, and nothing is left', async (name, given, text) => {
    if (name.startsWith('two agents')) {
      const first = await start({
        given: { bind_addr: '127.0.16.5', client_addr: '127.0.16.5', ports: { http: 8499 } },
        anyPorts: false,
      });
      const second = start({
        given: { bind_addr: '127.0.16.6', client_addr: '127.0.16.5', ports: { http: 8499 } },
        anyPorts: false,
      });
      await expect(second).rejects.toThrow(
        /Failed to start HTTP server: listen tcp 127.0.16.5:8499: bind: address already in use/,
      );
      expect(first.httpAddress).toBe('http://127.0.16.5:8499');
      return;
    }
    await expect(start({ given })).rejects.toThrow(text);
  });

  it('takes no RPC port that somebody has', async () => {
    const ports = { server: 8399 };
    await start({ given: { bind_addr: '127.0.16.7', ports: { ...ports, http: 0, serf_lan: 8398 } }, anyPorts: false });
    const second = { bind_addr: '127.0.16.7', ports: { ...ports, http: 0, serf_lan: 8397 } };
    await expect(start({ given: second, anyPorts: false })).rejects.toThrow(
      /^Failed to start RPC layer: listen tcp 127\.0\.16\.7:8399: bind: address already in use \(is another agent/,
    );
  });
});

describe('its log', () => {
  it('has the form that tools read, names old forms, and never a secret', async () => {
    const lines: string[] = [];
    const agent = await start({
      output: (line) => lines.push(line),
      given: {
        log_level: 'trace',
        acl: { tokens: { default: 'sesame' } },
        service: { name: 'web', token: 'sesame', connect: { proxy: {} } },
      },
    });
    await fetch(`${agent.httpAddress}/v1/agent/self?token=sesame`);
    await put(agent, '/v1/agent/service/register?token=sesame', { Name: 'x', Token: 'sesame' });
    const self = await (await fetch(`${agent.httpAddress}/v1/agent/self`)).text();
    expect(`${lines.join('\n')}${self}`).not.toContain('sesame');
    for (const line of lines)
      expect(line).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[(TRACE|DEBUG|INFO|WARN|ERROR)\] {1,2}(agent[a-z.]*|proxy): /,
      );
    expect(lines.some((line) => line.includes("'connect.proxy' is the old form"))).toBe(true);
  });

  it('can be watched, also as JSON', async () => {
    const agent = await start();
    const watching = new AbortController();
    const response = await fetch(`${agent.httpAddress}/v1/agent/monitor?logjson&loglevel=info`, {
      signal: watching.signal,
    });
    await put(agent, '/v1/agent/service/register', { Name: 'web' });
    const reader = response.body!.getReader();
    let text = '';
    while (!text.includes('Synced service')) text += Buffer.from((await reader.read()).value!).toString();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({ '@level': 'info', '@module': 'agent', '@message': 'Synced service', service: 'web' }),
    );
    watching.abort();
  });
});

describe('leaving', () => {
  it('is answered, and then the agent has ended', async () => {
    const agent = await start();
    expect(await put(agent, '/v1/agent/leave')).toBe('200 ');
    expect(await agent.ended).toEqual({ kind: 'left' });
  });
});

describe('any body', () => {
  let agent: Agent;
  beforeAll(async () => {
    agent = await Agent.start({ dev: true, anyPorts: true });
  });
  afterAll(() => agent.stop());

  const key = fc.constantFrom(
    'ID',
    'Name',
    'Kind',
    'Port',
    'Tags',
    'Meta',
    'Check',
    'Checks',
    'Connect',
    'SidecarService',
    'Proxy',
    'Upstreams',
    'Weights',
    'Passing',
    'TTL',
    'Interval',
    'HTTP',
    'Args',
    'Status',
    'ServiceID',
    'AliasService',
    'TaggedAddresses',
    'DestinationName',
    'Bogus',
    '__proto__',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>('', 'x', 'connect-proxy', '10s', 'passing', 0, 1, -1, 70_000, 1.5, 1e21, true, null),
      fc.array(tie('tree'), { maxLength: 2 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }));
  const body = fc.oneof(
    tree.map((value) => JSON.stringify(value)),
    fc.string(),
  );
  const snapshot = async (): Promise<string> =>
    JSON.stringify([
      await get(agent, '/v1/agent/services'),
      Object.keys((await get(agent, '/v1/agent/checks')) as object),
    ]);
  const clean = async (): Promise<void> => {
    for (const id of Object.keys((await get(agent, '/v1/agent/services')) as object))
      await put(agent, `/v1/agent/service/deregister/${encodeURIComponent(id)}`);
    for (const id of Object.keys((await get(agent, '/v1/agent/checks')) as object))
      await put(agent, `/v1/agent/check/deregister/${encodeURIComponent(id)}`);
  };

  it.each(['/v1/agent/service/register', '/v1/agent/check/register', '/v1/agent/check/update/x'])(
    '%s is taken or refused in words, and what is refused leaves nothing behind',
    async (path) => {
      await fc.assert(
        fc.asyncProperty(body, async (text) => {
          const before = await snapshot();
          const response = await fetch(agent.httpAddress + path, { method: 'PUT', body: text });
          const answer = await response.text();
          expect([200, 400, 500]).toContain(response.status);
          expect(answer).not.toContain('internal error');
          if (response.status === 200) return clean();
          expect(answer).not.toBe('');
          expect(await snapshot()).toBe(before);
        }),
        { numRuns: 120 },
      );
    },
  );
});
