/**
 * The whole membership protocol as one pure object: SWIM below, Serf above. Inputs are methods that take the time;
 * what should be done gathers in the outbox. `node.ts` gives it sockets and a clock, a simulation gives it a world.
 */
import type { Random } from '../../std/random.ts';
import { err, ok, type Result } from '../../std/result.ts';
import type { GossipErrorCode } from '../errors.ts';
import type { Counters } from '../metrics.ts';
import type { SwimTimer } from '../swim/context.ts';
import type { Outbox } from '../swim/outbox.ts';
import type { Endpoint } from '../swim/types.ts';
import { metaBytesMax } from '../wire/limits.ts';
import type { DecodedPacket } from '../wire/packet.ts';
import { encodeSerf, encodeTags, type KeyResponse } from '../wire/serf.ts';
import type { StreamMessage } from '../wire/stream.ts';
import { utf8Length } from '../wire/utf8.ts';
import type { PoolEvent, PoolTimer } from './context.ts';
import type { Coordinate } from './coordinate.ts';
import { fittingKeyResponse } from './internal-queries.ts';
import type { Member } from './member.ts';
import { Parts, type PoolOptions } from './parts.ts';
import type { AskedQuery, QueryOptions, RespondFailure } from './queries.ts';
import type { Snapshot } from './snapshot.ts';

export class Pool {
  readonly outbox: Outbox<PoolTimer, PoolEvent>;
  private readonly parts: Parts;

  constructor(options: PoolOptions, edges: { random: Random; counters: Counters }) {
    this.parts = new Parts(options, edges);
    this.outbox = this.parts.outbox;
  }

  // --- what happens: packets, streams, timers

  /** Clocks and old events continue from the snapshot of an earlier life. */
  start(snapshot: Snapshot, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    const { clocks, config } = this.parts.context;
    clocks.member.witness(snapshot.clock);
    clocks.event.witness(snapshot.eventClock);
    clocks.query.witness(snapshot.queryClock);
    this.parts.userEvents.ignoreBefore(snapshot.eventClock + 1);
    this.parts.answers.ignoreBefore(snapshot.queryClock + 1);
    this.parts.swim.start(encodeTags(this.parts.tags), nowMs);
    this.parts.outbox.after(config.reapIntervalMs, { kind: 'reap' });
    this.parts.outbox.after(config.reconnectIntervalMs, { kind: 'reconnect' });
    this.parts.outbox.after(config.queueCheckIntervalMs, { kind: 'queueCheck' });
  }

  packet(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.swim.packet(bytes, from, nowMs);
  }

  /** See `Swim.decodedPacket`. */
  decodedPacket(packet: DecodedPacket, from: Endpoint, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.swim.decodedPacket(packet, from, nowMs);
  }

  streamMessage(stream: number, message: StreamMessage, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.swim.streamMessage(stream, message, nowMs);
  }

  exchangeDone(exchange: number, reply: StreamMessage | undefined, failure: string, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.swim.exchangeDone(exchange, reply, failure, nowMs);
  }

  probeSendFailed(seqNo: number, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.swim.probeSendFailed(seqNo, nowMs);
  }

  loopDelay(delayMs: number, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.swim.loopDelay(delayMs, nowMs);
  }

  timer(timer: PoolTimer, lateMs: number, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    const { config } = this.parts.context;
    switch (timer.kind) {
      case 'reap':
        this.parts.outbox.after(config.reapIntervalMs, timer);
        return this.parts.roster.reap();
      case 'reconnect':
        this.parts.outbox.after(config.reconnectIntervalMs, timer);
        return this.reconnect();
      case 'queueCheck':
        this.parts.outbox.after(config.queueCheckIntervalMs, timer);
        return this.pruneQueues();
      case 'queryOver':
        return this.parts.queries.over(timer.query);
      case 'answerOver':
        return this.parts.answers.over(timer.answer);
      case 'leaveStep':
        return this.parts.departure.timer(timer.step);
      case 'waitTimeout':
        return this.parts.waits.over(timer.token, true);
      case 'prune':
        return this.parts.roster.pruneTimer(timer.name);
      case 'flushEvents':
        return this.parts.announcer.timer(timer);
      default:
        return this.parts.swim.timer(timer satisfies SwimTimer, lateMs, nowMs);
    }
  }

  private reconnect(): void {
    const member = this.parts.roster.reconnectCandidate();
    if (member !== undefined) this.parts.swim.join(member, 0, this.parts.context.nowMs);
  }

  private pruneQueues(): void {
    const { config, counters } = this.parts.context;
    counters.add('queuePruned', this.parts.queues.prune(config, this.parts.roster.size));
  }

  // --- what the application asks

  /** Ends in `joinDone` with this number. */
  join(to: Endpoint, join: number, ignoreOldEvents: boolean, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    if (ignoreOldEvents) this.parts.states.ignoreOldEvents(join);
    this.parts.swim.join(to, join, nowMs);
  }

