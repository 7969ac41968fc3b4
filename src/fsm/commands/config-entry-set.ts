/** Writes a config entry, whole. With `Cas`, only if the stored ModifyIndex is that (0: only if absent). */
import { command } from '../contract.ts';
import { type ConfigEntryContent, putConfigEntry } from './config-entries.ts';

export interface ConfigEntrySet {
  readonly Entry: ConfigEntryContent;
  readonly Cas?: number;
}

/** False when check-and-set lost. */
export const configEntrySet = command<ConfigEntrySet, boolean>({
  name: 'configEntry.set',
  version: 1,
  apply: (tx, { Entry, Cas }) => putConfigEntry(tx, Entry, Cas) !== undefined,
});
