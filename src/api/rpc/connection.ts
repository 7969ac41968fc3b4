/**
 * A process's connection to one server: requests of all its callers over one stream, paired with their answers by number.
 * The stream is opened on first use and again, after a pause, when it broke.
 *
 * When it breaks, what was sent has an unknown outcome, unless it was a read; what was not sent was certainly not carried out.
 */
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
} from '@grpc/grpc-js';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import { NumberMap } from '../../std/number-map.ts';
import {
  type Answer,
  BackendError,
  type Caller,
  type CallName,
  type Calls,
  type ReadOptions,
  type SavedSnapshot,
} from '../backend.ts';
import { Turn } from '../turn.ts';
import { errorOf, NotCarriedOut } from './failure.ts';
import { restoreSnapshot, saveSnapshot } from './snapshot-transfer.ts';
import {
  type Answers,
  clusterService,
  pack,
  type Requests,
  unpack,
  type WireAnswer,
  type WireKind,
  type WireRead,
  type WireRequest,
} from './wire.ts';

export interface ConnectionOptions {
  /** `host:port` of the server's RPC. */
  readonly address: string;
  /** Default: insecure. */
  readonly channelCredentials?: ChannelCredentials;
  /** The requests were taken by a server, which passes them on: the other side must lead. */
  readonly forwarded: boolean;
  /** Most bytes of arguments that wait for their answers; what would pass it is refused as `overloaded`. */
  readonly underWayBytesMax?: number;
}

interface Pending {
  readonly request: WireRequest;
  sent: boolean;
  answered(answer: WireAnswer): void;
  failed(error: Error): void;
}

/** How long a request waits for the connection to stand before it is given back as not sent. */
const connectTimeoutMs = 2_000;

/** What a leader keeps uncommitted: more would be refused there, so it is refused before it is sent. */
const underWayBytesMaxDefault = 64 * 1024 * 1024;

const channelOptions = {
  'grpc.max_receive_message_length': 256 * 1024 * 1024,
  'grpc.max_send_message_length': 256 * 1024 * 1024,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
};

export class Connection {
  readonly address: string;
  readonly #forwarded: boolean;
  readonly #client: Client;
  readonly #pending = new NumberMap<Pending>();
  #stream: ClientDuplexStream<Partial<Requests>, Answers> | undefined;
  #outgoing: Pending[] = [];
  #cancelled: number[] = [];
  readonly #turn = new Turn();
  /** Set while the channel is awaited. */
  #connecting = false;
  #underWayBytes = 0;
  readonly #underWayBytesMax: number;
  #next = 1;
  #closed = false;

  constructor({ address, channelCredentials, forwarded, underWayBytesMax }: ConnectionOptions) {
    this.address = address;
    this.#underWayBytesMax = underWayBytesMax ?? underWayBytesMaxDefault;
    this.#forwarded = forwarded;
    this.#client = new Client(address, channelCredentials ?? credentials.createInsecure(), channelOptions);
  }

  /** Bytes of their arguments. */
  get underWayBytes(): number {
    return this.#underWayBytes;
  }

  /** Requests that wait for an answer. */
  get underWay(): number {
    return this.#pending.size;
  }

