/** `golden/mesh`: intentions, authorization, sidecars, config entries, the certificate authority, on a whole agent. */
import { replayLists } from './lists.ts';

replayLists('mesh', [
  { list: 'open' },
  { list: 'extra' },
  { list: 'acl', later: 'ACLs come with a later issue' },
  { list: 'dc2', later: 'several datacenters come with a later issue' },
]);
