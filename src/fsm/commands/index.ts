/** Every command by name: the vocabulary of the log. Add yours here; names and versions are for ever. */
import { autopilotSetConfiguration } from './autopilot-set-configuration.ts';
import { caNextSerial } from './ca-next-serial.ts';
import { caSet } from './ca-set.ts';
import { catalogDeregister } from './catalog-deregister.ts';
import { catalogRegister } from './catalog-register.ts';
import { configEntryDelete } from './config-entry-delete.ts';
import { configEntrySet } from './config-entry-set.ts';
import { coordinateUpdate } from './coordinate-update.ts';
import { intentionCreate } from './intention-create.ts';
import { intentionDelete } from './intention-delete.ts';
import { intentionDeleteExact } from './intention-delete-exact.ts';
import { intentionUpdate } from './intention-update.ts';
import { intentionUpsert } from './intention-upsert.ts';
import { kvAcquire } from './kv-acquire.ts';
import { kvCas } from './kv-cas.ts';
import { kvDelete } from './kv-delete.ts';
import { kvDeleteCas } from './kv-delete-cas.ts';
import { kvDeleteTree } from './kv-delete-tree.ts';
import { kvRelease } from './kv-release.ts';
import { kvSet } from './kv-set.ts';
import { sessionCreate } from './session-create.ts';
import { sessionDestroy } from './session-destroy.ts';
import { snapshotBegin } from './snapshot-begin.ts';
import { snapshotRows } from './snapshot-rows.ts';
import { snapshotTakeOver } from './snapshot-take-over.ts';
import { systemMetadataSet } from './system-metadata-set.ts';
import { tombstoneReap } from './tombstone-reap.ts';
import { txn } from './txn.ts';

export const commands = {
  'autopilot.setConfiguration': autopilotSetConfiguration,
  'ca.nextSerial': caNextSerial,
  'ca.set': caSet,
  'catalog.deregister': catalogDeregister,
  'catalog.register': catalogRegister,
  'configEntry.delete': configEntryDelete,
  'configEntry.set': configEntrySet,
  'intention.create': intentionCreate,
  'intention.delete': intentionDelete,
  'intention.deleteExact': intentionDeleteExact,
  'intention.update': intentionUpdate,
  'intention.upsert': intentionUpsert,
  'coordinate.update': coordinateUpdate,
  'kv.acquire': kvAcquire,
  'kv.cas': kvCas,
  'kv.delete': kvDelete,
  'kv.deleteCas': kvDeleteCas,
  'kv.deleteTree': kvDeleteTree,
  'kv.release': kvRelease,
  'kv.set': kvSet,
  'session.create': sessionCreate,
  'session.destroy': sessionDestroy,
  'snapshot.begin': snapshotBegin,
  'snapshot.rows': snapshotRows,
  'snapshot.takeOver': snapshotTakeOver,
  'systemMetadata.set': systemMetadataSet,
  'tombstone.reap': tombstoneReap,
  txn,
} as const;

export type Commands = typeof commands;
export type CommandName = keyof Commands;
export type CommandArgs<N extends CommandName> = Parameters<Commands[N]['apply']>[1];
export type CommandResult<N extends CommandName> = ReturnType<Commands[N]['apply']>;
