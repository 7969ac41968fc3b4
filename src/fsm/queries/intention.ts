/**
 * Reads of intentions. All report the index of the config entry table. The list wakes for any entry, as existing tools
 * expect; the others wake when what they read changed.
 */
import { assert } from '../../std/assert.ts';
import type { ServiceIntentions } from '../../structs/config-entry.ts';
import { type Intention, intentionOf, intentionsOf } from '../../structs/intention.ts';
import {
  canonicalIntentionSource,
  compareIntentionOrder,
  foldDestination,
  wildcard,
} from '../../structs/intention-source.ts';
import { readCaConfiguration } from '../commands/ca-state.ts';
import { readIntentions } from '../commands/config-entries.ts';
import { idKey, sourceOfId } from '../commands/intention-lookups.ts';
import { query, type ReadTx } from '../contract.ts';
import { intentionCounter } from '../intention-index.ts';

/** Up to so many intentions the list is kept until something changes, and with it its encoding. */
const keptMax = 20_000;

export const intentionList = query<Record<string, never>, readonly Intention[]>({
  name: 'intention.list',
  run(tx) {
    const index = tx.table('configEntries').index();
    let fresh: readonly Intention[] | undefined;
    const { kept } = tx.memo('intentions.list', index, (from): { readonly kept: readonly Intention[] | null } => {
      fresh = allIntentions(from);
      return { kept: fresh.length <= keptMax ? fresh : null };
    });
    return { index, value: kept ?? fresh ?? allIntentions(tx.unwatched) };
  },
});

function allIntentions(tx: ReadTx): readonly Intention[] {
  const found: Intention[] = [];
  for (const entry of tx.table('configEntries').range(['service-intentions'])) {
    if (entry.Kind !== 'service-intentions') continue;
    for (const source of entry.Sources ?? []) found.push(intentionOf(entry, source));
  }
  return found.sort(compareIntentionOrder);
}

export const intentionGet = query<{ readonly id: string }, Intention | null>({
  name: 'intention.get',
  run(tx, { id }) {
    const found = tx.table('intentionLookups').get(['id', idKey(id)]);
    const entry = found === undefined ? undefined : readIntentions(tx, found.Destination);
    const source = entry === undefined ? undefined : sourceOfId(entry, id);
    return answer(tx, entry === undefined || source === undefined ? null : intentionOf(entry, source));
  },
});

/** The intention of exactly these names; `*` stands for itself. */
export const intentionExact = query<{ readonly source: string; readonly destination: string }, Intention | null>({
  name: 'intention.exact',
  run(tx, { source, destination }) {
    const entry = readIntentions(tx, destination);
    const name = canonicalIntentionSource(source);
    const found = entry?.Sources?.find((each) => each.Name === name);
    return answer(tx, entry === undefined || found === undefined ? null : intentionOf(entry, found));
  },
});

export interface IntentionMatch {
  readonly by: 'source' | 'destination';
  readonly names: readonly string[];
}

/** For each name, in the order asked, what speaks about it, wildcards included, in the order of decision. */
export const intentionMatch = query<IntentionMatch, readonly (readonly Intention[])[]>({
  name: 'intention.match',
  run(tx, { by, names }) {
    const value = names.map((name) => (by === 'source' ? bySource(tx, name) : byDestination(tx, name)));
    return { index: tx.unwatched.table('configEntries').index(), value };
  },
});

/** The list keeps its identity until one of the two entries changes. Destinations without intentions share one. */
function byDestination(tx: ReadTx, name: string): readonly Intention[] {
  const folded = foldDestination(name);
  const version = tx.counter(intentionCounter(folded));
  const wildcardVersion = tx.counter(intentionCounter(wildcard));
  const destination = version === 0 ? wildcard : folded;
  return tx.memo(`intentions.match/${destination}`, `${version}/${wildcardVersion}`, (from) => {
    const found: Intention[] = [];
    for (const each of new Set([destination, wildcard])) {
      const entry = readIntentions(from, each);
      if (entry !== undefined) found.push(...intentionsOf(entry));
    }
    return found.sort(compareIntentionOrder);
  });
}

function bySource(tx: ReadTx, name: string): readonly Intention[] {
  const found: Intention[] = [];
  for (const source of new Set([canonicalIntentionSource(name), wildcard])) {
    for (const { Destination } of tx.table('intentionLookups').range(['source', source])) {
      const entry = readIntentions(tx, Destination);
      const match = entry?.Sources?.find((each) => each.Name === source);
      if (entry !== undefined && match !== undefined) found.push(intentionOf(entry, match));
    }
  }
  return found.sort(compareIntentionOrder);
}

/** What a decision about a destination rests on. Entries keep their identity until they change. */
export interface DecisionGround {
  readonly exact: ServiceIntentions | null;
  readonly wildcard: ServiceIntentions | null;
  /** '' until the certificate authority is initialised. */
  readonly trustDomain: string;
}

/** Wakes when intentions of the destination or of `*` change, and when a mesh without a trust domain is given one. */
export const intentionGround = query<{ readonly destination: string }, DecisionGround>({
  name: 'intention.ground',
  run(tx, { destination }) {
    const name = foldDestination(destination);
    const identity = identityOf(tx);
    const value = {
      exact: name === wildcard ? null : entryOf(tx, name),
      wildcard: entryOf(tx, wildcard),
      trustDomain: identity.trustDomain,
    };
    return { index: Math.max(tx.unwatched.table('configEntries').index(), identity.index), value };
  },
});

function entryOf(tx: ReadTx, destination: string): ServiceIntentions | null {
  const version = tx.counter(intentionCounter(destination));
  if (version === 0) return null;
  return tx.memo(`intentions/${destination}`, version, (from): ServiceIntentions => {
    const entry = readIntentions(from, destination);
    assert(entry !== undefined, 'intentions that are counted are there');
    return entry;
  });
}

/** Once there, it never changes in the life of a state; so only those who find none wait for it. */
function identityOf(tx: ReadTx): { readonly trustDomain: string; readonly index: number } {
  const version = tx.unwatched.table('singletons').index();
  const identity = tx.memo('intentions.identity', version, (from) => {
    const configuration = readCaConfiguration(from);
    if (configuration === null) return { trustDomain: '', index: 0 };
    return { trustDomain: `${configuration.ClusterID}.consul`.toLowerCase(), index: configuration.ModifyIndex };
  });
  if (identity.trustDomain === '') tx.table('singletons').index();
  return identity;
}

function answer(tx: ReadTx, value: Intention | null) {
  const index = tx.unwatched.table('configEntries').index();
  return value === null ? { index, value, notFound: true } : { index, value };
}
