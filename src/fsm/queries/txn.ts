/** A transaction that only looks: answered from one consistent view, without the log. Reports no index of its own. */
import type { TxnAnswer, TxnError, TxnOperation, TxnResult } from '../../structs/index.ts';
import { findProblem, readCatalogOperation, readKvOperation } from '../commands/txn-operations.ts';
import { query, type ReadTx } from '../contract.ts';
import { Refusal } from '../errors.ts';

export const txnRead = query<{ readonly Ops: readonly TxnOperation[] }, TxnAnswer>({
  name: 'txn.read',
  run(tx, { Ops }) {
    const problems = Ops.flatMap((operation, OpIndex): TxnError[] => {
      const What = findProblem(operation);
      return What === undefined ? [] : [{ OpIndex, What }];
    });
    if (problems.length > 0) return { index: 1, value: { Results: null, Errors: problems } };
    const results: TxnResult[] = [];
    const errors: TxnError[] = [];
    Ops.forEach((operation, OpIndex) => {
      try {
        results.push(...readOperation(tx.unwatched, operation));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        errors.push({ OpIndex, What: error.message });
      }
    });
    const value = errors.length > 0 ? { Results: null, Errors: errors } : { Results: results, Errors: null };
    return { index: 1, value };
  },
});

function readOperation(tx: ReadTx, operation: TxnOperation): readonly TxnResult[] {
  return operation.KV === null ? readCatalogOperation(tx, operation) : readKvOperation(tx, operation.KV);
}
