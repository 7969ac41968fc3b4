/** `PUT /v1/connect/intentions/:id`: replaces an intention wholly; its source may change, its destination may not. */
import { formatInstant } from '../../std/instant.ts';
import type { Intention } from '../../structs/intention.ts';
import { intentionIdFault, legacyIntentionFault } from '../../structs/intention-rules.ts';
import { foldDestination } from '../../structs/intention-source.ts';
import { command } from '../contract.ts';
import { entryOfId, refuse, refuseUnlessLegacy, sourceOf, writeSources } from './intention-entries.ts';
import { idKey } from './intention-lookups.ts';

export interface IntentionUpdate {
  readonly ID: string;
  readonly Intention: Intention;
  /** Decided by the leader. */
  readonly Time?: string;
}

/** Answers the id. */
export const intentionUpdate = command<IntentionUpdate, string>({
  name: 'intention.update',
  version: 1,
  prepare({ ID, Intention }, leader) {
    const id = intentionIdFault(ID);
    if (id !== null) refuse(`Intention lookup failed: ${id}`);
    if (leader.read.table('intentionLookups').get(['id', idKey(ID)]) === undefined) refuse(unknown(ID));
    const fault = legacyIntentionFault(Intention);
    if (fault !== null) refuse(fault);
    return { ID, Intention, Time: formatInstant(leader.nowMs) };
  },
  apply(tx, { ID, Intention, Time = '' }) {
    const found = entryOfId(tx, ID);
    if (found === undefined) refuse(unknown(ID));
    const { entry, source: old } = found;
    if (foldDestination(Intention.DestinationName) !== foldDestination(entry.Name)) {
      refuse('Cannot modify DestinationNS or DestinationName for an intention once it exists.');
    }
    refuseUnlessLegacy(entry, Intention.DestinationName);
    const source = sourceOf(
      Intention.SourceName,
      { ...Intention, Permissions: null, Type: Intention.SourceType },
      { ID: old.LegacyID, Meta: Intention.Meta, CreateTime: old.LegacyCreateTime, UpdateTime: Time },
    );
    const sources = (entry.Sources ?? []).map((each) => (each === old ? source : each));
    writeSources(tx, entry, entry.Name, sources, 'legacy');
    return old.LegacyID;
  },
});

const unknown = (id: string): string => `Cannot modify non-existent intention: '${id}'`;
