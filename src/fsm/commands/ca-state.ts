/** Where the certificate authority's records are kept, and the whole of it as one value. */
import type { CaConfigurationRow, CaProviderState, CaRoot } from '../../structs/index.ts';
import type { ReadTx } from '../contract.ts';

export const caConfigurationKey = 'ca/configuration';
export const caProviderStateKey = 'ca/provider-state';
export const caSerialKey = 'ca/serial';

/** Secrets included: for the leader's own use. No query answers this, so no client can ask for it. */
export interface StoredCa {
  readonly roots: readonly CaRoot[];
  readonly configuration: CaConfigurationRow | null;
  readonly providerState: CaProviderState | null;
  /** Index of the table of roots, for check-and-set. */
  readonly rootsIndex: number;
}

export function readCa(tx: ReadTx): StoredCa {
  const roots = tx.table('caRoots');
  return {
    roots: [...roots.range([])],
    configuration: readCaConfiguration(tx),
    providerState: (tx.table('singletons').get([caProviderStateKey]) as CaProviderState | undefined) ?? null,
    rootsIndex: roots.index(),
  };
}

export function readCaConfiguration(tx: ReadTx): CaConfigurationRow | null {
  return (tx.table('singletons').get([caConfigurationKey]) as CaConfigurationRow | undefined) ?? null;
}
