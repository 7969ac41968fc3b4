/** Identities on a server: the authority while it leads, the caches of roots and leaves that every agent has, their routes. */
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

export function connectParts({ config, log }: ClusterInput, server: Server): ConnectParts {
  const roots = new RootsCache({ backend: server, clock: systemClock });
  const leaves = new LeafCache({ backend: server, roots, clock: systemClock, random: Math.random });
  const routes = leafRoutes(leaves, {
    discoveryMaxStaleMs: config.settings.discovery_max_stale / 1e6,
    useCache: config.settings.http_config.use_cache,
  });
  const caches = [leaves, roots];
  if (!config.connectEnabled) return { routes: withoutMesh(routes), caches };
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
  return { routes, caches };
}