  async apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    const answer = await this.#ask('APPLY', name, args, caller, null, undefined);
    return unpack(answer.result) as CommandResult<N>;
  }

  async call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> {
    const answer = await this.#ask('CALL', name, args, caller, null, undefined);
    return unpack(answer.result) as Calls[N]['result'];
  }

  async query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    const answer = await this.#ask('QUERY', name, args, options.caller, readOf(options), options.signal);
    return { ...answer.meta!, value: unpack(answer.result) as QueryValue<N> };
  }

  /** Tells the answer now and after each change, until `signal` ends it or `ended` is told why it broke. */
  watch<N extends QueryName>(
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions & { readonly signal: AbortSignal },
    told: (answer: Answer<QueryValue<N>>) => void,
    ended: (error: Error) => void,
  ): void {
    const request = this.#request('WATCH', name, args, options.caller, readOf(options));
    const stop = (): void => this.#cancel(request.number);
    options.signal.addEventListener('abort', stop, { once: true });
    this.#enqueue({
      request,
      sent: false,
      answered: (answer) => {
        if (answer.failure === null) told({ ...answer.meta!, value: unpack(answer.result) as QueryValue<N> });
        else this.#settle(request.number)?.failed(errorOf(answer.failure));
      },
      failed: (error) => {
        options.signal.removeEventListener('abort', stop);
        if (!options.signal.aborted) ended(error);
      },
    });
  }

  saveSnapshot(options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot> {
    const { caller, consistency } = options;
    return saveSnapshot(this.#client, { caller, consistency: wireOf(consistency), forwarded: this.#forwarded });
  }

  restoreSnapshot(archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void> {
    return restoreSnapshot(this.#client, archive, { caller, forwarded: this.#forwarded });
  }

  close(): void {
    this.#end(new BackendError('stopped', 'this process is shutting down'));
  }

  /** The other side is known to be gone, though nothing broke: what is under way fails as if the connection had broken. */
  abandon(reason: string): void {
    this.#end(new Error(reason));
  }

  /** Reads that wait for an answer are not waited for any more: they may be asked again elsewhere. All else goes on. */
  giveBackReads(reason: string): void {
    for (const { request, failed } of [...this.#pending.values()]) {
      if (request.kind !== 'QUERY' && request.kind !== 'WATCH') continue;
      this.#cancel(request.number);
      failed(new NotCarriedOut('unreachable', `${this.address} is not waited for: ${reason}`));
    }
  }

  #end(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const stream = this.#stream;
    this.#stream = undefined;
    this.#break(error);
    stream?.cancel();
    this.#client.close();
  }

  #ask(
    kind: WireKind,
    name: string,
    args: unknown,
    caller: Caller,
    read: WireRead | null,
    signal: AbortSignal | undefined,
  ): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const request = this.#request(kind, name, args, caller, read);
      const abort = (): void => {
        this.#cancel(request.number);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('the caller has gone'));
      };
      signal?.addEventListener('abort', abort, { once: true });
      const done = (): void => signal?.removeEventListener('abort', abort);
      this.#enqueue({
        request,
        sent: false,
        answered: (answer) => {
          this.#settle(request.number);
          done();
          if (answer.failure === null) resolve(answer);
          else reject(errorOf(answer.failure));
        },
        failed: (error) => {
          done();
          reject(error);
        },
      });
    });
  }

  #request(kind: WireKind, name: string, args: unknown, caller: Caller, read: WireRead | null): WireRequest {
    return { number: this.#next++, kind, name, arguments: pack(args), caller, read, forwarded: this.#forwarded };
  }

  #enqueue(pending: Pending): void {
    if (this.#closed) {
      pending.failed(new BackendError('stopped', 'this process is shutting down'));
      return;
    }
    const bytes = pending.request.arguments.length;
    // A single one may be larger than the bound, alone.
    if (this.#underWayBytes > 0 && this.#underWayBytes + bytes > this.#underWayBytesMax) {
      const fields = { underWayBytes: this.#underWayBytes, server: this.address };
      pending.failed(new BackendError('overloaded', 'too much waits for the leader: try again later', fields));
      return;
    }
    this.#underWayBytes += bytes;
    this.#pending.set(pending.request.number, pending);
    this.#outgoing.push(pending);
    this.#flushSoon();
  }

  #cancel(number: number): void {
    const pending = this.#settle(number);
    if (pending === undefined) return;
    if (pending.sent) {
      this.#cancelled.push(number);
      this.#flushSoon();
    } else this.#outgoing = this.#outgoing.filter((each) => each !== pending);
  }

  #settle(number: number): Pending | undefined {
    const pending = this.#pending.take(number);
    if (pending !== undefined) this.#underWayBytes -= pending.request.arguments.length;
    return pending;
  }

  /** What is asked in one turn of the event loop travels in one message. Nothing is written before the channel stands. */
  #flushSoon(): void {
    if (this.#stream !== undefined) {
      this.#turn.withOthers(this.#flush);
      return;
    }
    if (this.#connecting) return;
    this.#connecting = true;
    this.#whenReady(Date.now() + connectTimeoutMs, (fault) => {
      this.#connecting = false;
      if (fault === undefined) this.#flush();
      else this.#failUnsent(fault);
    });
  }

  /** Calls back without a fault once the channel stands, or with one as soon as a dial has failed: others are waiting to be tried. */
  #whenReady(deadlineMs: number, done: (fault: string | undefined) => void): void {
    if (this.#closed) return done('this process is shutting down');
    const channel = this.#client.getChannel();
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return done(undefined);
    if (state === connectivityState.TRANSIENT_FAILURE) return done('connection refused');
    channel.watchConnectivityState(state, deadlineMs, (error) => {
      if (error !== undefined && error !== null) done(`no connection within ${connectTimeoutMs} ms`);
      else this.#whenReady(deadlineMs, done);
    });
  }

  #failUnsent(fault: string): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    this.#cancelled = [];
    for (const { request, failed } of outgoing) {
      this.#settle(request.number);
      failed(new NotCarriedOut('unreachable', `${this.address} cannot be reached: ${fault}`));
    }
  }

  readonly #flush = (): void => {
    if (this.#closed) return;
    const outgoing = this.#outgoing;
    const cancelled = this.#cancelled;
    this.#outgoing = [];
    this.#cancelled = [];
    if (outgoing.length === 0 && cancelled.length === 0) return;
    const stream = this.#open();
    for (const pending of outgoing) pending.sent = true;
    stream.write({ requests: outgoing.map(({ request }) => request), cancelled });
  };

  #open(): ClientDuplexStream<Partial<Requests>, Answers> {
    if (this.#stream !== undefined) return this.#stream;
    const { path, requestSerialize, responseDeserialize } = clusterService.exchange;
    const stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize as (bytes: Buffer) => Answers,
    );
    this.#stream = stream;
    stream.on('data', ({ answers }: Answers) => {
      for (const answer of answers) this.#pending.get(answer.number)?.answered(answer);
    });
    const ended = (error: Error): void => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#break(error);
    };
    stream.on('error', ended);
    stream.on('end', () => ended(new Error('the server ended the stream')));
    return stream;
  }

  /** Everything under way fails; what may have arrived and is no read, with an unknown outcome. */
  #break(error: Error): void {
    const all = this.#pending.values();
    this.#pending.clear();
    this.#underWayBytes = 0;
    this.#outgoing = [];
    this.#cancelled = [];
    const text = `the connection to ${this.address} broke: ${error.message}`;
    for (const { request, sent, failed } of all) {
      const certain = !sent || request.kind === 'QUERY' || request.kind === 'WATCH';
      if (error instanceof BackendError) failed(error);
      else if (certain) failed(new NotCarriedOut('unreachable', text));
      else failed(new BackendError('unknownOutcome', `${text}: the request may have been carried out or not`));
    }
  }
}

function readOf(options: ReadOptions): WireRead {
  return {
    consistency: wireOf(options.consistency),
    maxStaleMs: options.maxStaleMs ?? 0,
    minIndex: options.minIndex ?? 0,
    waitMs: options.waitMs ?? 0,
  };
}

function wireOf(consistency: ReadOptions['consistency']): WireRead['consistency'] {
  return consistency === 'consistent' ? 'CONSISTENT' : consistency === 'stale' ? 'STALE' : 'DEFAULT';
}
