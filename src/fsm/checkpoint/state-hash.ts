/** One number for a whole state: equal on servers that applied the same entries, whatever their disks went through. */
import { createHash } from 'node:crypto';
import { StateRows } from '../tables/state-rows.ts';
import type { Storage } from '../tables/storage.ts';

/** SHA-256 over every living row and the visible index, hexadecimal. Reads everything: for tests and for the doubtful. */
export function stateHash(storage: Storage): string {
  const { meta } = new StateRows(storage);
  const hash = createHash('sha256');
  hash.update(`${meta.raftIndex}/${meta.indexOffset}\n`);
  for (const { key, value } of storage.range(meta.generation)) {
    const name = key.slice(meta.generation.length);
    hash.update(`${Buffer.byteLength(name)}:${name}${value.length}:`).update(value);
  }
  return hash.digest('hex');
}
