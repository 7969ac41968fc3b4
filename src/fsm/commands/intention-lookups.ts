/** Keeps what finds an intention without its destination (by id, by source), and the counter that decisions watch. */
import type { IntentionSource, ServiceIntentions } from '../../structs/config-entry.ts';
import { foldDestination } from '../../structs/intention-source.ts';
import type { Key, WriteTx } from '../contract.ts';
import { intentionCounter } from '../intention-index.ts';
import { hasPermissions } from './permission-protocol.ts';

/** After an entry changed from `before` to `after`; only what differs is written. */
export function noteIntentions(
  tx: WriteTx,
  before: ServiceIntentions | undefined,
  after: ServiceIntentions | undefined,
): void {
  const name = (after ?? before)?.Name;
  if (name === undefined) return;
  const destination = foldDestination(name);
  const lookups = tx.table('intentionLookups');
  const old = keysOf(before, destination);
  const current = keysOf(after, destination);
  for (const [text, key] of old) if (!current.has(text)) lookups.delete(key);
  for (const [text, key] of current) if (!old.has(text)) lookups.put(key, { Destination: destination });
  tx.setCounter(intentionCounter(destination), after === undefined ? 0 : tx.index);
}

function keysOf(entry: ServiceIntentions | undefined, destination: string): Map<string, Key> {
  const keys = new Map<string, Key>();
  if (entry === undefined) return keys;
  const add = (...key: readonly string[]): void => void keys.set(key.join('\0'), key);
  for (const source of entry.Sources ?? []) {
    add('source', source.Name, destination);
    if (source.LegacyID !== '') add('id', idKey(source.LegacyID));
  }
  if (hasPermissions(entry)) add('permissions', destination);
  return keys;
}

export function idKey(id: string): string {
  return id.toLowerCase();
}

export function sourceOfId(entry: ServiceIntentions, id: string): IntentionSource | undefined {
  return entry.Sources?.find((source) => idKey(source.LegacyID) === idKey(id));
}
