/**
 * `DELETE /v1/connect/intentions/exact`: removes the intention of a pair of names; one that is absent counts as removed.
 * Its siblings stay what they are.
 */
import { canonicalIntentionSource } from '../../structs/intention-source.ts';
import { command } from '../contract.ts';
import { readIntentions } from './config-entries.ts';
import { removeSource } from './intention-entries.ts';

export interface IntentionDeleteExact {
  readonly Source: string;
  readonly Destination: string;
}

export const intentionDeleteExact = command<IntentionDeleteExact, true>({
  name: 'intention.deleteExact',
  version: 1,
  apply(tx, { Source, Destination }) {
    const entry = readIntentions(tx, Destination);
    const source = entry?.Sources?.find((each) => each.Name === canonicalIntentionSource(Source));
    if (entry !== undefined && source !== undefined) removeSource(tx, entry, source);
    return true;
  },
});
