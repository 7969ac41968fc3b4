/**
 * Queries: a question that gossip carries to everybody, answered straight to the asker over UDP. Two halves that share
 * nothing but the messages: the desk that answers others' queries, and the register of our own.
 *
 *     asker ── query (gossip) ──> everybody ── ack, response (UDP) ──> asker
 *                                     └── relays through other members, against loss
 */
import { err, ok, type Result } from '../../std/result.ts';
import type { Endpoint, Peer } from '../swim/types.ts';
import {
  decodeFilter,
  encodeFilter,
  encodeSerf,
  type QueryMessage,
  type QueryResponseMessage,
  queryFlags,
  type Relay,
} from '../wire/serf.ts';
import type { DeliveredQuery, PoolEvent, SerfContext } from './context.ts';
import { Expression } from './expression.ts';
import type { LamportTime } from './lamport.ts';

const nanosecondsPerMs = 1_000_000;
const none = new Uint8Array(0);
/** A forged timeout must not make us remember a query for ever. */
const answerTimeoutMsMax = 600_000;

export interface QueryNetwork {
  /** A user message body straight to an address. */
  send(to: Endpoint, body: Uint8Array): void;
  /** Random living members that understand relays. */
  relays(count: number): Peer[];
}

export interface QueryOptions {
  readonly nodes?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly requestAck?: boolean;
  readonly relayFactor?: number;
  readonly timeoutMs?: number;
}

// --- answering

interface OpenAnswer {
  readonly message: QueryMessage;
  answered: boolean;
}

export type RespondFailure = 'query-response-too-large' | 'query-already-answered' | 'query-timed-out';

export class AnswerDesk {
  private readonly context: SerfContext;
  private readonly network: QueryNetwork;
  private readonly tags: () => Readonly<Record<string, string>>;
  private readonly deliver: (query: DeliveredQuery) => void;
  private readonly seen: ({ readonly lamportTime: LamportTime; readonly ids: Set<number> } | undefined)[];
  private readonly open = new Map<number, OpenAnswer>();
  private lastAnswer = 0;
  private minTime = 0;

  constructor(
    context: SerfContext,
    network: QueryNetwork,
    tags: () => Readonly<Record<string, string>>,
    deliver: (query: DeliveredQuery) => void,
  ) {
    this.context = context;
    this.network = network;
    this.tags = tags;
    this.deliver = deliver;
    this.seen = Array(context.config.queryBuffer).fill(undefined);
  }

  ignoreBefore(lamportTime: LamportTime): void {
    this.minTime = Math.max(this.minTime, lamportTime);
  }

  /** True if the query is new and should be told on, also when it is not for us. */
  receive(message: QueryMessage): boolean {
    this.context.clocks.query.witness(message.LTime);
    if (!this.isNew(message.LTime, message.ID)) {
      this.context.counters.add('droppedDuplicateQuery');
      return false;
    }
    if (this.isForUs(message)) this.accept(message);
    return (message.Flags & queryFlags.noBroadcast) === 0;
  }

  private isNew(lamportTime: LamportTime, id: number): boolean {
    const size = this.seen.length;
    const now = this.context.clocks.query.time;
    if (lamportTime < this.minTime || (now > size && lamportTime < now - size)) return false;
    const index = lamportTime % size;
    const slot = this.seen[index];
    if (slot?.lamportTime !== lamportTime) {
      this.seen[index] = { lamportTime, ids: new Set([id]) };
      return true;
    }
    if (slot.ids.has(id)) return false;
    slot.ids.add(id);
    return true;
  }

  private isForUs(message: QueryMessage): boolean {
    return (message.Filters ?? []).every((encoded) => {
      const filter = decodeFilter(encoded);
      if (filter === undefined) return false;
      if (filter.kind === 'nodes') return filter.names.includes(this.context.name);
      return Expression.parse(filter.expression)?.test(this.tags()[filter.tag] ?? '') ?? false;
    });
  }

  private accept(message: QueryMessage): void {
    const { config, outbox } = this.context;
    if (message.Addr === '') return this.context.counters.add('droppedMalformed');
    if (message.Flags & queryFlags.ack) {
      this.transmit(
        message,
        { ...this.header(message), Flags: queryFlags.ack, Payload: null },
        config.queryResponseSizeMax,
      );
    }
    const timeoutMs = Math.min(Math.max(0, message.Timeout / nanosecondsPerMs), answerTimeoutMsMax);
    const answer = ++this.lastAnswer;
    this.open.set(answer, { message, answered: false });
    outbox.after(timeoutMs, { kind: 'answerOver', answer });
    this.deliver({
      answer,
      name: message.Name,
      payload: message.Payload ?? none,
      lamportTime: message.LTime,
      sourceName: message.SourceNode,
      timeoutMs,
    });
  }

  private header(message: QueryMessage): { LTime: number; ID: number; From: string } {
    return { LTime: message.LTime, ID: message.ID, From: this.context.name };
  }

  respond(answer: number, payload: Uint8Array): Result<undefined, RespondFailure> {
    const open = this.open.get(answer);
    if (open === undefined) return err('query-timed-out');
    if (open.answered) return err('query-already-answered');
    const body = { ...this.header(open.message), Flags: 0, Payload: payload };
    if (!this.transmit(open.message, body, this.context.config.queryResponseSizeMax))
      return err('query-response-too-large');
    open.answered = true;
    return ok(undefined);
  }

