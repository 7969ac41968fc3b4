/** One entry of `config_entries.bootstrap`, read and checked as far as it can be without the state. */
import { err, type Result } from '../../std/result.ts';
import { type ConfigEntry, configEntryFault, decodeConfigEntry, normalizeConfigEntry } from '../../structs/index.ts';

export function readBootstrapEntry(entry: Readonly<Record<string, unknown>>): Result<ConfigEntry, string> {
  const decoded = decodeConfigEntry(entry);
  if (!decoded.ok) return decoded;
  const value = normalizeConfigEntry(decoded.value);
  const fault = configEntryFault(value);
  return fault === null ? { ok: true, value } : err(fault);
}
