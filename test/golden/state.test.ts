/** `golden/state`: keys, sessions, transactions, snapshots, operator. */
import { replayLists } from './lists.ts';

const later = 'ACLs come with a later issue';
replayLists('state', [
  { list: 'basic' },
  { list: 'acl', later },
  { list: 'acl-allow', later },
  { list: 'acl-keylist', later },
]);
