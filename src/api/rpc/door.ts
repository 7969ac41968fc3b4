/**
 * The gRPC door of a server: answers agents and the servers that pass their callers' requests on. One stream carries the
 * requests of a whole process; answers that are ready in the same turn of the event loop travel together.
 */
import type {
  Server,
  ServerDuplexStream,
  ServerReadableStream,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { type CommandName, commands, type QueryName, queries, Refusal } from '../../fsm/index.ts';
import { NumberMap } from '../../std/number-map.ts';
import type { Answer, Backend, CallName, ReadOptions, Snapshots } from '../backend.ts';
import { Turn } from '../turn.ts';
import { failureOf, NotCarriedOut } from './failure.ts';
import {
  type Answers,
  clusterService,
  pack,
  type Requests,
  unpack,
  type WireAnswer,
  type WireChunk,
  type WireMeta,
  type WireRead,
  type WireRequest,
  type WireSnapshotRequest,
} from './wire.ts';

export interface RpcDoorOptions {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  /** Whether this server leads and may answer a request that was passed on to it. */
  readonly leading: () => boolean;
  /** Unexpected failures, told before the caller gets their text. */
  readonly onUnexpected: (error: unknown, name: string) => void;
  /** Requests of one stream that may be under way; more are refused as overloaded. Blocking reads and watches count. */
  readonly requestsMax?: number;
}

const requestsMaxDefault = 50_000;
const chunkBytes = 64 * 1024;
const nothing = new Uint8Array();

export class RpcDoor {
  readonly #options: RpcDoorOptions;

  constructor(options: RpcDoorOptions) {
    this.#options = options;
  }

  /** Puts the service on a gRPC server that the caller binds and shuts down. */
  register(server: Server): void {
    server.addService(clusterService, {
      exchange: (stream: ServerDuplexStream<Requests, Answers>) => new Exchange(stream, this.#options),
      saveSnapshot: (call: ServerWritableStream<WireSnapshotRequest, Partial<WireChunk>>) => void this.#save(call),
      restoreSnapshot: (call: ServerReadableStream<WireChunk, object>, done: sendUnaryData<object>) =>
        void this.#restore(call, done),
    });
  }

  async #save(call: ServerWritableStream<WireSnapshotRequest, Partial<WireChunk>>): Promise<void> {
    const { caller, consistency, forwarded } = call.request;
    try {
      if (forwarded) this.#mustLead();
      const saved = await this.#options.snapshots.save({ caller, consistency: consistencyOf(consistency) });
      call.write({ meta: metaOf({ ...saved, notFound: false }) });
      for await (const data of saved.archive) {
        for (let at = 0; at < data.length; at += chunkBytes) {
          if (call.cancelled) return;
          if (!call.write({ data: data.subarray(at, at + chunkBytes) }))
            await new Promise((resolve) => call.once('drain', resolve));
        }
      }
      call.end();
    } catch (error) {
      call.emit('error', statusOf(error));
    }
  }

  async #restore(call: ServerReadableStream<WireChunk, object>, done: sendUnaryData<object>): Promise<void> {
    try {
      const chunks = call[Symbol.asyncIterator]() as AsyncIterator<WireChunk>;
      const first = await chunks.next();
      if (first.done || first.value.caller === null) throw new Error('a restore begins with who asks');
      if (first.value.forwarded) this.#mustLead();
      await this.#options.snapshots.restore(dataOf(chunks), first.value.caller);
      done(null, {});
    } catch (error) {
      done(statusOf(error));
    }
  }

  #mustLead(): void {
    if (!this.#options.leading()) throw new NotCarriedOut('notLeader', 'this server does not lead');
  }
}

/** One process's stream: its requests that are under way, and the answers that wait for the end of this turn. */
class Exchange {
  readonly #stream: ServerDuplexStream<Requests, Answers>;
  readonly #options: RpcDoorOptions;
  readonly #underWay = new NumberMap<AbortController>();
  readonly #turn = new Turn();
  #answers: WireAnswer[] = [];
  #closed = false;

