/** `golden/discovery`: generic behaviour, agent, catalog, health, coordinates, events. Fresh agents for each list. */
import { replayLists } from './lists.ts';

replayLists('discovery', [
  { list: 'basic' },
  // The first run of a check comes at a random moment of its interval; the recording began after it.
  { list: 'options', until: { path: '/v1/agent/checks', holds: /"CheckID":"f2a"[^}]*"Status":"passing"/ } },
  { list: 'readonly' },
  { list: 'leave' },
  { list: 'acl', later: 'ACLs come with a later issue' },
  { list: 'client', later: 'client agents come with a later issue' },
  { list: 'noleader', later: 'clusters of several servers come with a later issue' },
  { list: 'wan', later: 'several datacenters come with a later issue' },
]);
