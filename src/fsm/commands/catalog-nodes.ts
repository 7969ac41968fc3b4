/**
 * How nodes come, change, are renamed and go. Shared by registration, deregistration and transactions.
 *
 * A node is known by its id if it has one, and by its name (letter case ignored). Who may take a name over from whom:
 *
 *     id known, same name            update
 *     id known, another name         rename: the old node goes with everything on it; refused while the new name is
 *                                    held by another node whose serfHealth is not critical
 *     id unknown, name free          new node
 *     id unknown, holder without id  takes the node over, with what is on it
 *     id unknown, holder with an id  takes it over if the holder's serfHealth is critical or missing; else refused
 *     no id                          matched by name alone; an id it had is lost
 */
import type { Node } from '../../structs/index.ts';
import type { WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { removeCheck } from './catalog-checks.ts';
import { removeService } from './catalog-services.ts';
import { touchServicesOfNode } from './catalog-touch.ts';
import { equalBut } from './equal.ts';
import { endSessionsOfNode } from './session-end.ts';

export type NodeContent = Omit<Node, 'CreateIndex' | 'ModifyIndex'>;

const serfHealthId = 'serfHealth';

/** Writes a node and returns what is stored now. Throws a Refusal when the name is reserved. */
export function putNode(tx: WriteTx, content: NodeContent): Node {
  const nodes = tx.table('nodes');
  let before: Node | undefined;
  if (content.ID !== '') {
    before = nodeById(tx, content.ID);
    if (before === undefined) {
      refuseReservedName(tx, content, {
        allowWithoutId: true,
        prefix: `Error while renaming Node ID: "${content.ID}": `,
      });
    } else if (before.Node !== content.Node) {
      const prefix = `Error while renaming Node ID: "${content.ID}" (${content.Address}): `;
      refuseReservedName(tx, content, { allowWithoutId: false, prefix });
      removeNode(tx, before.Node);
    }
  }
  before ??= nodes.get([content.Node]);
  if (before !== undefined && equalBut(before, content, 'CreateIndex', 'ModifyIndex')) return before;
  const node: Node = { ...content, CreateIndex: before?.CreateIndex ?? tx.index, ModifyIndex: tx.index };
  nodes.put([node.Node], node);
  touchServicesOfNode(tx, node.Node);
  return node;
}

/** Removes a node with its services, checks and sessions. False if there is none of that name. */
export function removeNode(tx: WriteTx, name: string): boolean {
  if (tx.table('nodes').get([name]) === undefined) return false;
  for (const service of [...tx.table('services').range([name])]) removeService(tx, name, service.ID);
  for (const check of [...tx.table('checks').range([name])]) removeCheck(tx, name, check.CheckID);
  for (const { Segment } of [...tx.table('coordinates').range([name])]) tx.table('coordinates').delete([name, Segment]);
  tx.table('nodes').delete([name]);
  endSessionsOfNode(tx, name);
  return true;
}

function nodeById(tx: WriteTx, id: string): Node | undefined {
  for (const node of tx.table('nodes').by('id', [id])) return node;
  return undefined;
}

function refuseReservedName(
  tx: WriteTx,
  { ID, Node: name }: NodeContent,
  { allowWithoutId, prefix }: { readonly allowWithoutId: boolean; readonly prefix: string },
): void {
  const holder = tx.table('nodes').get([name]);
  if (holder === undefined || holder.ID === ID) return;
  if (holder.ID === '' && allowWithoutId) return;
  const health = tx.table('checks').get([holder.Node, serfHealthId]);
  if (health === undefined || health.Status === 'critical') return;
  throw new Refusal(
    'failed',
    `${prefix}Node name ${name} is reserved by node ${holder.ID} with name ${holder.Node} (${holder.Address})`,
  );
}
