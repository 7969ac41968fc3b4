/** `golden/mesh`: intentions, authorization, sidecars, config entries, the certificate authority, on a whole agent. */
import { replayLists } from './lists.ts';

replayLists('mesh', [{ list: 'open' }, { list: 'extra' }]);
