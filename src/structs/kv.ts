/** Key/value entries and the sessions that lock them. */
import { bytes, type Infer, index, int, list, omitEmpty, record, string, uint64 } from './schema/index.ts';

export const kvEntry = record('KVPair', {
  LockIndex: index(),
  Key: string(),
  Flags: uint64(),
  Value: bytes(),
  Session: omitEmpty(string()),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type KvEntry = Infer<typeof kvEntry>;

export const session = record('Session', {
  ID: string(),
  Name: string(),
  Node: string(),
  /** Nanoseconds, as stored; enforced with a cap of 60 s. */
  LockDelay: int(),
  Behavior: string(),
  /** As given (`10s`); empty for none. */
  TTL: string(),
  NodeChecks: list(string()),
  ServiceChecks: list(record('ServiceCheck', { ID: string(), Namespace: string() })),
  Checks: omitEmpty(list(string())),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type Session = Infer<typeof session>;
