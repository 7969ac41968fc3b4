/** Ends a session and releases, or deletes, what it holds. A session that does not exist counts as ended. */
import { command } from '../contract.ts';
import { notAUuid } from '../errors.ts';
import { endSession } from './session-end.ts';

export const sessionDestroy = command<{ readonly ID: string }, boolean>({
  name: 'session.destroy',
  version: 1,
  apply(tx, { ID }) {
    if (ID.length !== 36) throw notAUuid();
    endSession(tx, ID);
    return true;
  },
});
