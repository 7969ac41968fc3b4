/** What a server has of identities beyond its clients: the authority, while it leads. */
import { fromFileKeys, initialProviderConfig, parseSealKey } from '../ca/index.ts';
import { systemClock } from './clock.ts';
import type { ClusterInput } from './cluster.ts';
import { everybodyMay, installAuthority } from './connect/index.ts';
import type { Server } from './server/index.ts';

/** Throws a CaError for a seal key that is none. */
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
