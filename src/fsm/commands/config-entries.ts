/**
 * How config entries change: the write side that the config entry commands and the intention commands share. What makes
 * an entry valid is decided before (rooms that own a kind validate when they prepare); here it is kept and counted.
 *
 * Kind and name are looked up ignoring case; the entry keeps the spelling of the last full write. An entry equal to what
 * is stored moves no index, whatever check-and-set asks.
 */
import type { ConfigEntryRow, WriteTx } from '../contract.ts';
import { equalBut } from './equal.ts';

export type ConfigEntryContent = Omit<ConfigEntryRow, 'CreateIndex' | 'ModifyIndex'>;

/** Writes an entry; undefined when `cas` is given and is not the stored ModifyIndex (0: absent). */
export function putConfigEntry(tx: WriteTx, content: ConfigEntryContent, cas?: number): ConfigEntryRow | undefined {
  const entries = tx.table('configEntries');
  const key = [content.Kind, content.Name];
  const before = entries.get(key);
  if (before !== undefined && equalBut(before, content, 'CreateIndex', 'ModifyIndex')) return before;
  if (cas !== undefined && (before?.ModifyIndex ?? 0) !== cas) return undefined;
  const row = { ...content, CreateIndex: before?.CreateIndex ?? tx.index, ModifyIndex: tx.index } as ConfigEntryRow;
  entries.put(key, row);
  return row;
}

/** Deletes an entry. False only when `cas` is given and an entry of another ModifyIndex is there. */
export function deleteConfigEntry(tx: WriteTx, kind: string, name: string, cas?: number): boolean {
  const entries = tx.table('configEntries');
  const before = entries.get([kind, name]);
  if (before === undefined) return cas === undefined;
  if (cas !== undefined && before.ModifyIndex !== cas) return false;
  entries.delete([kind, name]);
  return true;
}