  constructor(stream: ServerDuplexStream<Requests, Answers>, options: RpcDoorOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (message: Requests) => this.#take(message));
    stream.on('end', () => this.#close());
    stream.on('cancelled', () => this.#close());
    stream.on('error', () => this.#close());
  }

  #take({ requests, cancelled }: Requests): void {
    for (const request of requests) void this.#serve(request);
    for (const number of cancelled) this.#underWay.get(number)?.abort();
  }

  async #serve(request: WireRequest): Promise<void> {
    const { number } = request;
    if (!Number.isSafeInteger(number)) {
      this.#fail(number, new NotCarriedOut('unreachable', 'the number of a request is out of range'));
      return;
    }
    if (this.#underWay.size >= (this.#options.requestsMax ?? requestsMaxDefault)) {
      this.#fail(number, new NotCarriedOut('unreachable', 'too many requests of this agent are under way'));
      return;
    }
    const controller = new AbortController();
    this.#underWay.set(number, controller);
    try {
      if (request.forwarded && !this.#options.leading())
        throw new NotCarriedOut('notLeader', 'this server does not lead');
      await this.#answer(request, controller.signal);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.source === 'INTERNAL' && !controller.signal.aborted) this.#options.onUnexpected(error, request.name);
      this.#fail(number, error);
    } finally {
      this.#underWay.take(number);
    }
  }

  async #answer(request: WireRequest, signal: AbortSignal): Promise<void> {
    const { backend } = this.#options;
    const { number, name, caller } = request;
    // Arguments come from another process: they are typed by the name, whose command or query checks what it is given.
    const args = unpack(request.arguments) as never;
    switch (request.kind) {
      case 'APPLY':
        if (!Object.hasOwn(commands, name)) throw unknownName('command', name);
        if ('internal' in commands[name as CommandName])
          throw new Refusal('denied', `${name} is for the leader's own duties`);
        return this.#send(number, await backend.apply(name as CommandName, args, caller), null);
      case 'CALL':
        return this.#send(number, await backend.call(name as CallName, args, caller), null);
      case 'QUERY': {
        if (!Object.hasOwn(queries, name)) throw unknownName('query', name);
        const answer = await backend.query(name as QueryName, args, readOptions(request, signal));
        this.#send(number, answer.value, metaOf(answer));
        // It counts as under way while the caller does not read: else answers would pile up here without a bound.
        return this.#room();
      }
      case 'WATCH':
        if (!Object.hasOwn(queries, name)) throw unknownName('query', name);
        return this.#watch(request, args, signal);
    }
  }

  /** Sends the answer now and after each change. A watch that falls behind skips states, never the newest one. */
  async #watch(request: WireRequest, args: never, signal: AbortSignal): Promise<void> {
    const options = readOptions(request, signal);
    let minIndex = 0;
    let told: number | undefined;
    while (!signal.aborted) {
      const answer: Answer<unknown> = await this.#options.backend.query(request.name as QueryName, args, {
        ...options,
        minIndex,
      });
      if (signal.aborted) return;
      if (answer.index !== told) this.#send(request.number, answer.value, metaOf(answer));
      told = answer.index;
      // A table that was never written has the index 0, which would not block: this loop would never leave the processor again.
      minIndex = Math.max(1, answer.index);
      await this.#room();
    }
  }

  #room(): Promise<void> | undefined {
    if (!this.#stream.writableNeedDrain || this.#closed) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done);
        this.#stream.off('close', done);
        resolve();
      };
      this.#stream.once('drain', done);
      this.#stream.once('close', done);
    });
  }

  #send(number: number, value: unknown, meta: WireMeta | null): void {
    this.#queue({ number, result: pack(value), meta, failure: null });
  }

  #fail(number: number, error: unknown): void {
    this.#queue({ number, result: nothing, meta: null, failure: failureOf(error) });
  }

  #queue(answer: WireAnswer): void {
    if (this.#closed) return;
    this.#answers.push(answer);
    this.#turn.withOthers(this.#flush);
  }

  readonly #flush = (): void => {
    const answers = this.#answers;
    this.#answers = [];
    if (answers.length > 0 && !this.#closed) this.#stream.write({ answers });
  };

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const controller of this.#underWay.values()) controller.abort();
    this.#stream.end();
  }
}

function unknownName(what: string, name: string): Refusal {
  return new Refusal('failed', `this server knows no ${what} "${name.slice(0, 60)}": it is of another version`);
}

function readOptions({ caller, read }: WireRequest, signal: AbortSignal): ReadOptions {
  const { consistency, maxStaleMs, minIndex, waitMs } =
    read ?? ({ consistency: 'DEFAULT', maxStaleMs: 0, minIndex: 0, waitMs: 0 } satisfies WireRead);
  return {
    caller,
    consistency: consistencyOf(consistency),
    ...(maxStaleMs > 0 ? { maxStaleMs } : {}),
    ...(minIndex > 0 ? { minIndex } : {}),
    ...(waitMs > 0 ? { waitMs } : {}),
    signal,
  };
}

function consistencyOf(wire: WireRead['consistency']): ReadOptions['consistency'] {
  return wire === 'CONSISTENT' ? 'consistent' : wire === 'STALE' ? 'stale' : 'default';
}

function metaOf({ index, knownLeader, lastContactMs, notFound }: WireMeta): WireMeta {
  // Infinity (never heard of a leader) does travel in a double.
  return { index, knownLeader, lastContactMs, notFound };
}

async function* dataOf(chunks: AsyncIterator<WireChunk>): AsyncGenerator<Uint8Array> {
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value.data;
}

/** A failed snapshot ends its call with a status whose details carry the failure. */
function statusOf(error: unknown): { code: number; details: string } {
  const { source, code, message } = failureOf(error);
  return { code: 9, details: JSON.stringify({ source, code, message }) };
}
