/** `golden/discovery`: generic behaviour, agent, catalog, health, coordinates, events. Fresh agents for each list. */
import { replayLists } from './lists.ts';

replayLists('discovery', [
  { list: 'basic' },
  // The first run of a check comes at a random moment of its interval; the recording began after it.
  { list: 'options', until: { path: '/v1/agent/checks', holds: /"CheckID":"f2a"[^}]*"Status":"passing"/ } },
  { list: 'readonly' },
  { list: 'leave' },
  // A client has found its server, and the server has written both into the catalog.
  { list: 'client', until: { path: '/v1/catalog/nodes', holds: /"c1"[^]*"n1"/ } },
  { list: 'noleader', leaderless: true },
]);
