/**
 * The certificate authority as clients may see it: trusted roots and configuration, never a key.
 * Index rules: roots report the later of the last change of any root and of the configuration (which holds the trust domain).
 */
import type { CaConfiguration, CaRoots } from '../../structs/index.ts';
import { readCaConfiguration } from '../commands/ca-state.ts';
import { query } from '../contract.ts';

/** Null until the first leader made the first root. */
export const caRoots = query<Record<string, never>, CaRoots | null>({
  name: 'ca.roots',
  run(tx) {
    const configuration = readCaConfiguration(tx);
    const index = Math.max(tx.table('caRoots').index(), configuration?.ModifyIndex ?? 0);
    const roots = [...tx.table('caRoots').range([])];
    const active = roots.find((root) => root.Active);
    if (configuration === null || active === undefined) return { index, value: null };
    const value = tx.memo('ca.roots', index, () => ({
      ActiveRootID: active.ID,
      TrustDomain: `${configuration.ClusterID}.consul`.toLowerCase(),
      Roots: [...roots].sort((a, b) => (a.ID < b.ID ? -1 : 1)),
    }));
    return { index, value };
  },
});

/** Null until there is one. A private key in it shows as a mark. */
export const caConfiguration = query<Record<string, never>, CaConfiguration | null>({
  name: 'ca.configuration',
  run(tx) {
    const stored = readCaConfiguration(tx);
    if (stored === null) return { index: 0, value: null };
    const { ClusterID: _, ...value } = stored;
    return { index: stored.ModifyIndex, value };
  },
});
