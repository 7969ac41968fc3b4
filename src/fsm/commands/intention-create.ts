/** `POST /v1/connect/intentions`: creates an intention with an id of its own. */
import { formatInstant } from '../../std/instant.ts';
import type { Intention } from '../../structs/intention.ts';
import { legacyIntentionFault } from '../../structs/intention-rules.ts';
import { command } from '../contract.ts';
import { readIntentions } from './config-entries.ts';
import { refuse, refuseUnlessLegacy, sourceOf, writeSources } from './intention-entries.ts';

export interface IntentionCreate {
  readonly Intention: Intention;
  /** Decided by the leader. */
  readonly ID?: string;
  readonly Time?: string;
}

/** Answers the new id. */
export const intentionCreate = command<IntentionCreate, string>({
  name: 'intention.create',
  version: 1,
  prepare({ Intention }, leader) {
    if (Intention.ID !== '') refuse('ID must be empty when creating a new intention');
    const fault = legacyIntentionFault(Intention);
    if (fault !== null) refuse(fault);
    return { Intention, ID: leader.uuid(), Time: formatInstant(leader.nowMs) };
  },
  apply(tx, { Intention, ID = '', Time = '' }) {
    const before = readIntentions(tx, Intention.DestinationName);
    if (before !== undefined) refuseUnlessLegacy(before, Intention.DestinationName);
    const source = sourceOf(
      Intention.SourceName,
      { ...Intention, Permissions: null, Type: Intention.SourceType },
      { ID, Meta: Intention.Meta, CreateTime: Time, UpdateTime: Time },
    );
    writeSources(tx, before, Intention.DestinationName, [...(before?.Sources ?? []), source], 'legacy');
    return ID;
  },
});
