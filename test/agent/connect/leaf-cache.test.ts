/**
 * The agent's caches of roots and leaves, against a datacenter in memory whose clock the test moves: what is kept, what is
 * fetched again and when, what happens while servers refuse or are gone.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { LeafCache, RootsCache } from '../../../src/agent/connect/index.ts';
import { CaError, generateKey, leafKeySpec, parseCertificates, privateKeyPem } from '../../../src/ca/index.ts';
import { Datacenter } from './support.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface World {
  readonly datacenter: Datacenter;
  readonly roots: RootsCache;
  readonly leaves: LeafCache;
  get(options?: {
    service?: string;
    token?: string;
    minIndex?: number;
    waitMs?: number;
    signal?: AbortSignal;
  }): ReturnType<LeafCache['get']>;
}

const worlds: World[] = [];
afterEach(() => {
  for (const { roots, leaves } of worlds.splice(0)) {
    leaves.stop();
    roots.stop();
  }
});

async function world(random = 0.5, isLed = true): Promise<World> {
  const datacenter = new Datacenter({ config: { CSRMaxPerSecond: 0 } });
  if (isLed) await datacenter.manager.becomeLeader();
  const backend = datacenter.backend();
  const roots = new RootsCache({ backend, clock: datacenter.clock });
  const leaves = new LeafCache({ backend, roots, clock: datacenter.clock, random: () => random });
  const made: World = {
    datacenter,
    roots,
    leaves,
    get: ({ service = 'web', token = '', minIndex = 0, waitMs = 0, signal } = {}) =>
      leaves.get({ service, caller: { token, address: '', call: 'test', datacenter: '' }, minIndex, waitMs, signal }),
  };
  worlds.push(made);
  return made;
}

async function rotate({ datacenter }: World): Promise<void> {
  const Config = {
    CSRMaxPerSecond: 0,
    PrivateKey: privateKeyPem(await generateKey(leafKeySpec)),
  };
  await datacenter.manager.configure({ Provider: 'consul', Config, State: null, ForceWithoutCrossSigning: false });
}

describe('a plain read', () => {
  it('fetches once, then answers from the cache; another token or service has a leaf and key of its own', async () => {
    const { get, datacenter, leaves } = await world();
    const leaf = await get();
    expect(leaf).toMatchObject({ Service: 'web', PrivateKeyPEM: expect.stringContaining('BEGIN EC PRIVATE KEY') });
    expect(await get()).toBe(leaf);
    const others = [await get({ token: 'secret' }), await get({ service: 'db' })];
    expect(new Set([leaf, ...others].map((each) => each.PrivateKeyPEM)).size).toBe(3);
    expect([datacenter.signed, leaves.size]).toEqual([3, 3]);
  });

  it('that several make at once is one request', async () => {
    const { get, datacenter } = await world();
    const leaves = await Promise.all([get(), get(), get()]);
    expect(new Set(leaves).size).toBe(1);
    expect(datacenter.signed).toBe(1);
  });

  it('gets a new leaf when the old one expired, and an error when there is none to be had', async () => {
    const { get, datacenter } = await world();
    const leaf = await get();
    datacenter.clock.advance(3 * dayMs);
    datacenter.failWith = new Error('No cluster leader');
    await expect(get()).rejects.toThrow('No cluster leader');
    datacenter.failWith = null;
    expect((await get()).ModifyIndex).toBeGreaterThan(leaf.ModifyIndex);
  });

  it('gets a new leaf at once after a rotation', async () => {
    const made = await world();
    const leaf = await made.get();
    await rotate(made);
    const next = await expectNewRoot(made, leaf.CertPEM);
    expect(next).toHaveLength(2);
  });

  it('keeps the old leaf while a rotation makes the CA refuse, without asking again at every read', async () => {
    const made = await world();
    const leaf = await made.get();
    await rotate(made);
    await made.roots.read({ datacenter: '', minIndex: made.datacenter.read().rootsIndex - 1, waitMs: 1 });
    made.datacenter.failWith = new CaError('rate-limited', 'Rate limit reached, try again later');
    expect(await made.get()).toBe(leaf);
    made.datacenter.failWith = null;
    expect(await made.get()).toBe(leaf);
    expect(made.datacenter.signed).toBe(1);
    made.datacenter.clock.advance(60_000);
    expect(await made.get()).not.toBe(leaf);
  });

  it('refuses an empty name, and passes the first refusal on', async () => {
    const { get, datacenter, leaves } = await world();
    await expect(get({ service: '' })).rejects.toThrow('URI must be either service or agent');
    datacenter.failWith = new CaError('rate-limited', 'Rate limit reached, try again later');
    await expect(get()).rejects.toThrow('Rate limit reached, try again later');
    expect(leaves.size).toBe(0);
  });
});

/** Reads until the cache has noticed the new root; the chain of the new leaf. */
async function expectNewRoot({ get }: World, oldPem: string): Promise<readonly unknown[]> {
  await expect.poll(async () => (await get()).CertPEM !== oldPem).toBe(true);
  const chain = parseCertificates((await get()).CertPEM);
  if (!chain.ok) throw chain.error;
  return chain.value;
}

