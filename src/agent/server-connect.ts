/** Identities on a server: the authority while it leads, the caches of roots and leaves that every agent has, their routes. */
import { randomBytes, randomUUID } from 'node:crypto';
import { leafRoutes, type Route } from '../api/http/index.ts';
import { initialProviderConfig, type ProviderConfig } from '../ca/index.ts';
import { systemClock } from './clock.ts';
import type { ClusterInput } from './cluster.ts';
import { CaManager, caServerOn, LeafCache, RootsCache } from './connect/index.ts';
import type { Server } from './server/index.ts';

export function connectParts(
  { config, log }: ClusterInput,
  server: Server,
): { readonly routes: readonly Route[]; readonly caches: readonly { stop(): void }[] } {
  if (!config.connectEnabled) return { routes: [], caches: [] };
  const logger = log.named('connect');
  const manager = new CaManager(
    { provider: 'consul', config: caConfig(config.settings.connect.ca_config), sealKey: null },
    {
      server: caServerOn(server, () => server.view),
      clock: systemClock,
      log: {
        info: (message, fields) => logger.info(message, fields),
        warn: (message, fields) => logger.warn(message, fields),
      },
      randomBytes,
      uuid: randomUUID,
    },
  );
  server.handle('ca.sign', { where: 'leader', run: ({ csr }) => manager.sign(csr, () => undefined) });
  server.handle('ca.configure', {
    where: 'leader',
    run: async (request) => {
      await manager.configure(request);
      return null;
    },
  });
  server.addDuty({ name: 'ca', start: () => manager.becomeLeader(), stop: () => manager.loseLeadership() });
  const roots = new RootsCache({ backend: server, clock: systemClock });
  const leaves = new LeafCache({ backend: server, roots, clock: systemClock, random: Math.random });
  const defaults = {
    discoveryMaxStaleMs: config.settings.discovery_max_stale / 1e6,
    useCache: config.settings.http_config.use_cache,
  };
  return { routes: leafRoutes(leaves, defaults), caches: [leaves, roots] };
}

/** `ca_config` may use either spelling: `leaf_cert_ttl` or `LeafCertTTL`. */
function caConfig(given: Readonly<Record<string, unknown>>): ProviderConfig {
  const named = Object.entries(given).map(([key, value]): [string, unknown] => {
    if (!/^[a-z]/.test(key)) return [key, value];
    const words = key
      .split('_')
      .map((part) => (/^(ttl|csr)$/.test(part) ? part.toUpperCase() : part[0]!.toUpperCase() + part.slice(1)));
    return [words.join(''), value];
  });
  return { ...initialProviderConfig, ...Object.fromEntries(named) };
}
