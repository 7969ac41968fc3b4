/** `golden/state`: keys, sessions, transactions, snapshots, operator. */
import { replayLists } from './lists.ts';

replayLists('state', [{ list: 'basic' }]);
