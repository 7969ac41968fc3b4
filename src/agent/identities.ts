/** Identities: the caches of roots and leaves that every agent has, their routes, and the authority of a server that leads. */
import type { Backend } from '../api/backend.ts';
import { leafRoutes, type Route, withoutMesh } from '../api/http/index.ts';
import { fromFileKeys, initialProviderConfig, parseSealKey } from '../ca/index.ts';
import { systemClock } from './clock.ts';
import type { ClusterInput } from './cluster.ts';
import { everybodyMay, installAuthority, LeafCache, RootsCache } from './connect/index.ts';
import type { Server } from './server/index.ts';

export interface ConnectParts {
  readonly routes: readonly Route[];
  readonly caches: readonly { stop(): void }[];
}

/** What every agent has, whoever signs. */
export function connectParts({ config }: ClusterInput, backend: Backend): ConnectParts {
  const roots = new RootsCache({ backend, clock: systemClock });
  const leaves = new LeafCache({ backend, roots, clock: systemClock, random: Math.random });
  const routes = leafRoutes(leaves, {
    discoveryMaxStaleMs: config.settings.discovery_max_stale / 1e6,
    useCache: config.settings.http_config.use_cache,
  });
  return { routes: config.connectEnabled ? routes : withoutMesh(routes), caches: [leaves, roots] };
}

/** What a server adds: the authority, while it leads. Throws a CaError for a seal key that is none. */
export function installConnect({ config, log }: ClusterInput, server: Server): void {
  if (!config.connectEnabled) return;
  const { ca_provider, ca_config, ca_seal_key } = config.settings.connect;
  const sealKey = parseSealKey(ca_seal_key);
  if (!sealKey.ok) throw sealKey.error;
  installAuthority(
    server,
    {
      provider: ca_provider || 'consul',
      config: { ...initialProviderConfig, ...fromFileKeys(ca_config) },
      sealKey: sealKey.value,
    },
    { clock: systemClock, log: log.named('connect'), rights: everybodyMay },
  );
}
