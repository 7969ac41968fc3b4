/** Transactions: a list of operations, each on a key, a node, an instance or a check, applied together or not at all. */
import type { HealthCheck, Node, NodeService } from './catalog.ts';
import { checkOperation, nodeOperation, serviceOperation } from './catalog-requests.ts';
import type { KvEntry } from './kv.ts';
import { bytes, type Infer, index, nullable, record, string, uint64 } from './schema/index.ts';

const kvOperation = record('TxnKVOp', {
  Verb: string(),
  Key: string(),
  Value: bytes(),
  Flags: uint64(),
  /** ModifyIndex to compare with; 0 means absent. */
  Index: index(),
  Session: string(),
  /** Accepted and ignored. */
  Namespace: string(),
});
export type KvOperation = Infer<typeof kvOperation>;

/** The first member that is not null counts. */
export const txnOperation = record('TxnOp', {
  KV: nullable(kvOperation),
  Node: nullable(nodeOperation),
  Service: nullable(serviceOperation),
  Check: nullable(checkOperation),
});
export type TxnOperation = Infer<typeof txnOperation>;

/** One object that an operation read or wrote. */
export type TxnResult =
  | { readonly KV: KvEntry }
  | { readonly Node: Node }
  | { readonly Service: NodeService }
  | { readonly Check: HealthCheck };

export interface TxnError {
  readonly OpIndex: number;
  readonly What: string;
}

/** Results, or errors and then no results: nothing was applied. */
export interface TxnAnswer {
  readonly Results: readonly TxnResult[] | null;
  readonly Errors: readonly TxnError[] | null;
}
