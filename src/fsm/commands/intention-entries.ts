/**
 * What the intention commands share: they change one source of the `service-intentions` entry of a destination and write
 * the entry back. "Legacy" sources are those of the older per-pair API, with ids of their own.
 */
import type { IntentionPermission, IntentionSource, ServiceIntentions } from '../../structs/config-entry.ts';
import { canonicalIntentionSource } from '../../structs/intention-source.ts';
import {
  type IntentionsWriter,
  normalizeServiceIntentions,
  serviceIntentionsFault,
} from '../../structs/service-intentions-rules.ts';
import type { WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { deleteConfigEntry, putConfigEntry, readIntentions } from './config-entries.ts';
import { idKey, sourceOfId } from './intention-lookups.ts';

/** What a client says about a source, whichever API it uses. */
export interface SourceContent {
  readonly Action: string;
  readonly Permissions: readonly IntentionPermission[] | null;
  readonly Description: string;
  readonly Type: string;
}

/** The legacy part of a source; all empty for plain ones. */
export interface LegacyContent {
  readonly ID: string;
  readonly Meta: Readonly<Record<string, string>> | null;
  readonly CreateTime: string;
  readonly UpdateTime: string;
}

export const plain: LegacyContent = { ID: '', Meta: null, CreateTime: '', UpdateTime: '' };

export function sourceOf(name: string, content: SourceContent, legacy: LegacyContent): IntentionSource {
  return {
    Name: canonicalIntentionSource(name),
    Action: content.Action,
    Permissions: content.Permissions,
    Precedence: 0,
    LegacyID: legacy.ID,
    Type: content.Type,
    Description: content.Description,
    LegacyMeta: legacy.Meta,
    LegacyCreateTime: legacy.CreateTime,
    LegacyUpdateTime: legacy.UpdateTime,
  };
}

export function refuse(message: string): never {
  throw new Refusal('failed', message);
}

/** The entry that holds the intention of this id, and the intention. */
export function entryOfId(tx: WriteTx, id: string): { entry: ServiceIntentions; source: IntentionSource } | undefined {
  const found = tx.table('intentionLookups').get(['id', idKey(id)]);
  const entry = found === undefined ? undefined : readIntentions(tx, found.Destination);
  const source = entry === undefined ? undefined : sourceOfId(entry, id);
  return entry === undefined || source === undefined ? undefined : { entry, source };
}

/** The older API works on entries that only it has written; `named` is the destination as the caller wrote it. */
export function refuseUnlessLegacy(entry: ServiceIntentions, named: string): void {
  if ((entry.Sources ?? []).every((source) => source.LegacyID !== '')) return;
  refuse(
    `cannot use legacy intention API to edit intentions with a destination of ${JSON.stringify(named)} after editing them via a service-intentions config entry`,
  );
}

export function writeSources(
  tx: WriteTx,
  before: ServiceIntentions | undefined,
  destination: string,
  sources: readonly IntentionSource[],
  writer: IntentionsWriter,
): void {
  const base = before ?? {
    Kind: 'service-intentions' as const,
    Name: destination,
    Sources: null,
    Meta: null,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  const entry = normalizeServiceIntentions({ ...base, Sources: sources }, writer);
  const fault = serviceIntentionsFault(entry, writer);
  if (fault !== null) refuse(fault);
  putConfigEntry(tx, entry);
}

/** Takes one source out; the others stay as they are, and an entry without sources goes. */
export function removeSource(tx: WriteTx, entry: ServiceIntentions, source: IntentionSource): void {
  const rest = (entry.Sources ?? []).filter((each) => each !== source);
  if (rest.length === 0) deleteConfigEntry(tx, entry.Kind, entry.Name);
  else putConfigEntry(tx, { ...entry, Sources: rest });
}
