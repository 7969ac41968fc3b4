/**
 * Applies a list of operations together or not at all. Later operations see what earlier ones did. All of them are tried
 * and all failures reported; if any failed, nothing is applied. What the leader can refuse without the state (missing
 * names, a running lock-delay) is refused before anything is proposed, and then only that is reported.
 */
import type { KvEntry, TxnAnswer, TxnError, TxnOperation, TxnResult } from '../../structs/index.ts';
import { command, type LeaderContext, Settled, type WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import {
  acquireEntry,
  casEntry,
  deleteEntry,
  deleteEntryCas,
  deleteTree,
  type KvContent,
  releaseEntry,
  setEntry,
} from './kv-entries.ts';
import { applyCheckOperation, applyNodeOperation, applyServiceOperation } from './txn-catalog.ts';
import { findProblem, prepareOperation, readKvOperation } from './txn-operations.ts';

export interface TxnArgs {
  readonly Ops: readonly TxnOperation[];
}

export const txn = command<TxnArgs, TxnAnswer>({
  name: 'txn',
  version: 1,
  prepare({ Ops }, leader) {
    const errors: TxnError[] = [];
    Ops.forEach((operation, OpIndex) => {
      const What = findProblem(operation) ?? lockDelayProblem(operation, leader);
      if (What !== undefined) errors.push({ OpIndex, What });
    });
    if (errors.length > 0) return new Settled<TxnAnswer>({ Results: null, Errors: errors });
    return { Ops: Ops.map((operation) => prepareOperation(operation, leader.datacenter)) };
  },
  apply(tx, { Ops }) {
    const errors: TxnError[] = [];
    const outcome = tx.attempt(() => {
      const results = Ops.flatMap((operation, OpIndex) => {
        const one = tx.attempt(() => applyOperation(tx, operation));
        if (one.ok) return one.value;
        errors.push({ OpIndex, What: one.error.message });
        return [];
      });
      if (errors.length > 0) throw new Refusal('conflict', 'some operations failed');
      return results;
    });
    return outcome.ok ? { Results: outcome.value, Errors: null } : { Results: null, Errors: errors };
  },
});

function lockDelayProblem({ KV }: TxnOperation, leader: LeaderContext): string | undefined {
  if (KV?.Verb !== 'lock' || leader.lockDelayUntilMs(KV.Key) <= leader.nowMs) return undefined;
  return `failed to lock key "${KV.Key}" due to lock delay`;
}

function applyOperation(tx: WriteTx, operation: TxnOperation): readonly TxnResult[] {
  if (operation.KV !== null) return applyKvOperation(tx, operation.KV);
  if (operation.Node !== null) return applyNodeOperation(tx, operation.Node);
  if (operation.Service !== null) return applyServiceOperation(tx, operation.Service);
  if (operation.Check !== null) return applyCheckOperation(tx, operation.Check);
  return [];
}

function applyKvOperation(tx: WriteTx, operation: NonNullable<TxnOperation['KV']>): readonly TxnResult[] {
  const { Verb, Key, Value, Flags, Index, Session } = operation;
  const content: KvContent = { Key, Value, Flags };
  switch (Verb) {
    case 'set':
      return written(setEntry(tx, content), '');
    case 'cas':
      return written(casEntry(tx, content, Index), `failed to set key "${Key}", index is stale`);
    case 'lock':
      return written(acquireEntry(tx, content, Session), `failed to lock key "${Key}", lock is already held`);
    case 'unlock': {
      const problem = `failed to unlock key "${Key}", lock isn't held, or is held by another session`;
      return written(releaseEntry(tx, content, Session), problem);
    }
    case 'delete':
      deleteEntry(tx, Key);
      return [];
    case 'delete-tree':
      deleteTree(tx, Key);
      return [];
    case 'delete-cas':
      if (deleteEntryCas(tx, Key, Index)) return [];
      throw new Refusal('conflict', `failed to delete key "${Key}", index is stale`);
    default:
      return readKvOperation(tx, operation);
  }
}

/** What was written, without its value: the caller knows it. */
function written(entry: KvEntry | undefined, problem: string): readonly TxnResult[] {
  if (entry === undefined) throw new Refusal('conflict', problem);
  return [{ KV: { ...entry, Value: null } }];
}
