/**
 * Identities: the leaves of this host's services, and the roots that they are renewed with, for every kind of agent. Keys,
 * requests and certificates are much code, and an agent without sidecars needs none of it: it is loaded when the first service
 * asks for its leaf.
 */
import type { Backend } from '../api/backend.ts';
import { type LeafSource, leafRoutes, type Route, withoutMesh } from '../api/http/index.ts';
import { systemClock } from './clock.ts';
import type { ClusterInput } from './cluster.ts';
import type { LeafCache } from './connect/leaf-cache.ts';
import type { RootsCache } from './connect/roots-cache.ts';

export interface ConnectParts {
  readonly routes: readonly Route[];
  readonly caches: readonly { stop(): void }[];
}

/** What every agent has, whoever signs. */
export function connectParts({ config }: ClusterInput, backend: Backend): ConnectParts {
  const leaves = new LateLeaves(backend);
  const routes = leafRoutes(leaves, {
    discoveryMaxStaleMs: config.settings.discovery_max_stale / 1e6,
    useCache: config.settings.http_config.use_cache,
  });
  return { routes: config.connectEnabled ? routes : withoutMesh(routes), caches: [leaves] };
}

class LateLeaves implements LeafSource {
  readonly #backend: Backend;
  #caches: Promise<{ readonly leaves: LeafCache; readonly roots: RootsCache }> | undefined;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async get(...request: Parameters<LeafSource['get']>): ReturnType<LeafSource['get']> {
    this.#caches ??= this.#begin();
    return (await this.#caches).leaves.get(...request);
  }

  stop(): void {
    this.#caches?.then(
      ({ leaves, roots }) => {
        leaves.stop();
        roots.stop();
      },
      () => undefined, // told to whoever asked for a leaf
    );
  }

  async #begin(): Promise<{ readonly leaves: LeafCache; readonly roots: RootsCache }> {
    const [{ LeafCache }, { RootsCache }] = await Promise.all([
      import('./connect/leaf-cache.ts'),
      import('./connect/roots-cache.ts'),
    ]);
    const edges = { backend: this.#backend, clock: systemClock };
    const roots = new RootsCache(edges);
    return { roots, leaves: new LeafCache({ ...edges, roots, random: Math.random }) };
  }
}