  /** Bytes left for a payload in the response to this query. */
  payloadBytesMax(answer: number): number {
    const open = this.open.get(answer);
    if (open === undefined) return 0;
    const empty = encodeSerf({
      kind: 'queryResponse',
      body: { ...this.header(open.message), Flags: 0, Payload: none },
    });
    // The header of a longer payload takes two bytes more than that of an empty one.
    return this.context.config.queryResponseSizeMax - empty.length - 2;
  }

  over(answer: number): void {
    this.open.delete(answer);
  }

  /** False when it is too large, then nothing was sent. */
  private transmit(message: QueryMessage, body: QueryResponseMessage, bytesMax: number): boolean {
    const encoded = encodeSerf({ kind: 'queryResponse', body });
    if (encoded.length > bytesMax) return false;
    const asker = { address: message.Addr, port: message.Port };
    this.network.send(asker, encoded);
    if (message.RelayFactor === 0) return true;
    const relay: Relay = {
      DestAddr: asker.address,
      DestPort: asker.port,
      DestName: message.SourceNode,
      inner: encoded,
    };
    const wrapped = encodeSerf({ kind: 'relay', body: relay });
    if (wrapped.length > bytesMax) return true;
    for (const peer of this.network.relays(message.RelayFactor)) this.network.send(peer, wrapped);
    return true;
  }
}

// --- asking

/** What happens to a query of ours. */
export type QueryEvent = Extract<PoolEvent, { kind: 'queryAck' | 'queryResponse' | 'queryOver' }>;

interface OpenQuery {
  readonly query: number;
  readonly id: number;
  readonly lamportTime: LamportTime;
  readonly capacity: number;
  readonly acks: Set<string>;
  readonly responses: Set<string>;
}

export interface AskedQuery {
  readonly query: number;
  readonly timeoutMs: number;
  readonly message: QueryMessage;
  readonly encoded: Uint8Array;
}

export class QueryRegister {
  private readonly context: SerfContext;
  private readonly heard: (event: QueryEvent) => void;
  private readonly byTime = new Map<LamportTime, OpenQuery>();
  private lastQuery = 0;

  constructor(context: SerfContext, heard: (event: QueryEvent) => void) {
    this.context = context;
    this.heard = heard;
  }

  /** Makes and registers a query; `members` are those who may answer. */
  ask(
    name: string,
    payload: Uint8Array,
    options: QueryOptions,
    members: number,
  ): Result<AskedQuery, 'query-too-large'> {
    const { config, clocks, random, outbox, advertise } = this.context;
    const timeoutMs = options.timeoutMs ?? defaultQueryTimeoutMs(config, members);
    const id = random.int(0, 0x7fff_ffff);
    const message: QueryMessage = {
      LTime: clocks.query.time,
      ID: id,
      Addr: advertise.address,
      Port: advertise.port,
      SourceNode: this.context.name,
      Filters: encodeFilters(options),
      Flags: options.requestAck ? queryFlags.ack : 0,
      RelayFactor: Math.min(255, options.relayFactor ?? 0),
      Timeout: Math.round(timeoutMs * nanosecondsPerMs),
      Name: name,
      Payload: payload,
    };
    const encoded = encodeSerf({ kind: 'query', body: message });
    if (encoded.length > config.querySizeMax) return err('query-too-large');
    clocks.query.take();
    const query = ++this.lastQuery;
    const open: OpenQuery = {
      query,
      id,
      lamportTime: message.LTime,
      capacity: members,
      acks: new Set(),
      responses: new Set(),
    };
    this.byTime.set(message.LTime, open);
    outbox.after(timeoutMs, { kind: 'queryOver', query });
    return ok({ query, timeoutMs, message, encoded });
  }

  receive(message: QueryResponseMessage): void {
    const { counters } = this.context;
    const open = this.byTime.get(message.LTime);
    if (open?.id !== message.ID) return counters.add('queryResponsesDropped');
    const isAck = (message.Flags & queryFlags.ack) !== 0;
    const senders = isAck ? open.acks : open.responses;
    if (senders.has(message.From) || senders.size >= open.capacity) return counters.add('queryResponsesDropped');
    senders.add(message.From);
    const { query } = open;
    if (isAck) this.heard({ kind: 'queryAck', query, from: message.From });
    else this.heard({ kind: 'queryResponse', query, from: message.From, payload: message.Payload ?? none });
  }

  /** The time is up, or nobody listens any more. */
  over(query: number): void {
    for (const [lamportTime, open] of this.byTime) {
      if (open.query !== query) continue;
      this.byTime.delete(lamportTime);
      this.heard({ kind: 'queryOver', query });
    }
  }
}

function defaultQueryTimeoutMs(
  config: { gossipIntervalMs: number; queryTimeoutMult: number },
  members: number,
): number {
  return config.gossipIntervalMs * config.queryTimeoutMult * Math.ceil(Math.log10(members + 1));
}

function encodeFilters(options: QueryOptions): Uint8Array[] | null {
  const filters: Uint8Array[] = [];
  if (options.nodes !== undefined) filters.push(encodeFilter({ kind: 'nodes', names: options.nodes }));
  for (const [tag, expression] of Object.entries(options.tags ?? {})) {
    filters.push(encodeFilter({ kind: 'tag', tag, expression }));
  }
  return filters.length === 0 ? null : filters;
}