describe('a blocking read', () => {
  it('returns at once when the leaf is newer, else the same leaf when the wait is over', async () => {
    const { get, datacenter } = await world();
    const leaf = await get();
    expect(await get({ minIndex: leaf.ModifyIndex - 1 })).toBe(leaf);
    const blocked = get({ minIndex: leaf.ModifyIndex, waitMs: 1_000 });
    await expect.poll(() => datacenter.clock.pendingMs).toContain(1_000);
    datacenter.clock.advance(1_000);
    expect(await blocked).toBe(leaf);
    expect(datacenter.signed).toBe(1);
  });

  it('gets the next leaf at its time, in the middle of the window for a chance of one half', async () => {
    const { get, datacenter } = await world(0.5);
    const leaf = await get();
    const blocked = get({ minIndex: leaf.ModifyIndex, waitMs: 10 * dayMs });
    const renewalMs = 0.75 * 72 * hourMs - 60_000; // from notBefore, which is a minute ago
    await expect.poll(() => datacenter.clock.pendingMs).toContain(renewalMs);
    datacenter.clock.advance(renewalMs);
    const next = await blocked;
    expect(next.ModifyIndex).toBeGreaterThan(leaf.ModifyIndex);
    expect(next.PrivateKeyPEM).not.toBe(leaf.PrivateKeyPEM);
  });

  it('gets a leaf of the new root within half a minute of a rotation', async () => {
    const made = await world(0.5);
    const leaf = await made.get();
    const blocked = made.get({ minIndex: leaf.ModifyIndex, waitMs: hourMs });
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(hourMs);
    await rotate(made);
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(15_000);
    made.datacenter.clock.advance(15_000);
    expect((await blocked).CertPEM).not.toBe(leaf.CertPEM);
  });

  it('waits longer after each refusal, and succeeds in the end', async () => {
    const made = await world(0.5);
    const leaf = await made.get();
    const blocked = made.get({ minIndex: leaf.ModifyIndex, waitMs: hourMs });
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(hourMs);
    await rotate(made);
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(15_000);
    made.datacenter.failWith = new CaError('rate-limited', 'Rate limit reached, try again later');
    made.datacenter.clock.advance(15_000);
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(45_000);
    made.datacenter.clock.advance(45_000);
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(30_000);
    made.datacenter.failWith = null;
    made.datacenter.clock.advance(30_000);
    expect((await blocked).CertPEM).not.toBe(leaf.CertPEM);
  });

  it('ends when the client hangs up, and leaves no renewal planned', async () => {
    const { get, datacenter } = await world();
    const leaf = await get();
    const timers = datacenter.clock.pendingMs;
    const controller = new AbortController();
    const blocked = get({ minIndex: leaf.ModifyIndex, waitMs: hourMs, signal: controller.signal });
    await expect.poll(() => datacenter.clock.pendingMs.length).toBe(timers.length + 2);
    controller.abort();
    await blocked;
    expect(datacenter.clock.pendingMs).toEqual(timers);
  });
});

describe('the caches', () => {
  it('forget a leaf nobody read for three days', async () => {
    const { get, datacenter, leaves } = await world();
    await get();
    datacenter.clock.advance(3 * dayMs);
    expect(leaves.size).toBe(1);
    datacenter.clock.advance(hourMs);
    expect(leaves.size).toBe(0);
  });

  it('wait a moment for the first root of a cluster that has just begun', async () => {
    const made = await world(0.5, false);
    const early = made.get();
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(2_000);
    await made.datacenter.manager.becomeLeader();
    expect((await early).Service).toBe('web');
  });

  it('say so when there is no root', async () => {
    const made = await world(0.5, false);
    const early = made.get();
    await expect.poll(() => made.datacenter.clock.pendingMs).toContain(2_000);
    made.datacenter.clock.advance(2_000);
    await expect(early).rejects.toThrow('CA has not finished initializing');
  });

  it('serve roots from memory and wake whoever waits for a change', async () => {
    const made = await world();
    const first = await made.roots.read({ datacenter: '', minIndex: 0, waitMs: 0 });
    expect(first.hit).toBe(false);
    expect((await made.roots.read({ datacenter: 'dc1', minIndex: 0, waitMs: 0 })).hit).toBe(true);
    const blocked = made.roots.read({ datacenter: '', minIndex: first.index, waitMs: hourMs });
    await rotate(made);
    expect((await blocked).roots.Roots).toHaveLength(2);
  });
});
