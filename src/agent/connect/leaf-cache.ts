/**
 * Leaf certificates of this agent: one for each service, token and datacenter, each with a key of its own that is made here
 * and never leaves but to whoever asked for the leaf with that token.
 *
 * A plain read gets the cached leaf if it is current: not expired, and signed by the key that signs today. Else a new one is
 * fetched first. A blocking read (`minIndex`) waits for the next leaf; while somebody waits, the leaf is renewed at its time
 * (leaf-renewal.ts), soon after a change of roots, and again in every half minute after a refusal, the old one being good
 * meanwhile.
 */
import type { Backend, Caller } from '../../api/backend.ts';
import { CaError } from '../../ca/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { CaRoot, CaRoots, IssuedCert } from '../../structs/index.ts';
import { LeafEntry } from './leaf-entry.ts';
import { issuerOf } from './leaf-issuer.ts';
import { activeRoot, type RootsCache } from './roots-cache.ts';

export interface LeafRequest {
  readonly service: string;
  /** Token and datacenter; '' is the own datacenter. */
  readonly caller: Caller;
  /** Block while the leaf's ModifyIndex is at or below this; 0 does not block. */
  readonly minIndex: number;
  /** 0: ten minutes. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface LeafCacheDeps {
  readonly backend: Pick<Backend, 'call' | 'datacenter'>;
  readonly roots: RootsCache;
  readonly clock: Clock;
  /** In [0, 1): spreads renewals. */
  random(): number;
}

/** A leaf nobody read for this long is forgotten, with its key. */
const idleMs = 3 * 24 * 3_600_000;
const sweepMs = 3_600_000;
const blockingMs = 600_000;
const bootstrapWaitMs = 2_000;

export class LeafCache {
  readonly #deps: LeafCacheDeps;
  readonly #entries = new Map<string, LeafEntry>();
  readonly #unsubscribe = new Map<string, () => void>();
  #cancelSweep: () => void;

  constructor(deps: LeafCacheDeps) {
    this.#deps = deps;
    this.#cancelSweep = this.#planSweep();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Errors: what signing or the backend throws when there is no leaf to fall back on. */
  async get(request: LeafRequest): Promise<IssuedCert> {
    if (request.service === '') throw new CaError('spiffe-id', 'URI must be either service or agent');
    const { backend, clock } = this.#deps;
    const datacenter = request.caller.datacenter || backend.datacenter;
    const entry = this.#entry(request.service, request.caller, datacenter);
    entry.lastReadMs = clock.wallMs();
    entry.readers++;
    try {
      return await this.#read(entry, datacenter, request);
    } finally {
      entry.readers--;
      // A name or token that was refused leaves nothing behind.
      if (entry.isEmpty) this.#entries.delete(keyOf(request.service, request.caller, datacenter));
    }
  }

  stop(): void {
    this.#cancelSweep();
    for (const unsubscribe of this.#unsubscribe.values()) unsubscribe();
    for (const entry of this.#entries.values()) entry.stop();
    this.#entries.clear();
  }

  async #read(entry: LeafEntry, datacenter: string, request: LeafRequest): Promise<IssuedCert> {
    const root = activeRoot(await this.#roots(datacenter, request.signal));
    this.#followRoots(datacenter);
    if (request.minIndex === 0 || !entry.holds(request.minIndex)) {
      const leaf = await entry.current(root);
      if (request.minIndex === 0 || leaf.ModifyIndex > request.minIndex) return leaf;
    }
    entry.rootIs(root);
    return entry.next(request.minIndex, request.waitMs || blockingMs, request.signal);
  }

  /** An agent that has just started asks before the first leader made the first root: that is worth a moment. */
  async #roots(datacenter: string, signal: AbortSignal | undefined): Promise<CaRoots> {
    const { roots } = this.#deps;
    try {
      return (await roots.read({ datacenter, minIndex: 0, waitMs: 0, signal })).roots;
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'not-initialized') throw error;
      return (await roots.read({ datacenter, minIndex: 1, waitMs: bootstrapWaitMs, signal })).roots;
    }
  }

  #entry(service: string, caller: Caller, datacenter: string): LeafEntry {
    const key = keyOf(service, caller, datacenter);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const { backend, roots, clock, random } = this.#deps;
      const issue = issuerOf({ backend, roots, service, datacenter, token: caller.token });
      entry = new LeafEntry(datacenter, issue, clock, random);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #followRoots(datacenter: string): void {
    if (this.#unsubscribe.has(datacenter)) return;
    const tell = (root: CaRoot): void => {
      for (const entry of this.#entries.values()) if (entry.datacenter === datacenter) entry.rootIs(root);
    };
    this.#unsubscribe.set(datacenter, this.#deps.roots.onActiveRoot(datacenter, tell));
  }

  #planSweep(): () => void {
    return this.#deps.clock.after(sweepMs, () => {
      const oldest = this.#deps.clock.wallMs() - idleMs;
      for (const [key, entry] of this.#entries) {
        if (entry.lastReadMs >= oldest || entry.readers > 0) continue;
        entry.stop();
        this.#entries.delete(key);
      }
      this.#cancelSweep = this.#planSweep();
    });
  }
}

function keyOf(service: string, caller: Caller, datacenter: string): string {
  return JSON.stringify([datacenter, service, caller.token]);
}
