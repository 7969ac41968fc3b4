/**
 * The roots of the mesh as this agent knows them: one blocking read a datacenter, for ever, and everybody here answered from
 * it. When the servers cannot be reached the last known roots stay: a host must survive the loss of every server.
 */
import type { Answer, Backend, Caller } from '../../api/backend.ts';
import { CaError } from '../../ca/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { CaRoot, CaRoots } from '../../structs/index.ts';

export interface RootsRequest {
  /** '' or the agent's own name: the own one. */
  readonly datacenter: string;
  /** Block while the index is at or below this; 0 does not block. */
  readonly minIndex: number;
  /** 0: ten minutes. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface RootsAnswer {
  readonly roots: CaRoots;
  readonly index: number;
  /** Whether it was here already. */
  readonly hit: boolean;
}

export interface RootsCacheDeps {
  readonly backend: Pick<Backend, 'query' | 'datacenter'>;
  readonly clock: Clock;
}

const blockingMs = 600_000;
const retryMinMs = 500;
const retryMaxMs = 30_000;

export class RootsCache {
  readonly #deps: RootsCacheDeps;
  readonly #watches = new Map<string, RootsWatch>();
  readonly #stop = new AbortController();

  constructor(deps: RootsCacheDeps) {
    this.#deps = deps;
  }

  /** Errors: the backend's on the first read, `not-initialized` while there is no CA. */
  async read(request: RootsRequest): Promise<RootsAnswer> {
    return this.#watch(request.datacenter).read(request);
  }

  /** Calls back with every new active root, until the returned function is called. */
  onActiveRoot(datacenter: string, callback: (root: CaRoot) => void): () => void {
    const watch = this.#watch(datacenter);
    watch.listeners.add(callback);
    return () => watch.listeners.delete(callback);
  }

  stop(): void {
    this.#stop.abort();
  }

  #watch(datacenter: string): RootsWatch {
    const name = datacenter === this.#deps.backend.datacenter ? '' : datacenter;
    let watch = this.#watches.get(name);
    if (watch === undefined) {
      watch = new RootsWatch(name, this.#deps, this.#stop.signal, () => this.#watches.delete(name));
      this.#watches.set(name, watch);
    }
    return watch;
  }
}

class RootsWatch {
  readonly listeners = new Set<(root: CaRoot) => void>();
  readonly #caller: Caller;
  readonly #deps: RootsCacheDeps;
  readonly #signal: AbortSignal;
  readonly #forget: () => void;
  readonly #waiting = new Set<() => void>();
  #roots: CaRoots | null = null;
  #index = 0;
  #first: Promise<void> | null = null;

  constructor(datacenter: string, deps: RootsCacheDeps, signal: AbortSignal, forget: () => void) {
    this.#caller = { token: '', address: '', call: 'GET /v1/connect/ca/roots', datacenter };
    this.#deps = deps;
    this.#signal = signal;
    this.#forget = forget;
  }

  async read(request: RootsRequest): Promise<RootsAnswer> {
    const hit = this.#roots !== null;
    if (!hit) await this.#start();
    if (request.minIndex > 0 && this.#index <= request.minIndex) await this.#changed(request);
    if (this.#roots === null) throw new CaError('not-initialized', 'CA has not finished initializing');
    return { roots: this.#roots, index: this.#index, hit };
  }

  /** The first read is the caller's; when it fails nothing is left running, and the next caller tries again. */
  #start(): Promise<void> {
    this.#first ??= this.#fetch(0).then(
      () => void this.#follow(),
      (error: unknown) => {
        this.#forget();
        throw error;
      },
    );
    return this.#first;
  }

  async #follow(): Promise<void> {
    let failures = 0;
    while (!this.#signal.aborted) {
      try {
        await this.#fetch(this.#index);
        failures = 0;
      } catch {
        // The last known roots go on being served; the next try comes after a pause.
        await this.#pause(Math.min(retryMinMs * 2 ** failures++, retryMaxMs));
      }
    }
  }

  async #fetch(minIndex: number): Promise<void> {
    const answer: Answer<CaRoots | null> = await this.#deps.backend.query(
      'ca.roots',
      {},
      { caller: this.#caller, consistency: 'default', minIndex, waitMs: blockingMs, signal: this.#signal },
    );
    const { value } = answer;
    // A restored state may have the same index and other roots; one that went back must not be waited for.
    const changed = answer.index !== this.#index || value?.ActiveRootID !== this.#roots?.ActiveRootID;
    this.#index = Math.max(answer.index, 1);
    if (!changed || value === null) return;
    const before = activeRoot(this.#roots);
    this.#roots = value;
    const active = activeRoot(value);
    if (active !== null && active.SigningKeyID !== before?.SigningKeyID) {
      for (const listen of this.listeners) listen(active);
    }
    for (const wake of [...this.#waiting]) wake();
  }

  #changed({ waitMs, signal }: RootsRequest): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#deps.clock.after(waitMs || blockingMs, done);
      if (signal?.aborted) return done();
      signal?.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#deps.clock.after(delayMs, done);
      this.#signal.addEventListener('abort', done);
    });
  }
}

export function activeRoot(roots: CaRoots | null): CaRoot | null {
  return roots?.Roots?.find((root) => root.Active) ?? null;
}
