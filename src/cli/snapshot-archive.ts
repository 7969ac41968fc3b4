/**
 * Reads a snapshot archive without a server: a gzipped tar with `meta.json`, `state.bin` and `SHA256SUMS`. Verifies the
 * checksums; the state itself is counted, not interpreted.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { fileErrorText } from './http-client.ts';

export interface SnapshotMeta {
  readonly Version: number;
  readonly ID: string;
  readonly Index: number;
  readonly Term: number;
  readonly Size: number;
}

const block = 512;

/** Throws with the texts that the servers use for a bad archive. */
export async function inspectArchive(file: string): Promise<{ meta: SnapshotMeta }> {
  const hashes = new Map<string, string>();
  let meta = '';
  let sums = '';
  for await (const part of tarParts(file)) {
    const hash: Hash = createHash('sha256');
    const kept: Buffer[] = [];
    for await (const chunk of part.data) {
      hash.update(chunk);
      if (part.name !== 'state.bin') kept.push(chunk);
    }
    hashes.set(part.name, hash.digest('hex'));
    if (part.name === 'meta.json') meta = Buffer.concat(kept).toString('utf8');
    if (part.name === 'SHA256SUMS') sums = Buffer.concat(kept).toString('utf8');
  }
  for (const name of ['meta.json', 'state.bin']) {
    const line = sums.split('\n').find((each) => each.endsWith(`  ${name}`));
    if (!hashes.has(name))
      throw new Error(
        `failed to read snapshot file: failed checking integrity of snapshot: file missing for "${name}"`,
      );
    if (line === undefined)
      throw new Error(
        `failed to read snapshot file: failed checking integrity of snapshot: list missing hash for "${name}"`,
      );
    if (!line.startsWith(hashes.get(name)!)) {
      throw new Error(
        `failed to read snapshot file: failed checking integrity of snapshot: hash check failed for "${name}"`,
      );
    }
  }
  return { meta: JSON.parse(meta) as SnapshotMeta };
}

interface TarPart {
  readonly name: string;
  readonly data: AsyncIterable<Buffer>;
}

/** The members of the archive in order; each must be read to its end before the next. */
async function* tarParts(file: string): AsyncGenerator<TarPart> {
  const reader = new BlockReader(file);
  for (;;) {
    const header = await reader.take(block);
    if (header.every((byte) => byte === 0)) return;
    const name = header.subarray(0, 100).toString('utf8').replace(/\0.*$/s, '');
    const size = Number.parseInt(header.subarray(124, 136).toString('ascii').replace(/\0.*$/s, '').trim() || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new Error('failed to read snapshot file: archive/tar: invalid tar header');
    yield { name, data: reader.stream(size) };
    await reader.take((block - (size % block)) % block);
  }
}

/** Takes exact lengths from a gunzipped file, in order. */
class BlockReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    const input = createReadStream(file);
    const gunzip = createGunzip();
    input.once('error', (error) =>
      gunzip.destroy(new Error(`Error opening snapshot file: ${fileErrorText(file, error)}`)),
    );
    this.#source = input.pipe(gunzip)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.stream(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *stream(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      if (this.#rest.length === 0) await this.#fill();
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async #fill(): Promise<void> {
    let next: IteratorResult<Buffer>;
    try {
      next = await this.#source.next();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!code.startsWith('Z_')) throw error;
      throw new Error(
        code === 'Z_BUF_ERROR'
          ? 'failed to decompress snapshot: unexpected EOF'
          : 'failed to decompress snapshot: gzip: invalid header',
      );
    }
    if (next.done) throw new Error('failed to read snapshot file: unexpected EOF');
    this.#rest = next.value;
  }
}
