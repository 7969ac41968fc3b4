/**
 * `PUT /v1/connect/intentions/exact`: creates or replaces the intention of a pair of names. It writes plain sources: if the
 * destination still has legacy ones, they all lose their ids and times, and ones with Meta, which would be lost too, are a
 * reason to refuse. Meta belongs to the whole entry here and may only be repeated.
 */
import type { IntentionPermission } from '../../structs/config-entry.ts';
import { canonicalIntentionSource } from '../../structs/intention-source.ts';
import { command } from '../contract.ts';
import { readIntentions } from './config-entries.ts';
import { equal } from './equal.ts';
import { plain, refuse, sourceOf, writeSources } from './intention-entries.ts';

export interface IntentionUpsert {
  readonly Source: string;
  readonly Destination: string;
  readonly Action: string;
  readonly Permissions: readonly IntentionPermission[] | null;
  readonly Description: string;
  readonly Type: string;
  readonly Meta: Readonly<Record<string, string>> | null;
}

export const intentionUpsert = command<IntentionUpsert, true>({
  name: 'intention.upsert',
  version: 1,
  apply(tx, { Source, Destination, Meta, ...content }) {
    const before = readIntentions(tx, Destination);
    if (Meta !== null && Object.keys(Meta).length > 0) {
      if (before === undefined) refuse('Meta must not be specified');
      if (!equal(Meta, before.Meta)) refuse('Meta must not be specified, or should be unchanged during an update.');
    }
    const source = sourceOf(Source, content, plain);
    const sources = [...(before?.Sources ?? [])];
    const at = sources.findIndex((each) => each.Name === canonicalIntentionSource(Source));
    if (at === -1) sources.push(source);
    else sources[at] = source;
    writeSources(tx, before, Destination, sources, 'api');
    return true;
  },
});
