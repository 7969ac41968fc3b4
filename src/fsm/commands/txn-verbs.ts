/** Which operations of a transaction write: a door must know before it asks anybody, and a client agent has doors but no state. */
import type { TxnOperation } from '../../structs/index.ts';

const kvWriteVerbs = ['set', 'delete', 'delete-cas', 'delete-tree', 'cas', 'lock', 'unlock'];

/** Whether an operation must go through the log. Unknown verbs of the catalog families count as writes, of KV as reads. */
export function isWrite({ KV, Node, Service, Check }: TxnOperation): boolean {
  if (KV !== null) return kvWriteVerbs.includes(KV.Verb);
  const other = Node ?? Service ?? Check;
  return other !== null && other.Verb !== 'get';
}
