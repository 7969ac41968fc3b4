/** Writes a snapshot archive: gzip of a tar with `meta.json`, `state.bin` and `SHA256SUMS`, in this order. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { type Options, Packr } from 'msgpackr';
import type { Configuration } from '../../../raft/index.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

export interface ArchiveParts {
  readonly index: number;
  readonly term: number;
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  readonly nowMs: number;
  readonly statePath: string;
  readonly stateBytes: number;
  /** SHA-256 of the state file, hexadecimal. */
  readonly stateSum: string;
}

const version = 1;
const voter = 0;
const nonVoter = 1;

/** The archive as it is read; `done` runs when it was read to its end, or dropped. */
export function writeArchive(parts: ArchiveParts, done: () => Promise<void>): AsyncIterable<Uint8Array> {
  const gzip = createGzip();
  const source = Readable.from(tarOf(parts));
  source.on('error', (error) => gzip.destroy(error));
  source.pipe(gzip);
  return (async function* () {
    try {
      for await (const piece of gzip) yield piece as Buffer;
    } finally {
      source.destroy();
      await done();
    }
  })();
}

async function* tarOf(parts: ArchiveParts): AsyncGenerator<Uint8Array> {
  const meta = Buffer.from(`${JSON.stringify(metaOf(parts))}\n`);
  const metaSum = createHash('sha256').update(meta).digest('hex');
  const sums = Buffer.from(`${metaSum}  meta.json\n${parts.stateSum}  state.bin\n`);
  yield* member('meta.json', meta, parts.nowMs);
  yield tarHeader('state.bin', parts.stateBytes, parts.nowMs);
  yield* createReadStream(parts.statePath);
  yield tarPadding(parts.stateBytes);
  yield* member('SHA256SUMS', sums, parts.nowMs);
  yield tarEnd;
}

function* member(name: string, content: Buffer, nowMs: number): Iterable<Uint8Array> {
  yield tarHeader(name, content.length, nowMs);
  yield content;
  yield tarPadding(content.length);
}

function metaOf({ configuration, ...parts }: ArchiveParts): object {
  const { voters, learners, addresses } = configuration;
  const servers = [
    ...voters.map((ID) => ({ Suffrage: voter, ID, Address: addresses[ID] ?? '' })),
    ...learners.map((ID) => ({ Suffrage: nonVoter, ID, Address: addresses[ID] ?? '' })),
  ];
  const peers = new Packr({ useRecords: false } as Options).pack(servers.map(({ Address }) => Address));
  return {
    Version: version,
    ID: `${parts.term}-${parts.index}-${parts.nowMs}`,
    Index: parts.index,
    Term: parts.term,
    Peers: Buffer.from(peers).toString('base64'),
    Configuration: { Servers: servers },
    ConfigurationIndex: parts.configurationIndex,
    Size: parts.stateBytes,
  };
}
