/**
 * How checks come, change and go. A check of a service carries a copy of the service's name and tags, taken when the check
 * is written. A critical check, written again or not, ends the sessions that depend on it.
 */
import type { HealthCheck } from '../../structs/index.ts';
import type { WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { touchService, touchServicesOfNode } from './catalog-touch.ts';
import { equalBut } from './equal.ts';
import { endSessionsOfCheck } from './session-end.ts';

export type CheckContent = Omit<HealthCheck, 'CreateIndex' | 'ModifyIndex'>;

/** What an agent may fill in later without the check counting as another one. */
const notCompared = ['CreateIndex', 'ModifyIndex', 'Type', 'Interval', 'Timeout', 'ExposedPort'] as const;

/** Writes a check and returns what is stored now. Throws a Refusal without its node, or its service. */
export function putCheck(tx: WriteTx, given: CheckContent): HealthCheck {
  const node = tx.table('nodes').get([given.Node]);
  if (node === undefined) throw new Refusal('failed', 'Missing node registration');
  const content = { ...given, Node: node.Node, Status: given.Status === '' ? 'critical' : given.Status };
  if (content.ServiceID !== '') {
    const service = tx.table('services').get([content.Node, content.ServiceID]);
    if (service === undefined) throw new Refusal('failed', 'Missing service registration');
    content.ServiceName = service.Service;
    content.ServiceTags = service.Tags;
  }
  const checks = tx.table('checks');
  const before = checks.get([content.Node, content.CheckID]);
  const changed = before === undefined || !equalBut(before, content, ...notCompared);
  if (changed) touchReaders(tx, content);
  if (content.Status === 'critical') endSessionsOfCheck(tx, content);
  if (!changed) return before;
  const row: HealthCheck = { ...content, CreateIndex: before?.CreateIndex ?? tx.index, ModifyIndex: tx.index };
  checks.put([row.Node, row.CheckID], row);
  return row;
}

/** Removes a check and ends the sessions that depend on it. False if there is none. */
export function removeCheck(tx: WriteTx, node: string, id: string): boolean {
  const checks = tx.table('checks');
  const before = checks.get([node, id]);
  if (before === undefined) return false;
  touchReaders(tx, before);
  if (before.ServiceID === '') tx.table('services').touch();
  checks.delete([node, id]);
  endSessionsOfCheck(tx, before);
  return true;
}

function touchReaders(tx: WriteTx, check: Pick<HealthCheck, 'Node' | 'ServiceID' | 'ServiceName'>): void {
  if (check.ServiceID === '') touchServicesOfNode(tx, check.Node);
  else touchService(tx, check.ServiceName);
}
