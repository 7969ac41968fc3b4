/** A snapshot of the state on its way from a server, or to one: a call of its own, beside the stream of requests. */
import type { Client, ClientReadableStream } from '@grpc/grpc-js';
import { BackendError, type Caller, type SavedSnapshot } from '../backend.ts';
import { errorOf } from './failure.ts';
import { clusterService, type WireChunk, type WireSnapshotRequest } from './wire.ts';

/** Resolves with the beginning; the archive comes as it is read. */
export async function saveSnapshot(client: Client, request: WireSnapshotRequest): Promise<SavedSnapshot> {
  const { path, requestSerialize, responseDeserialize } = clusterService.saveSnapshot;
  const stream: ClientReadableStream<WireChunk> = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize as (bytes: Buffer) => WireChunk,
    request,
  );
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<WireChunk>;
  const first = await chunks.next().catch((error: unknown) => {
    throw snapshotError(error);
  });
  if (first.done || first.value.meta === null)
    throw new BackendError('unknownOutcome', 'the server ended a snapshot before it began');
  return { ...first.value.meta, archive: archiveOf(chunks) };
}

/** Resolves when the archive has become the state. */
export function restoreSnapshot(
  client: Client,
  archive: AsyncIterable<Uint8Array>,
  head: { readonly caller: Caller; readonly forwarded: boolean },
): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = clusterService.restoreSnapshot;
  return new Promise((resolve, reject) => {
    const stream = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error) =>
      error === null ? resolve() : reject(snapshotError(error)),
    );
    const send = async (): Promise<void> => {
      stream.write(head);
      for await (const data of archive) {
        if (stream.writableEnded || stream.destroyed) return;
        if (!stream.write({ data })) await new Promise((drained) => stream.once('drain', drained));
      }
      stream.end();
    };
    send().catch((error: unknown) => {
      stream.cancel();
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

async function* archiveOf(chunks: AsyncIterator<WireChunk>): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value.data;
  } catch (error) {
    throw snapshotError(error);
  }
}

/** What the server said in the details of its status; a broken connection says nothing. */
function snapshotError(error: unknown): Error {
  const details = (error as { details?: string }).details ?? '';
  try {
    const { source, code, message } = JSON.parse(details) as { source: 'REFUSAL'; code: string; message: string };
    return errorOf({ source, code, message, fields: new Uint8Array() });
  } catch {
    return new BackendError(
      'unknownOutcome',
      `the connection broke: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
