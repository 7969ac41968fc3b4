/**
 * How config entries change: the write side that the config entry commands and the intention commands share. Entries come
 * normalised and valid in themselves (structs/config-entry-rules.ts); what they must be among each other is checked here.
 *
 * Kind and name are looked up ignoring case; the entry keeps the spelling of the last full write. An entry equal to what
 * is stored moves no index, whatever check-and-set asks.
 */
import type { ConfigEntry, ServiceIntentions } from '../../structs/config-entry.ts';
import type { ReadTx, WriteTx } from '../contract.ts';
import { equalBut } from './equal.ts';
import { noteIntentions } from './intention-lookups.ts';
import { refuseIncompatiblePermissions } from './permission-protocol.ts';

/** Writes an entry; undefined when `cas` is given and is not the stored ModifyIndex (0: absent). */
export function putConfigEntry(tx: WriteTx, content: ConfigEntry, cas?: number): ConfigEntry | undefined {
  const entries = tx.table('configEntries');
  const key = [content.Kind, content.Name];
  const before = entries.get(key);
  if (before !== undefined && equalBut(before, content, 'CreateIndex', 'ModifyIndex')) return before;
  if (cas !== undefined && (before?.ModifyIndex ?? 0) !== cas) return undefined;
  const row = { ...content, CreateIndex: before?.CreateIndex ?? tx.index, ModifyIndex: tx.index };
  entries.put(key, row);
  refuseIncompatiblePermissions(tx, row);
  if (row.Kind === 'service-intentions') noteIntentions(tx, before as ServiceIntentions | undefined, row);
  return row;
}

/** Deletes an entry. False only when `cas` is given and an entry of another ModifyIndex is there. */
export function deleteConfigEntry(tx: WriteTx, kind: string, name: string, cas?: number): boolean {
  const entries = tx.table('configEntries');
  const before = entries.get([kind, name]);
  if (before === undefined) return cas === undefined;
  if (cas !== undefined && before.ModifyIndex !== cas) return false;
  entries.delete([kind, name]);
  if (before.Kind === 'service-intentions') noteIntentions(tx, before, undefined);
  else refuseIncompatiblePermissions(tx, before);
  return true;
}

/** The intentions of a destination, whatever the case of its name. */
export function readIntentions(tx: ReadTx, destination: string): ServiceIntentions | undefined {
  const entry = tx.table('configEntries').get(['service-intentions', destination]);
  return entry?.Kind === 'service-intentions' ? entry : undefined;
}
