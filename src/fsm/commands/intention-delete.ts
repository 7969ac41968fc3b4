/** `DELETE /v1/connect/intentions/:id`. The last intention of a destination takes its entry along. */
import { intentionIdFault } from '../../structs/intention-rules.ts';
import { command } from '../contract.ts';
import { entryOfId, refuse, refuseUnlessLegacy, removeSource } from './intention-entries.ts';

export interface IntentionDelete {
  readonly ID: string;
}

export const intentionDelete = command<IntentionDelete, true>({
  name: 'intention.delete',
  version: 1,
  prepare(args) {
    const fault = intentionIdFault(args.ID);
    if (fault !== null) refuse(`Intention lookup failed: ${fault}`);
    return args;
  },
  apply(tx, { ID }) {
    const found = entryOfId(tx, ID);
    if (found === undefined) refuse(`Cannot delete non-existent intention: '${ID}'`);
    refuseUnlessLegacy(found.entry, found.entry.Name);
    removeSource(tx, found.entry, found.source);
    return true;
  },
});
