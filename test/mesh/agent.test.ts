/** What an agent's configuration says about the mesh, on real agents: the default for intentions, entries written at start. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { Agent, ConfigError } from '../../src/index.ts';
import { authorizeBy, decodeMatch } from '../../src/proxy/authorize.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-mesh-'));
const agents: Agent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(options: Parameters<typeof Agent.start>[0]): Promise<Agent> {
  const agent = await Agent.start({ anyPorts: true, ...options });
  agents.push(agent);
  return agent;
}

/** Asks until the answer is as wanted: what a leader does at its start is done beside the answers. */
async function eventually(agent: Agent, path: string, wanted: object): Promise<void> {
  await expect.poll(async () => (await fetch(agent.httpAddress + path)).json().catch(() => null)).toMatchObject(wanted);
}

it('default_intention_policy holds for check, authorize and sidecars alike, and is named as the reason', async () => {
  const agent = await start({ dev: true, given: { default_intention_policy: 'deny' } });
  const base = `${agent.httpAddress}/v1/connect/intentions`;
  expect(await (await fetch(`${base}/check?source=web&destination=db`)).json()).toEqual({ Allowed: false });

  await eventually(agent, '/v1/connect/ca/roots', { TrustDomain: expect.any(String) });
  const roots = await fetch(`${agent.httpAddress}/v1/connect/ca/roots`);
  const { TrustDomain } = (await roots.json()) as { TrustDomain: string };
  const Reason = 'No intention applies, access is denied by default_intention_policy';
  const body = { Target: 'db', ClientCertURI: `spiffe://${TrustDomain}/ns/default/dc/dc1/svc/web` };
  const authorized = await fetch(`${agent.httpAddress}/v1/agent/connect/authorize`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  expect(await authorized.json()).toEqual({ Authorized: false, Reason });

  const match = await fetch(`${base}/match?by=destination&name=db`);
  const matched = decodeMatch(await match.json(), Object.fromEntries(match.headers));
  const id = { trustDomain: TrustDomain, namespace: 'default', datacenter: 'dc1' };
  const authorize = authorizeBy(matched, { kind: 'service', ...id, service: 'db' });
  expect(authorize({ kind: 'service', ...id, service: 'web' })).toEqual({ allowed: false, reason: Reason });
});

it('without it nothing more is said than before', async () => {
  const agent = await start({ dev: true });
  const match = await fetch(`${agent.httpAddress}/v1/connect/intentions/match?by=destination&name=db`);
  expect(match.headers.has('x-heddle-default-intention-policy')).toBe(false);
});

it('config entries of the configuration are written where they are absent, and left alone afterwards', async () => {
  const bootstrap = [
    { kind: 'service-defaults', name: 'web', protocol: 'HTTP' },
    { kind: 'service-intentions', name: 'web', sources: [{ name: '*', action: 'deny' }] },
  ];
  const given = {
    data_dir: join(folder, 'bootstrap'),
    bind_addr: '127.0.17.9',
    server: true,
    bootstrap: true,
    config_entries: { bootstrap },
  };
  const first = await start({ given });
  await eventually(first, '/v1/config/service-defaults/web', { Protocol: 'http' });
  await eventually(first, '/v1/config/service-intentions/web', { Sources: [{ Name: '*', Action: 'deny' }] });
  const changed = { Kind: 'service-defaults', Name: 'web', Protocol: 'grpc' };
  const answer = await fetch(`${first.httpAddress}/v1/config`, { method: 'PUT', body: JSON.stringify(changed) });
  expect((await answer.text()).trim()).toBe('true');
  await fetch(`${first.httpAddress}/v1/config/service-intentions/web`, { method: 'DELETE' });
  await first.stop();

  const second = await start({ given });
  await eventually(second, '/v1/config/service-intentions/web', { Sources: [{ Name: '*', Action: 'deny' }] });
  await eventually(second, '/v1/config/service-defaults/web', { Protocol: 'grpc' });
});

it.each([
  [{ default_intention_policy: 'perhaps' }, "default_intention_policy must be 'allow' or 'deny', not \"perhaps\""],
  [
    { config_entries: { bootstrap: [{ kind: 'weird' }] } },
    'config_entries.bootstrap[0]: invalid config entry kind: weird',
  ],
  [{ config_entries: { bootstrap: [{ kind: 'service-defaults' }] } }, 'config_entries.bootstrap[0]: Name is required'],
  [
    { config_entries: { bootstrap: [{ kind: 'mesh' }] } },
    'config_entries.bootstrap[0]: config entry kind "mesh" is not supported by this version',
  ],
])('a configuration that is wrong is refused at start', async (given, text) => {
  const failed = Agent.start({ dev: true, anyPorts: true, given });
  await expect(failed).rejects.toThrow(ConfigError);
  await expect(failed).rejects.toThrow(text);
});
