/**
 * Replaces roots, configuration and the provider's state of the certificate authority in one step: no server ever sees a root
 * without the key that signs under it, or half a rotation. Check-and-set on what the leader read before it decided.
 */
import type { CaConfigurationRow, CaProviderState, CaRoot } from '../../structs/index.ts';
import { command } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { caConfigurationKey, caProviderStateKey, readCa } from './ca-state.ts';

export interface CaSet {
  /** All roots; the ones not named are forgotten. */
  readonly Roots: readonly CaRoot[];
  readonly Configuration: CaConfigurationRow;
  readonly ProviderState: CaProviderState;
  /** Index of the table of roots, and ModifyIndex of the configuration, when the leader read them; 0: there were none. */
  readonly RootsIndex: number;
  readonly ConfigurationIndex: number;
}

export const caSet = command<CaSet, boolean>({
  name: 'ca.set',
  version: 1,
  internal: true,
  apply(tx, { Roots, Configuration, ProviderState, RootsIndex, ConfigurationIndex }) {
    const before = readCa(tx);
    if (before.rootsIndex !== RootsIndex || (before.configuration?.ModifyIndex ?? 0) !== ConfigurationIndex) {
      throw new Refusal('conflict', 'could not atomically update roots and config', { RootsIndex, ConfigurationIndex });
    }
    if (Roots.filter((root) => root.Active).length !== 1)
      throw new Refusal('failed', 'there must be exactly one active CA');
    const created = (row: { readonly CreateIndex: number } | null | undefined) => ({
      CreateIndex: row?.CreateIndex ?? tx.index,
      ModifyIndex: tx.index,
    });
    const old = new Map(before.roots.map((root) => [root.ID, root]));
    const table = tx.table('caRoots');
    if (!sameRoots(before.roots, Roots)) {
      for (const root of Roots) table.put([root.ID], { ...root, ...created(old.get(root.ID)) });
      const kept = new Set(Roots.map((root) => root.ID));
      for (const id of old.keys()) if (!kept.has(id)) table.delete([id]);
    }
    const singletons = tx.table('singletons');
    singletons.put([caConfigurationKey], { ...Configuration, ...created(before.configuration) });
    const sameProvider = before.providerState?.ID === ProviderState.ID;
    singletons.put([caProviderStateKey], { ...ProviderState, ...created(sameProvider ? before.providerState : null) });
    return true;
  },
});

/** A change of life times or limits leaves the roots alone: their index then does not move. */
function sameRoots(before: readonly CaRoot[], after: readonly CaRoot[]): boolean {
  const state = (root: CaRoot): string =>
    `${root.ID} ${root.Active} ${root.LeafTTLMax} ${root.IntermediateCerts?.join('') ?? ''}`;
  const known = new Set(before.map(state));
  return before.length === after.length && after.every((root) => known.has(state(root)));
}
