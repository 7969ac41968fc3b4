/** Deletes a config entry; one that is absent counts as deleted. With `Cas`, only at that ModifyIndex. */
import { configEntryKey } from '../../structs/config-entry-rules.ts';
import { command } from '../contract.ts';
import { deleteConfigEntry } from './config-entries.ts';

export interface ConfigEntryDelete {
  readonly Kind: string;
  readonly Name: string;
  readonly Cas?: number;
}

/** False when check-and-set lost. */
export const configEntryDelete = command<ConfigEntryDelete, boolean>({
  name: 'configEntry.delete',
  version: 1,
  apply: (tx, { Kind, Name, Cas }) => deleteConfigEntry(tx, ...configEntryKey(Kind, Name), Cas),
});
