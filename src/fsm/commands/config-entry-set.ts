/** Writes a config entry, whole. With `Cas`, only if the stored ModifyIndex is that (0: only if absent). */
import type { ConfigEntry } from '../../structs/config-entry.ts';
import { configEntryFault, normalizeConfigEntry } from '../../structs/config-entry-rules.ts';
import { command } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { putConfigEntry } from './config-entries.ts';

export interface ConfigEntrySet {
  readonly Entry: ConfigEntry;
  readonly Cas?: number;
}

/** False when check-and-set lost. */
export const configEntrySet = command<ConfigEntrySet, boolean>({
  name: 'configEntry.set',
  version: 1,
  prepare({ Entry, ...rest }) {
    const entry = normalizeConfigEntry(Entry);
    const fault = configEntryFault(entry);
    if (fault !== null) throw new Refusal('failed', fault);
    return { ...rest, Entry: entry };
  },
  apply: (tx, { Entry, Cas }) => putConfigEntry(tx, Entry, Cas) !== undefined,
});
