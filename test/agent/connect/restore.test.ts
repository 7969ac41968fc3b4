/**
 * Snapshots and the authority: a restored state brings back its roots, its key and its trust, in the running agent and in
 * another cluster, and leaves signed from then on are of it.
 */
import { afterEach, expect, it } from 'vitest';
import { Agent } from '../../../src/agent/index.ts';
import {
  generateKey,
  leafKeySpec,
  parseCertificate,
  parseCertificates,
  privateKeyPem,
  verifyPeer,
} from '../../../src/ca/index.ts';
import type { CaRoots, IssuedCert } from '../../../src/structs/index.ts';
import { must } from '../../ca/support.ts';

const agents: Agent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});

async function start(): Promise<Agent> {
  const agent = await Agent.start({ dev: true, anyPorts: true });
  agents.push(agent);
  return agent;
}

async function ask(
  agent: Agent,
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Buffer> {
  const response = await fetch(`${agent.httpAddress}${path}`, { method, ...(body === undefined ? {} : { body }) });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.status, bytes.toString('latin1').slice(0, 200)).toBe(200);
  return bytes;
}
const read = async <T>(agent: Agent, path: string): Promise<T> =>
  JSON.parse(String(await ask(agent, 'GET', path))) as T;
const roots = (agent: Agent) => read<CaRoots>(agent, '/v1/connect/ca/roots');

/** Whether the leaf that the agent gives now verifies against the roots it gives now. */
async function isConsistent(agent: Agent): Promise<boolean> {
  const known = await read<CaRoots>(agent, '/v1/agent/connect/ca/roots');
  const leaf = await read<IssuedCert>(agent, '/v1/agent/connect/ca/leaf/web');
  const [certificate, ...intermediates] = must(parseCertificates(leaf.CertPEM));
  const active = known.Roots!.filter(({ Active }) => Active).map(({ RootCert }) => must(parseCertificate(RootCert)));
  const request = {
    certificate: certificate!,
    intermediates,
    roots: active,
    nowMs: Date.now(),
    purpose: 'client' as const,
  };
  return verifyPeer({ ...request, trustDomain: known.TrustDomain }).ok;
}

it('a restore gives no serial again', async () => {
  const agent = await start();
  await expect.poll(() => isConsistent(agent)).toBe(true);
  const snapshot = await ask(agent, 'GET', '/v1/snapshot');
  const serial = async (service: string): Promise<string> =>
    (await read<IssuedCert>(agent, `/v1/agent/connect/ca/leaf/${service}`)).SerialNumber;
  const before = [await serial('a'), await serial('b')];
  await ask(agent, 'PUT', '/v1/snapshot', new Uint8Array(snapshot));
  const after = [await serial('c'), await serial('d')];
  expect(new Set([...before, ...after]).size).toBe(4);
});

it('a restore takes a rotation back', async () => {
  const agent = await start();
  await expect.poll(() => isConsistent(agent)).toBe(true);
  const before = await roots(agent);
  const snapshot = await ask(agent, 'GET', '/v1/snapshot');
  const PrivateKey = privateKeyPem(await generateKey(leafKeySpec));
  await ask(
    agent,
    'PUT',
    '/v1/connect/ca/configuration',
    JSON.stringify({ Provider: 'consul', Config: { PrivateKey } }),
  );
  expect((await roots(agent)).ActiveRootID).not.toBe(before.ActiveRootID);
  await ask(agent, 'PUT', '/v1/snapshot', new Uint8Array(snapshot));
  expect(await roots(agent)).toMatchObject({ ActiveRootID: before.ActiveRootID, TrustDomain: before.TrustDomain });
  await expect.poll(() => isConsistent(agent)).toBe(true);
});

it('a snapshot moves the authority to another cluster, trust domain and all', async () => {
  const [from, to] = [await start(), await start()];
  await expect.poll(() => isConsistent(to)).toBe(true);
  const known = await roots(from);
  await ask(to, 'PUT', '/v1/snapshot', new Uint8Array(await ask(from, 'GET', '/v1/snapshot')));
  expect(await roots(to)).toMatchObject({ ActiveRootID: known.ActiveRootID, TrustDomain: known.TrustDomain });
  await expect
    .poll(async () => (await read<CaRoots>(to, '/v1/agent/connect/ca/roots')).TrustDomain)
    .toBe(known.TrustDomain);
  await expect.poll(() => isConsistent(to)).toBe(true);
});
