/**
 * Is a rows file as long as LMDB says that it is? LMDB maps it into memory and trusts what its meta pages say, so that a file which was
 * cut off (a copy that ended early, a repaired file system) kills the process when a missing page is touched, and one that is gone is taken
 * for a new one. What is found here is rebuilt from a checkpoint and the log instead.
 *
 * LMDB keeps two meta pages, the newer one counts: magic, version, address, map size, two trees, the last page in use, the transaction.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const magic = 0xbeefc0de;
const pageBytesMax = 64 * 1024;
/** Behind the magic number. */
const at = { pageBytes: 24, lastPage: 120, transaction: 128 } as const;
/** The page header is 16 bytes, or 24 in the format that carries the transaction. */
const headers = [16, 24];

interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: number;
}

/**
 * False: absent, without its meta pages, or shorter than they say. What is inside the pages is not looked at.
 *
 * A transaction that takes pages at the end and gives them back (a whole prefix written and deleted in one batch) never writes them: then
 * the file is rebuilt without need, which costs a start a little time and nothing else.
 */
export function isWholeRowsFile(path: string): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, 2 * pageBytesMax));
    readSync(file, bytes, 0, bytes.length, 0);
    const first = readMeta(bytes, 0);
    const second = first === undefined ? undefined : readMeta(bytes, first.pageBytes);
    if (first === undefined || second === undefined) return false;
    const newer = first.transaction > second.transaction ? first : second;
    return size >= (newer.lastPage + 1) * newer.pageBytes;
  } finally {
    closeSync(file);
  }
}

function readMeta(bytes: Buffer, page: number): Meta | undefined {
  const header = headers.find((length) => {
    const start = page + length;
    return bytes.length >= start + at.transaction + 8 && bytes.readUInt32LE(start) === magic;
  });
  if (header === undefined) return undefined;
  const start = page + header;
  const pageBytes = bytes.readUInt32LE(start + at.pageBytes);
  if (pageBytes < 512 || pageBytes > pageBytesMax) return undefined;
  return {
    pageBytes,
    lastPage: Number(bytes.readBigUInt64LE(start + at.lastPage)),
    transaction: Number(bytes.readBigUInt64LE(start + at.transaction)),
  };
}
