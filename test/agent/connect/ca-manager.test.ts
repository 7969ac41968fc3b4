/** The leader's authority as a driver: initialisation and its retries, signing under limits, one change at a time. */
import { describe, expect, it } from 'vitest';
import {
  buildCsr,
  formatSpiffe,
  generateKey,
  leafKeySpec,
  privateKeyPem,
  serviceId,
  trustDomainOf,
} from '../../../src/ca/index.ts';
import { Datacenter } from './support.ts';

const hourMs = 3_600_000;

async function led(options: ConstructorParameters<typeof Datacenter>[0] = {}): Promise<Datacenter> {
  const datacenter = new Datacenter(options);
  await datacenter.manager.becomeLeader();
  expect(datacenter.manager.state).toBe('INITIALIZED');
  return datacenter;
}

async function csrFor(datacenter: Datacenter, service = 'web'): Promise<string> {
  const trustDomain = trustDomainOf(datacenter.read().configuration!.ClusterID);
  const uris = [formatSpiffe(serviceId(trustDomain, 'dc1', service))];
  return buildCsr({ commonName: 'x', uris, dnsNames: [], ipAddresses: [] }, await generateKey(leafKeySpec));
}

const allow = (): void => undefined;
const configuration = (Config: Record<string, unknown>, force = false) => ({
  Provider: 'consul',
  Config,
  State: null,
  ForceWithoutCrossSigning: force,
});
const newKey = async () => privateKeyPem(await generateKey(leafKeySpec));

describe('leadership', () => {
  it('makes the first root once; the next leader finds it', async () => {
    const datacenter = await led();
    const [root] = datacenter.read().roots;
    datacenter.manager.loseLeadership();
    await datacenter.manager.becomeLeader();
    expect(datacenter.read().roots).toEqual([root]);
  });

  it('tries again after 1, 2, 4 … seconds until it works, and stops when leadership ends', async () => {
    const datacenter = new Datacenter();
    datacenter.failWith = new Error('disk on fire');
    await datacenter.manager.becomeLeader();
    expect(datacenter.manager.state).toBe('INITIALIZING');
    expect(datacenter.clock.pendingMs).toEqual([1_000]);
    expect(datacenter.log).toEqual(['CA is not initialised: disk on fire']);
    datacenter.failWith = null;
    datacenter.clock.advance(1_000);
    await expect.poll(() => datacenter.manager.state).toBe('INITIALIZED');
    datacenter.manager.loseLeadership();
    expect(datacenter.clock.pendingMs).toEqual([]);
  });

  it('does not become ready without the key that opens the CA key', async () => {
    const sealKey = new Uint8Array(32).fill(1);
    const datacenter = await led({ sealKey });
    const other = new Datacenter();
    other.read = () => datacenter.read();
    await other.manager.becomeLeader();
    expect(other.manager.state).toBe('INITIALIZING');
    expect(other.log[0]).toContain('the CA key is encrypted and this server has no key to open it');
  });

  it('signs nothing before it leads', async () => {
    const datacenter = new Datacenter();
    const signing = datacenter.manager.sign('x', allow);
    await expect(signing).rejects.toThrow('CA is uninitialized and unable to sign certificates yet: provider is nil');
  });
});

