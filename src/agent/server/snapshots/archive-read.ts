/**
 * Reads and checks a snapshot archive, whole, before anything of it is used. The texts of what is wrong are those that
 * existing tools show. The state is left in a file of its own, checked against its sum.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Refusal } from '../../../fsm/index.ts';
import { type TarEntry, TarReader, UnexpectedEnd } from './tar.ts';

export interface SnapshotMeta {
  readonly Version: number;
  readonly ID: string;
  readonly Index: number;
  readonly Term: number;
}

const gzipHeaderBytes = 10;
const smallFileBytesMax = 16 * 1024 * 1024;

/** Leaves the state in the file `statePath`. Throws a Refusal `failed` that says what is wrong with the archive. */
export async function readArchive(archive: AsyncIterable<Uint8Array>, statePath: string): Promise<SnapshotMeta> {
  const tar = new TarReader(gunzip(archive));
  const hashes = new Map<string, string>();
  const texts = new Map<string, string>();
  try {
    for await (const entry of tar.entries()) await readEntry(entry, statePath, hashes, texts);
  } catch (error) {
    throw fileProblem(error);
  }
  checkSums(texts.get('SHA256SUMS') ?? '', hashes);
  const meta = JSON.parse(texts.get('meta.json') ?? 'null') as SnapshotMeta;
  const remaining = await tar.remaining().catch((error: unknown) => {
    throw fileProblem(error); // the files are whole, and what closes the compression is not
  });
  if (remaining > 0) throw new Refusal('failed', `${remaining} unread uncompressed bytes remain`);
  return meta;
}

async function readEntry(
  { name, data }: TarEntry,
  statePath: string,
  hashes: Map<string, string>,
  texts: Map<string, string>,
): Promise<void> {
  const hash = createHash('sha256');
  switch (name) {
    case 'meta.json':
    case 'SHA256SUMS': {
      const what = name === 'meta.json' ? 'metadata' : 'hashes';
      texts.set(name, (await collect(data, hash, `failed to read snapshot ${what}: `)).toString('utf8'));
      break;
    }
    case 'state.bin':
      await within('failed to read or write snapshot data: ', () =>
        pipeline(hashing(data, hash), createWriteStream(statePath, { mode: 0o600 })),
      );
      break;
    default:
      throw new Refusal('failed', `failed to read snapshot file: unexpected file "${name}" in snapshot`);
  }
  if (name === 'meta.json') requireJson(texts.get(name)!);
  if (name !== 'SHA256SUMS') hashes.set(name, hash.digest('hex'));
}

async function* hashing(
  data: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of data) {
    hash.update(piece);
    yield piece;
  }
}

async function collect(
  data: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
  prefix: string,
): Promise<Buffer> {
  return within(prefix, async () => {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of hashing(data, hash)) {
      pieces.push(piece);
      size += piece.length;
      if (size > smallFileBytesMax) throw new RangeError(`more than ${smallFileBytesMax} bytes`);
    }
    return Buffer.concat(pieces);
  });
}

/** Says where in the archive reading stopped. */
async function within<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnexpectedEnd || error instanceof RangeError) {
      throw new Refusal('failed', `failed to read snapshot file: ${prefix}${error.message}`, {}, { cause: error });
    }
    throw error;
  }
}

function fileProblem(error: unknown): unknown {
  if (!(error instanceof UnexpectedEnd || error instanceof RangeError)) return error;
  const text = `failed to read snapshot file: failed reading snapshot: ${error.message}`;
  return new Refusal('failed', text, {}, { cause: error });
}

/** Every line must be about a file of the archive, every file must have a line, and the sums must agree. */
function checkSums(list: string, hashes: ReadonlyMap<string, string>): void {
  const refuse = (why: string): never => {
    throw new Refusal('failed', `failed to read snapshot file: failed checking integrity of snapshot: ${why}`);
  };
  const seen = new Set<string>();
  for (const line of list.split('\n').filter((text) => text !== '')) {
    const [sum = '', file = ''] = line.split(/\s+/);
    const hash = hashes.get(file);
    if (hash === undefined && !required.includes(file)) refuse(`list missing hash for "${file}"`);
    if (hash !== sum.toLowerCase()) refuse(`hash check failed for "${file}"`);
    seen.add(file);
  }
  for (const file of required) if (!seen.has(file)) refuse(`file missing for "${file}"`);
}
const required = ['meta.json', 'state.bin'];

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const why = isCutShort(message, text) ? 'unexpected end of JSON input' : message;
    throw new Refusal(
      'failed',
      `failed to read snapshot file: failed to decode snapshot metadata: ${why}`,
      {},
      {
        cause: error,
      },
    );
  }
}

/** Whether the parser stopped because the text did: it complains of its end, or of the position behind its last character. */
function isCutShort(message: string, text: string): boolean {
  const position = /at position (\d+)/.exec(message)?.[1];
  return /^(Unexpected end|Unterminated)/.test(message) || Number(position) >= text.trimEnd().length;
}

/** The archive without its compression. What is wrong with the compression is a Refusal in the reference's words. */
async function* gunzip(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new Refusal('failed', why, {}, cause === undefined ? undefined : { cause });
  };
  const [head, rest] = await peel(archive, gzipHeaderBytes);
  if (head.length === 0) refuse('failed to decompress snapshot: EOF');
  if (head.length < gzipHeaderBytes) refuse('failed to decompress snapshot: unexpected EOF');
  if (head[0] !== 0x1f || head[1] !== 0x8b) refuse('failed to decompress snapshot: gzip: invalid header');
  let given = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of rest) {
      given += piece.length;
      yield piece;
    }
  };
  const unzip = createGunzip();
  const feeding = pipeline(Readable.from(counted()), unzip);
  feeding.catch(() => undefined); // read below, where the stream is
  try {
    for await (const piece of unzip) yield piece as Buffer;
    await feeding;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'Z_BUF_ERROR') throw new UnexpectedEnd();
    // The first header was looked at above, so this one is of a member behind the end.
    if (code === 'Z_DATA_ERROR' && (error as Error).message === 'incorrect header check')
      refuse('gzip: invalid header');
    if (code === 'Z_DATA_ERROR') throw new RangeError(`gzip: ${(error as Error).message}`);
    throw error;
  }
  if (unzip.bytesWritten < given) refuse('gzip: invalid header');
}

/** The first bytes, and everything again from the start. */
async function peel(
  source: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<readonly [Buffer, AsyncIterable<Uint8Array>]> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < sizeBytes) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const again = async function* (): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  return [head.subarray(0, sizeBytes), again()];
}
