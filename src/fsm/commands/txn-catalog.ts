/** Operations of a transaction on the catalog: the same changes as registration makes, with check-and-set beside. */
import type { CheckOperation, NodeOperation, ServiceOperation, TxnOperation, TxnResult } from '../../structs/index.ts';
import type { WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { putCheck, removeCheck } from './catalog-checks.ts';
import { putNode, removeNode } from './catalog-nodes.ts';
import { putService, removeService } from './catalog-services.ts';
import { readCatalogOperation } from './txn-operations.ts';

const none: TxnOperation = { KV: null, Node: null, Service: null, Check: null };

export function applyNodeOperation(tx: WriteTx, operation: NodeOperation): readonly TxnResult[] {
  const { CreateIndex: _, ModifyIndex, ...content } = operation.Node;
  const stored = tx.table('nodes').get([content.Node]);
  return run(operation.Verb, {
    family: 'Node',
    subject: `node "${content.Node}"`,
    matches: (stored?.ModifyIndex ?? 0) === ModifyIndex,
    present: stored !== undefined,
    get: () => readCatalogOperation(tx, { ...none, Node: operation }),
    put: () => [{ Node: putNode(tx, content) }],
    remove: () => removeNode(tx, content.Node),
  });
}

export function applyServiceOperation(tx: WriteTx, operation: ServiceOperation): readonly TxnResult[] {
  const { CreateIndex: _, ModifyIndex, ...content } = operation.Service;
  const stored = tx.table('services').get([operation.Node, content.ID]);
  return run(operation.Verb, {
    family: 'Service',
    subject: `service "${content.ID}" on node "${operation.Node}"`,
    matches: (stored?.ModifyIndex ?? 0) === ModifyIndex,
    present: stored !== undefined,
    get: () => readCatalogOperation(tx, { ...none, Service: operation }),
    put: () => {
      const { Node: _, ...Service } = putService(tx, operation.Node, content);
      return [{ Service }];
    },
    remove: () => removeService(tx, operation.Node, content.ID),
  });
}

export function applyCheckOperation(tx: WriteTx, operation: CheckOperation): readonly TxnResult[] {
  const { CreateIndex: _, ModifyIndex, ...content } = operation.Check;
  const stored = tx.table('checks').get([content.Node, content.CheckID]);
  return run(operation.Verb, {
    family: 'Check',
    subject: `check "${content.CheckID}" on node "${content.Node}"`,
    matches: (stored?.ModifyIndex ?? 0) === ModifyIndex,
    present: stored !== undefined,
    get: () => readCatalogOperation(tx, { ...none, Check: operation }),
    put: () => [{ Check: putCheck(tx, content) }],
    remove: () => removeCheck(tx, content.Node, content.CheckID),
  });
}

interface Verbs {
  readonly family: string;
  /** Named in error texts. */
  readonly subject: string;
  /** Whether the operation's ModifyIndex is the stored one (0: absent). */
  readonly matches: boolean;
  readonly present: boolean;
  get(): readonly TxnResult[];
  put(): readonly TxnResult[];
  remove(): boolean;
}

function run(verb: string, verbs: Verbs): readonly TxnResult[] {
  switch (verb) {
    case 'get':
      return verbs.get();
    case 'set':
      return verbs.put();
    case 'cas':
      if (verbs.matches) return verbs.put();
      throw new Refusal('conflict', `failed to set ${verbs.subject}, index is stale`);
    case 'delete':
      verbs.remove();
      return [];
    case 'delete-cas':
      // Deleting what is absent fails here, unlike for keys.
      if (!verbs.present || !verbs.matches) {
        throw new Refusal('conflict', `failed to delete ${verbs.subject}, index is stale`);
      }
      verbs.remove();
      return [];
    default:
      throw new Refusal('invalid', `unknown ${verbs.family} verb "${verb}"`);
  }
}
