/**
 * The authority over a long random life on the real state machine: leaders come and go, keys are rotated by force or not,
 * life times change, days pass, leaves are signed. After every step, whatever the order:
 *
 *   - exactly one root is active, and its key signs
 *   - every leaf that is still valid verifies against the roots as listed now (nobody's connection drops)
 *   - the newest leaf also verifies for somebody who has heard of no root since the last rotation that was not forced
 *   - no serial was given twice
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CaManager, caServerOn } from '../../../src/agent/connect/index.ts';
import {
  buildCsr,
  type Certificate,
  formatSpiffe,
  generateKey,
  leafKeySpec,
  parseCertificate,
  parseCertificates,
  privateKeyPem,
  serviceId,
  trustDomainOf,
  verifyChain,
} from '../../../src/ca/index.ts';
import { readCa } from '../../../src/fsm/index.ts';
import { TestBackend } from '../../support/backend.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const hourMs = 3_600_000;

type Step =
  | { readonly kind: 'leader' }
  | { readonly kind: 'sign' }
  | { readonly kind: 'rotate'; readonly key: number; readonly force: boolean }
  | { readonly kind: 'lifetime'; readonly hours: number }
  | { readonly kind: 'wait'; readonly hours: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'leader' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'sign' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate' as const), key: fc.nat(3), force: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lifetime' as const), hours: fc.integer({ min: 1, max: 72 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 80 }) }) },
);

class World {
  readonly clock = new VirtualClock();
  readonly backend = new TestBackend();
  readonly leaves: (readonly Certificate[])[] = [];
  readonly serials = new Set<bigint>();
  /** Roots known to somebody who stopped listening before the last rotation with a bridge. */
  stale: readonly Certificate[] = [];
  hours = 72;
  key = 0;
  readonly #keys: readonly string[];
  #draws = 0;
  #manager = this.#lead();

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'leader':
        this.#manager.loseLeadership();
        this.#manager = this.#lead();
        return this.start();
      case 'sign':
        return this.sign();
      case 'rotate':
        this.stale = this.roots();
        this.key = step.key;
        await this.#configure(step.force);
        if (step.force) this.stale = this.roots();
        return;
      case 'lifetime':
        this.hours = step.hours;
        return this.#configure(false);
      case 'wait':
        for (let hour = 0; hour < step.hours; hour++) {
          this.clock.advance(hourMs);
          await expect.poll(() => this.#manager.state, { interval: 1 }).toBe('INITIALIZED');
        }
    }
  }

  async start(): Promise<void> {
    await this.#manager.becomeLeader();
    if (this.stale.length === 0) this.stale = this.roots();
  }

  roots(): readonly Certificate[] {
    return readCa(this.backend.store.view).roots.map((root) => must(parseCertificate(root.RootCert)));
  }

  async sign(): Promise<void> {
    const trustDomain = trustDomainOf(readCa(this.backend.store.view).configuration!.ClusterID);
    const uris = [formatSpiffe(serviceId(trustDomain, 'dc1', 'web'))];
    const csr = buildCsr({ commonName: 'x', uris, dnsNames: [], ipAddresses: [] }, await generateKey(leafKeySpec));
    const { CertPEM } = await this.#manager.sign(csr, () => undefined);
    this.leaves.push(must(parseCertificates(CertPEM)));
  }

  check(): void {
    const { roots } = readCa(this.backend.store.view);
    expect(roots.filter((root) => root.Active)).toHaveLength(1);
    const nowMs = this.clock.wallMs();
    for (const [leaf, ...intermediates] of this.leaves) {
      if (nowMs > leaf!.notAfterMs) continue;
      must(verifyChain({ certificate: leaf!, intermediates, roots: this.roots(), nowMs, purpose: 'server' }));
    }
  }

  async checkNewest(): Promise<void> {
    await this.sign();
    const [leaf, ...intermediates] = this.leaves.at(-1)!;
    expect(this.serials.has(leaf!.serial)).toBe(false);
    for (const [each] of this.leaves) this.serials.add(each!.serial);
    expect(this.serials.size).toBe(this.leaves.length);
    const nowMs = this.clock.wallMs();
    const bridge = intermediates[0];
    if (bridge !== undefined && nowMs > bridge.notAfterMs) return; // a week later everybody has heard
    must(verifyChain({ certificate: leaf!, intermediates, roots: this.stale, nowMs, purpose: 'client' }));
  }

  #lead(): CaManager {
    return new CaManager(
      { provider: 'consul', config: { CSRMaxPerSecond: 0 }, sealKey: new Uint8Array(32).fill(3) },
      {
        server: caServerOn(this.backend, () => this.backend.store.view),
        clock: this.clock,
        uuid: () => '017f3d96-d823-4521-729f-f3cba1775c04',
        randomBytes: (size) =>
          createHash('sha512')
            .update(`${this.#draws++}`)
            .digest()
            .subarray(0, size),
        log: { info: () => undefined, warn: () => undefined },
      },
    );
  }

  async #configure(force: boolean): Promise<void> {
    const key = this.key === 0 ? {} : { PrivateKey: this.#keys[this.key - 1]! };
    const Config = { CSRMaxPerSecond: 0, LeafCertTTL: `${this.hours}h`, ...key };
    await this.#manager.configure({ Provider: 'consul', Config, State: null, ForceWithoutCrossSigning: force });
  }
}

function must<T>(result: { ok: true; value: T } | { ok: false; error: Error }): T {
  if (!result.ok) throw result.error;
  return result.value;
}

it('keeps every valid leaf trusted through any order of rotations, leaders and days', async () => {
  const keys = await Promise.all([1, 2, 3].map(async () => privateKeyPem(await generateKey(leafKeySpec))));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const world = new World(keys);
      await world.start();
      for (const each of steps) {
        await world.run(each);
        world.check();
      }
      await world.checkNewest();
    }),
    { numRuns: 30 },
  );
});