describe('signing', () => {
  it('takes a serial from the log and its index for the leaf', async () => {
    const datacenter = await led();
    const leaf = await datacenter.manager.sign(await csrFor(datacenter), allow);
    expect(leaf).toMatchObject({
      SerialNumber: '08',
      Service: 'web',
      CreateIndex: datacenter.index,
      PrivateKeyPEM: '',
    });
  });

  it('asks who may have the identity, after the CSR was found good and before a serial is taken', async () => {
    const datacenter = await led();
    const { index } = datacenter;
    const asked: unknown[] = [];
    const deny = (id: unknown): never => {
      asked.push(id);
      throw new Error('Permission denied');
    };
    await expect(datacenter.manager.sign(await csrFor(datacenter, 'db'), deny)).rejects.toThrow('Permission denied');
    expect(asked).toEqual([expect.objectContaining({ kind: 'service', service: 'db' })]);
    await expect(datacenter.manager.sign('junk', deny)).rejects.toThrow('no PEM-encoded data found');
    expect(asked).toHaveLength(1);
    expect(datacenter.index).toBe(index);
  });

  it('goes as fast as CSRMaxPerSecond says: waits half a second, then refuses', async () => {
    const datacenter = await led({ config: { CSRMaxPerSecond: 4 } });
    const csr = await csrFor(datacenter);
    const all = Array.from({ length: 4 }, () => datacenter.manager.sign(csr, allow));
    await expect(all[3]).rejects.toThrow('Rate limit reached, try again later');
    await all[0];
    datacenter.clock.advance(500);
    await Promise.all(all.slice(0, 3));
    datacenter.clock.advance(250);
    await datacenter.manager.sign(csr, allow);
  });

  it('does so many at a time as CSRMaxConcurrent says, when no rate is set', async () => {
    const datacenter = await led({ config: { CSRMaxPerSecond: 0, CSRMaxConcurrent: 1 } });
    const csr = await csrFor(datacenter);
    const leaves = await Promise.all([datacenter.manager.sign(csr, allow), datacenter.manager.sign(csr, allow)]);
    expect(new Set(leaves.map((leaf) => leaf.SerialNumber)).size).toBe(2);
  });

  it('uses a new root as soon as it is there', async () => {
    const datacenter = await led();
    const csr = await csrFor(datacenter);
    const before = await datacenter.manager.sign(csr, allow);
    datacenter.clock.advance(1_000);
    await datacenter.manager.configure(configuration({ PrivateKey: await newKey() }));
    const after = await datacenter.manager.sign(csr, allow);
    const certificates = (pem: string): number => pem.split('BEGIN CERTIFICATE').length - 1;
    expect([certificates(before.CertPEM), certificates(after.CertPEM)]).toEqual([1, 2]);
  });
});

describe('changes', () => {
  it('come one at a time: a second one meanwhile is refused', async () => {
    const datacenter = await led();
    const first = datacenter.manager.configure(configuration({ PrivateKey: await newKey() }));
    expect(datacenter.manager.state).toBe('RECONFIGURING');
    await expect(datacenter.manager.configure(configuration({}))).rejects.toThrow(
      'CA is already in state "RECONFIGURING"',
    );
    await first;
    expect(datacenter.manager.state).toBe('INITIALIZED');
    expect(datacenter.log.at(-1)).toBe('rotated the CA root');
  });

  it('leave everything as it was when they fail', async () => {
    const datacenter = await led();
    const before = datacenter.read();
    await expect(datacenter.manager.configure(configuration({ LeafCertTTL: '1m' }))).rejects.toThrow('leaf cert TTL');
    datacenter.failWith = new Error('no quorum');
    await expect(datacenter.manager.configure(configuration({ PrivateKey: await newKey() }))).rejects.toThrow(
      'no quorum',
    );
    expect(datacenter.read()).toBe(before);
    expect(datacenter.manager.state).toBe('INITIALIZED');
  });

  it('forget old roots, hourly', async () => {
    const datacenter = await led({ config: { LeafCertTTL: '1h' } });
    await datacenter.manager.configure(configuration({ LeafCertTTL: '1h', PrivateKey: await newKey() }));
    expect(datacenter.read().roots).toHaveLength(2);
    for (let hour = 0; hour < 4; hour++) {
      datacenter.clock.advance(hourMs);
      await expect.poll(() => datacenter.clock.pendingMs.length).toBe(1);
    }
    await expect.poll(() => datacenter.read().roots.length).toBe(1);
    expect(datacenter.log.at(-1)).toBe('forgot old CA roots');
  });
});
