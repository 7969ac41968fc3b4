/** Sets a key unconditionally. Keeps the session of a held lock; a set that changes nothing moves no index. */
import { command } from '../contract.ts';

export interface KvSet {
  readonly Key: string;
  readonly Value: Uint8Array | null;
  readonly Flags: number | bigint;
}

export const kvSet = command<KvSet, boolean>({
  name: 'kv.set',
  version: 1,
  apply(tx, { Key, Value, Flags }) {
    const kv = tx.table('kv');
    const before = kv.get([Key]);
    if (before?.LockIndex === 0 && before.Flags === Flags && sameBytes(before.Value, Value)) return true;
    kv.put([Key], {
      LockIndex: 0,
      Key,
      Flags,
      Value,
      Session: before?.Session ?? '',
      CreateIndex: before?.CreateIndex ?? tx.index,
      ModifyIndex: tx.index,
    });
    return true;
  },
});

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  const left = a ?? new Uint8Array();
  const right = b ?? new Uint8Array();
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}