  /** Tells everybody that we are here by intent: after a join. */
  announceJoin(nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.announceJoin();
  }

  /** Ends in `left`. */
  leave(nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.departure.start();
  }

  /** Ends in `waitDone` with the token that is returned; undefined when there is nothing to wait for. */
  forceLeave(name: string, prune: boolean, nowMs: number): Result<string | undefined, GossipErrorCode> {
    this.parts.context.nowMs = nowMs;
    if (this.parts.roster.get(name) === undefined) return err('no-such-member');
    const body = { LTime: this.parts.context.clocks.member.take(), Node: name, Prune: prune };
    this.parts.roster.leaveIntent(body.LTime, name, prune);
    const token = this.parts.swim.anyOtherActive() ? this.parts.waits.begin() : undefined;
    this.parts.queue('intents', encodeSerf({ kind: 'leave', body }), token);
    return ok(token);
  }

  setTags(tags: Readonly<Record<string, string>>, nowMs: number): Result<string | undefined, GossipErrorCode> {
    this.parts.context.nowMs = nowMs;
    const meta = encodeTags(tags);
    if (meta.length > metaBytesMax) return err('tags-too-large');
    this.parts.tags = tags;
    const token = this.parts.swim.anyOtherActive() ? this.parts.waits.begin() : undefined;
    this.parts.swim.setMeta(meta, token, nowMs);
    return ok(token);
  }

  userEvent(name: string, payload: Uint8Array, coalesce: boolean, nowMs: number): Result<undefined, GossipErrorCode> {
    this.parts.context.nowMs = nowMs;
    const { clocks, config } = this.parts.context;
    const body = { LTime: clocks.event.time, Name: name, Payload: payload, CC: coalesce };
    const encoded = encodeSerf({ kind: 'userEvent', body });
    const bytes = Math.max(utf8Length(name) + payload.length, encoded.length);
    if (bytes > config.userEventSizeMax) return err('event-too-large');
    clocks.event.take();
    this.parts.userEvents.receive(body);
    this.parts.queue('events', encoded);
    return ok(undefined);
  }

  /** Acks and responses come as events, then `queryOver`. */
  query(name: string, payload: Uint8Array, options: QueryOptions, nowMs: number): Result<AskedQuery, GossipErrorCode> {
    this.parts.context.nowMs = nowMs;
    return this.parts.ask(name, payload, options);
  }

  closeQuery(query: number, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.queries.over(query);
  }

  respond(answer: number, payload: Uint8Array, nowMs: number): Result<undefined, RespondFailure> {
    this.parts.context.nowMs = nowMs;
    return this.parts.answers.respond(answer, payload);
  }

  /** The outcome of a `keyRequest`. A query that timed out meanwhile needs no answer. */
  keyAnswer(answer: number, response: KeyResponse, nowMs: number): void {
    this.parts.context.nowMs = nowMs;
    this.parts.answers.respond(answer, fittingKeyResponse(response, this.parts.answers.payloadBytesMax(answer)));
  }

  // --- what can be looked up

  members(): Member[] {
    return this.parts.roster.members();
  }

  member(name: string): Member | undefined {
    return this.parts.roster.get(name);
  }

  self(): Member {
    return this.parts.roster.get(this.parts.context.name)!;
  }

  countActive(): number {
    return this.parts.swim.countActive();
  }

  coordinate(): Coordinate {
    return this.parts.coordinates.coordinate;
  }

  coordinateOf(name: string): Coordinate | undefined {
    return name === this.parts.context.name
      ? this.parts.coordinates.coordinate
      : this.parts.coordinates.coordinateOf(name);
  }

  /** What a snapshot should say now. */
  snapshot(): Omit<Snapshot, 'unknownLines'> {
    const { clocks, name } = this.parts.context;
    const alive = this.parts.roster.members().filter((member) => member.status === 'alive' && member.name !== name);
    return {
      alive: new Map(alive.map((member) => [member.name, member])),
      clock: clocks.member.time - 1,
      eventClock: clocks.event.time - 1,
      queryClock: clocks.query.time - 1,
    };
  }

  get left(): boolean {
    return this.parts.departure.finished;
  }

  get leaving(): boolean {
    return this.parts.departure.started;
  }

  /** Serf's own names, as `serf info` prints them. */
  stats(): Record<string, string> {
    const { clocks } = this.parts.context;
    const stats = {
      members: this.parts.roster.size,
      failed: this.parts.roster.countBy('failed'),
      left: this.parts.roster.countBy('left'),
      health_score: this.parts.swim.healthScore,
      member_time: clocks.member.time,
      event_time: clocks.event.time,
      query_time: clocks.query.time,
      intent_queue: this.parts.queues.lengthOf('intents'),
      event_queue: this.parts.queues.lengthOf('events'),
      query_queue: this.parts.queues.lengthOf('queries'),
      member_queue: this.parts.swim.queueLength,
      coordinate_resets: this.parts.coordinates.resets,
    };
    return Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, String(value)]));
  }
}
