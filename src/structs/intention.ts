/**
 * An intention as the per-pair API shows it: one source of one destination, flattened. It is a view: what is stored are
 * `service-intentions` config entries (config-entry.ts). CreateIndex and ModifyIndex are those of the whole entry.
 */
import { encodeBase64 } from '../std/base64.ts';
import { blake2b } from '../std/blake2b.ts';
import { utf8Bytes } from '../std/utf8.ts';
import { type IntentionSource, intentionPermission, type ServiceIntentions } from './config-entry.ts';
import { compareText } from './intention-source.ts';
import { field, type Infer, index, int, list, map, omitEmpty, record, string } from './schema/index.ts';

export const intention = record('Intention', {
  CreatedAt: omitEmpty(string(), { outputOnly: true }),
  UpdatedAt: omitEmpty(string(), { outputOnly: true }),
  ID: omitEmpty(string()),
  Description: omitEmpty(string()),
  SourceNS: string(),
  SourceName: string(),
  DestinationNS: string(),
  DestinationName: string(),
  SourceType: string(),
  Action: omitEmpty(string()),
  Permissions: omitEmpty(list(intentionPermission)),
  /** Relics: read, never kept. */
  DefaultAddr: field(string(), { inputOnly: true }),
  DefaultPort: field(int(), { inputOnly: true }),
  Meta: omitEmpty(map(string())),
  Precedence: int(),
  Hash: omitEmpty(string(), { outputOnly: true }),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type Intention = Infer<typeof intention>;

const namespace = 'default';

/** The view of one source. Legacy sources show their own Meta, the others that of the entry. */
export function intentionOf(entry: ServiceIntentions, source: IntentionSource): Intention {
  const legacy = source.LegacyID !== '';
  const view = {
    CreatedAt: source.LegacyCreateTime,
    UpdatedAt: source.LegacyUpdateTime,
    ID: source.LegacyID,
    Description: source.Description,
    SourceNS: namespace,
    SourceName: source.Name,
    DestinationNS: namespace,
    DestinationName: entry.Name,
    SourceType: source.Type,
    Action: source.Action,
    Permissions: source.Permissions,
    DefaultAddr: '',
    DefaultPort: 0,
    Meta: legacy ? source.LegacyMeta : entry.Meta,
    Precedence: source.Precedence,
    Hash: '',
    CreateIndex: entry.CreateIndex,
    ModifyIndex: entry.ModifyIndex,
  };
  return legacy ? { ...view, Hash: hashOf(view) } : view;
}

export function intentionsOf(entry: ServiceIntentions): Intention[] {
  return (entry.Sources ?? []).map((source) => intentionOf(entry, source));
}

/** What replication of older releases compares: BLAKE2b-256 over the texts, the precedence as uint64, then Meta by key. */
function hashOf(view: Omit<Intention, 'Hash'>): string {
  let text = view.ID + view.Description + view.SourceNS + view.SourceName;
  text += view.DestinationNS + view.DestinationName + view.SourceType + view.Action;
  let meta = '';
  for (const key of Object.keys(view.Meta ?? {}).sort(compareText)) meta += key + view.Meta![key];
  const head = utf8Bytes(text);
  const tail = utf8Bytes(meta);
  const input = new Uint8Array(head.length + 8 + tail.length);
  input.set(head);
  input[head.length] = view.Precedence;
  input.set(tail, head.length + 8);
  return encodeBase64(blake2b(input, 32));
}
