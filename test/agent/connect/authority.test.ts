/** The authority in a real server, on Raft and LMDB: first leaf after a start, restart, rotation, and who may do what. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type AuthorityRights,
  everybodyMay,
  installAuthority,
  LeafCache,
  RootsCache,
} from '../../../src/agent/connect/index.ts';
import type { Server } from '../../../src/agent/server/index.ts';
import { generateKey, leafKeySpec, parseCertificates, privateKeyPem, verifyPeer } from '../../../src/ca/index.ts';
import { readCa } from '../../../src/fsm/index.ts';
import { systemClock as clock } from '../../../src/raft/index.ts';
import { HeddleError } from '../../../src/std/errors.ts';
import { must } from '../../ca/support.ts';
import { caller, openServer, reading } from '../server/support.ts';

const options = { provider: 'consul', config: {}, sealKey: new Uint8Array(32).fill(5) };
const quiet = { info: () => undefined, warn: () => undefined };

let dataDir: string;
const stops: (() => unknown)[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'heddle-authority-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(
  rights: AuthorityRights = everybodyMay,
): Promise<{ server: Server; leaves: LeafCache; roots: RootsCache }> {
  const server = await openServer({ dataDir });
  installAuthority(server, options, { clock, log: quiet, rights });
  const roots = new RootsCache({ backend: server, clock });
  const leaves = new LeafCache({ backend: server, roots, clock, random: Math.random });
  stops.push(
    () => server.stop(),
    () => roots.stop(),
    () => leaves.stop(),
  );
  return { server, leaves, roots };
}
const ask = { service: 'web', caller: { ...caller, call: 'test' }, minIndex: 0, waitMs: 0 };

it('gives a leaf to who asks right after the start, and the roots to check it', async () => {
  const { leaves, roots } = await start();
  const leaf = await leaves.get(ask);
  const [certificate, ...intermediates] = must(parseCertificates(leaf.CertPEM));
  const known = (await roots.read({ datacenter: '', minIndex: 0, waitMs: 0 })).roots;
  const id = verifyPeer({
    certificate: certificate!,
    intermediates,
    roots: known.Roots!.flatMap((root) => must(parseCertificates(root.RootCert))),
    trustDomain: known.TrustDomain,
    nowMs: Date.now(),
    purpose: 'server',
  });
  expect(must(id)).toMatchObject({ kind: 'service', service: 'web', datacenter: 'dc1' });
});

it('keeps root, key and serials over a restart', async () => {
  const first = await start();
  const before = await first.leaves.get(ask);
  const [root] = readCa(first.server.view).roots;
  first.leaves.stop();
  first.roots.stop();
  await first.server.stop();
  const second = await start();
  const after = await second.leaves.get(ask);
  expect(readCa(second.server.view).roots).toEqual([root]);
  const serial = (text: string): number => Number.parseInt(text.replaceAll(':', ''), 16);
  expect(serial(after.SerialNumber)).toBeGreaterThan(serial(before.SerialNumber));
});

it('wakes who waits for the roots when they rotate, and gives leaves of the new one', async () => {
  const { server, leaves, roots } = await start();
  const before = await leaves.get(ask);
  const known = await roots.read({ datacenter: '', minIndex: 0, waitMs: 0 });
  const waiting = roots.read({ datacenter: '', minIndex: known.index, waitMs: 20_000 });
  const Config = { PrivateKey: privateKeyPem(await generateKey(leafKeySpec)) };
  await server.call(
    'ca.configure',
    { Provider: 'consul', Config, State: null, ForceWithoutCrossSigning: false },
    caller,
  );
  expect((await waiting).roots.Roots).toHaveLength(2);
  const after = await leaves.get(ask);
  expect(must(parseCertificates(after.CertPEM))).toHaveLength(2);
  expect(after.CertPEM).not.toBe(before.CertPEM);
});

it('writes no private key of the authority where anybody could read it', async () => {
  const { server, leaves } = await start();
  await leaves.get(ask);
  expect(readCa(server.view).providerState?.PrivateKey).toMatch(/^sealed:v1:/);
  const shown = await Promise.all([
    server.query('ca.roots', {}, reading),
    server.query('ca.configuration', {}, reading),
  ]);
  expect(JSON.stringify(shown)).not.toMatch(/PRIVATE KEY|sealed:/);
});

it('asks for rights: to act for the service, to configure', async () => {
  const asked: string[] = [];
  const deny = (what: string): never => {
    asked.push(what);
    throw new HeddleError('denied', 'Permission denied');
  };
  const { server, leaves } = await start({
    mayAct: (id, { token }) => deny(`${id.kind} ${token}`),
    mayConfigure: ({ token }) => deny(`configure ${token}`),
  });
  const secret = { ...caller, token: 't' };
  await expect(leaves.get({ ...ask, caller: secret })).rejects.toThrow('Permission denied');
  const request = { Provider: 'consul', Config: {}, State: null, ForceWithoutCrossSigning: false };
  await expect(server.call('ca.configure', request, secret)).rejects.toThrow('Permission denied');
  expect(asked).toEqual(['service t', 'configure t']);
  expect(leaves.size).toBe(0);
});
