/**
 * The whole membership protocol as one pure object: SWIM below, Serf above. Inputs are methods that take the time;
 * what should be done gathers in the outbox. `node.ts` gives it sockets and a clock, a simulation gives it a world.
 */
import type { Random } from '../../std/random.ts';
import { err, ok, type Result } from '../../std/result.ts';
import type { GossipConfig } from '../config.ts';
import type { GossipErrorCode } from '../errors.ts';
import type { Counters } from '../metrics.ts';
import type { SwimDelegate, SwimTimer } from '../swim/context.ts';
import { Outbox } from '../swim/outbox.ts';
import { Swim } from '../swim/swim.ts';
import type { Endpoint, Peer } from '../swim/types.ts';
import { metaBytesMax } from '../wire/limits.ts';
import type { DecodedPacket } from '../wire/packet.ts';
import {
  decodePingPayload,
  decodeSerf,
  encodePingPayload,
  encodeSerf,
  encodeTags,
  type KeyResponse,
  type PushPullState,
  type SerfMessage,
} from '../wire/serf.ts';
import type { StreamMessage } from '../wire/stream.ts';
import { utf8Length } from '../wire/utf8.ts';
import { type HeldChange, MemberHolder, UserEventHolder } from './coalescer.ts';
import type { DeliveredQuery, MemberChange, PoolEvent, PoolTimer, SerfContext } from './context.ts';
import { type Coordinate, CoordinateClient } from './coordinate.ts';
import { Departure } from './departure.ts';
import { answerInternal, fittingKeyResponse, internalPrefix } from './internal-queries.ts';
import { LamportClock } from './lamport.ts';
import { type Member, memberFromPeer } from './member.ts';
import { NameConflict } from './name-conflict.ts';
import {
  AnswerDesk,
  type AskedQuery,
  type QueryEvent,
  type QueryOptions,
  QueryRegister,
  type RespondFailure,
} from './queries.ts';
import { type QueueName, SerfQueues } from './queues.ts';
import { Roster } from './roster.ts';
import { type Snapshot, snapshotLine } from './snapshot.ts';
import type { UserEvent } from './user-event.ts';
import { UserEventLog } from './user-events.ts';

export interface PoolOptions {
  readonly name: string;
  readonly advertise: Endpoint;
  readonly tags: Readonly<Record<string, string>>;
  readonly config: GossipConfig;
  readonly packetOverheadBytes: number;
  readonly nameConflictResolution: boolean;
  /** Members to start with, ourselves included, for a simulation that begins with a pool in place. */
  readonly known?: readonly Peer[];
  readonly admit?: (member: Member) => string | undefined;
  readonly admitAll?: (members: readonly Member[]) => string | undefined;
  /** Whether a dead member and who claims its name from elsewhere are one. */
  readonly sameOwner?: (dead: Member, claimed: Member) => boolean;
  readonly reconnectTimeoutOf?: (member: Member) => number | undefined;
}

/** Protocol versions that this implementation understands and speaks: those of Serf 0.8 and later. */
const protocol = { protocolMin: 1, protocolMax: 5, protocolCur: 2, delegateMin: 2, delegateMax: 5 } as const;

export class Pool {
  readonly outbox = new Outbox<PoolTimer, PoolEvent>();
  private readonly options: PoolOptions;
  private readonly context: SerfContext;
  private readonly swim: Swim;
  private readonly roster: Roster;
  private readonly userEvents: UserEventLog;
  private readonly answers: AnswerDesk;
  private readonly queries: QueryRegister;
  private readonly coordinates: CoordinateClient;
  private readonly departure: Departure;
  private readonly memberHolder: MemberHolder;
  private readonly eventHolder: UserEventHolder;
  private readonly queues: SerfQueues;
  private tags: Readonly<Record<string, string>>;
  private readonly ignoringJoins = new Set<number>();
  private readonly waits = new Set<string>();
  private lastWait = 0;
  private readonly conflict: NameConflict;

  constructor(options: PoolOptions, parts: { random: Random; counters: Counters }) {
    const { config, name, advertise } = options;
    const { random, counters } = parts;
    this.options = options;
    this.tags = options.tags;
    this.context = {
      config,
      name,
      advertise,
      counters,
      outbox: this.outbox,
      clocks: { member: new LamportClock(), event: new LamportClock(), query: new LamportClock() },
      random: random.stream('serf'),
      nowMs: 0,
    };
    const { context } = this;
    this.roster = new Roster(context, {
      changed: (change, member) => this.memberChanged(change, member),
      refuteLeave: () => this.announceJoin(context.nowMs),
      reconnectTimeoutMs: (member) => options.reconnectTimeoutOf?.(member) ?? config.reconnectTimeoutMs,
    });
    this.queues = new SerfQueues(
      config,
      () => this.roster.size,
      (token) => this.broadcastDone(token),
    );
    this.memberHolder = new MemberHolder(context, 'members', (held) => held.map((change) => this.tellChange(change)));
    this.eventHolder = new UserEventHolder(context, 'userEvents', (held) => held.map((event) => this.tellEvent(event)));
    this.userEvents = new UserEventLog(context, (event) => {
      if (event.coalesce && this.eventHolder.enabled) this.eventHolder.add(event);
      else this.tellEvent(event);
    });
    const network = {
      send: (to: Endpoint, body: Uint8Array): void => this.swim.sendUser(to, body),
      relays: (count: number): Peer[] => (this.swim.tableSize > count ? this.swim.pickActive(count) : []),
    };
    this.answers = new AnswerDesk(
      context,
      network,
      () => this.tags,
      (query) => this.deliverQuery(query),
    );
    this.queries = new QueryRegister(context, (event) => this.queryHeard(event));
    this.conflict = new NameConflict(
      { name, at: advertise },
      {
        ask: (question, payload) => {
          const asked = this.query(question, payload, {}, context.nowMs);
          return asked.ok ? asked.value.query : undefined;
        },
        lost: () => {
          const reason = `the name ${name} belongs to another member, says the pool`;
          this.outbox.notify({ kind: 'shutdown', reason });
        },
      },
    );
    this.coordinates = new CoordinateClient(random.stream('coordinates'));
    this.departure = new Departure(context, {
      anyOtherActive: () => this.swim.anyOtherActive(),
      announce: (token) => this.announceLeave(token),
      swimLeave: (token) => this.swim.leave(token, context.nowMs),
    });
    const { packetOverheadBytes, known = [] } = options;
    for (const peer of known) this.roster.adopt(peer);
    const versions = { ...protocol, delegateCur: config.delegateProtocol };
    this.swim = new Swim(
      { name, advertise, versions, config, packetOverheadBytes, known },
      { random: random.stream('swim'), counters, delegate: this.delegate(), outbox: this.outbox },
    );
  }

  // --- what happens: packets, streams, timers

  /** Clocks and old events continue from the snapshot of an earlier life. */
  start(snapshot: Snapshot, nowMs: number): void {
    this.context.nowMs = nowMs;
    const { clocks, config } = this.context;
    clocks.member.witness(snapshot.clock);
    clocks.event.witness(snapshot.eventClock);
    clocks.query.witness(snapshot.queryClock);
    this.userEvents.ignoreBefore(snapshot.eventClock + 1);
    this.answers.ignoreBefore(snapshot.queryClock + 1);
    this.swim.start(encodeTags(this.tags), nowMs);
    this.outbox.after(config.reapIntervalMs, { kind: 'reap' });
    this.outbox.after(config.reconnectIntervalMs, { kind: 'reconnect' });
    this.outbox.after(config.queueCheckIntervalMs, { kind: 'queueCheck' });
  }

  packet(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.swim.packet(bytes, from, nowMs);
  }

  /** See `Swim.decodedPacket`. */
  decodedPacket(packet: DecodedPacket, from: Endpoint, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.swim.decodedPacket(packet, from, nowMs);
  }

  streamMessage(stream: number, message: StreamMessage, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.swim.streamMessage(stream, message, nowMs);
  }

  exchangeDone(exchange: number, reply: StreamMessage | undefined, failure: string, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.swim.exchangeDone(exchange, reply, failure, nowMs);
  }

  probeSendFailed(seqNo: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.swim.probeSendFailed(seqNo, nowMs);
  }

  loopDelay(delayMs: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.swim.loopDelay(delayMs, nowMs);
  }

  timer(timer: PoolTimer, lateMs: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    const { config } = this.context;
    switch (timer.kind) {
      case 'reap':
        this.outbox.after(config.reapIntervalMs, timer);
        return this.roster.reap();
      case 'reconnect':
        this.outbox.after(config.reconnectIntervalMs, timer);
        return this.reconnect();
      case 'queueCheck':
        this.outbox.after(config.queueCheckIntervalMs, timer);
        return this.pruneQueues();
      case 'queryOver':
        return this.queries.over(timer.query);
      case 'answerOver':
        return this.answers.over(timer.answer);
      case 'leaveStep':
        return this.departure.timer(timer.step);
      case 'waitTimeout':
        return this.waitOver(timer.token, true);
      case 'prune':
        return this.roster.pruneTimer(timer.name);
      case 'flushEvents':
        return (timer.what === 'members' ? this.memberHolder : this.eventHolder).timer(timer.generation);
      default:
        return this.swim.timer(timer satisfies SwimTimer, lateMs, nowMs);
    }
  }

  private reconnect(): void {
    const member = this.roster.reconnectCandidate();
    if (member !== undefined) this.swim.join(member, 0, this.context.nowMs);
  }

  private pruneQueues(): void {
    const { config, counters } = this.context;
    counters.add('queuePruned', this.queues.prune(config, this.roster.size));
  }

  // --- what the application asks

  /** Ends in `joinDone` with this number. */
  join(to: Endpoint, join: number, ignoreOldEvents: boolean, nowMs: number): void {
    this.context.nowMs = nowMs;
    if (ignoreOldEvents) this.ignoringJoins.add(join);
    this.swim.join(to, join, nowMs);
  }

  /** Tells everybody that we are here by intent: after a join, or against a false leave intent. */
  announceJoin(nowMs: number): void {
    this.context.nowMs = nowMs;
    const { clocks, name } = this.context;
    const body = { LTime: clocks.member.time, Node: name };
    this.roster.joinIntent(body.LTime, name);
    this.queue('intents', encodeSerf({ kind: 'join', body }));
  }

  /** Ends in `left`. */
  leave(nowMs: number): void {
    this.context.nowMs = nowMs;
    this.departure.start();
  }

  private announceLeave(token: string | undefined): void {
    const { clocks, name, outbox } = this.context;
    outbox.notify({ kind: 'snapshot', line: snapshotLine.leave });
    this.roster.leaving = true;
    const body = { LTime: clocks.member.take(), Node: name, Prune: false };
    this.roster.leaveIntent(body.LTime, name, false);
    if (token !== undefined) this.queue('intents', encodeSerf({ kind: 'leave', body }), token);
  }

  /** Ends in `waitDone` with the token that is returned; undefined when there is nothing to wait for. */
  forceLeave(name: string, prune: boolean, nowMs: number): Result<string | undefined, GossipErrorCode> {
    this.context.nowMs = nowMs;
    if (this.roster.get(name) === undefined) return err('no-such-member');
    const body = { LTime: this.context.clocks.member.take(), Node: name, Prune: prune };
    this.roster.leaveIntent(body.LTime, name, prune);
    const token = this.swim.anyOtherActive() ? this.beginWait() : undefined;
    this.queue('intents', encodeSerf({ kind: 'leave', body }), token);
    return ok(token);
  }

  setTags(tags: Readonly<Record<string, string>>, nowMs: number): Result<string | undefined, GossipErrorCode> {
    this.context.nowMs = nowMs;
    const meta = encodeTags(tags);
    if (meta.length > metaBytesMax) return err('tags-too-large');
    this.tags = tags;
    const token = this.swim.anyOtherActive() ? this.beginWait() : undefined;
    this.swim.setMeta(meta, token, nowMs);
    return ok(token);
  }

  private beginWait(): string {
    const token = `wait-${++this.lastWait}`;
    this.waits.add(token);
    this.outbox.after(this.context.config.broadcastTimeoutMs, { kind: 'waitTimeout', token });
    return token;
  }

  private waitOver(token: string, timedOut: boolean): void {
    if (this.waits.delete(token)) this.outbox.notify({ kind: 'waitDone', token, timedOut });
  }

  private broadcastDone(token: string): void {
    if (!this.departure.broadcastDone(token)) this.waitOver(token, false);
  }

  userEvent(name: string, payload: Uint8Array, coalesce: boolean, nowMs: number): Result<undefined, GossipErrorCode> {
    this.context.nowMs = nowMs;
    const { clocks, config } = this.context;
    const body = { LTime: clocks.event.time, Name: name, Payload: payload, CC: coalesce };
    const encoded = encodeSerf({ kind: 'userEvent', body });
    const bytes = Math.max(utf8Length(name) + payload.length, encoded.length);
    if (bytes > config.userEventSizeMax) return err('event-too-large');
    clocks.event.take();
    this.userEvents.receive(body);
    this.queue('events', encoded);
    return ok(undefined);
  }

  /** Acks and responses come as events, then `queryOver`. */
  query(name: string, payload: Uint8Array, options: QueryOptions, nowMs: number): Result<AskedQuery, GossipErrorCode> {
    this.context.nowMs = nowMs;
    const asked = this.queries.ask(name, payload, options, this.swim.countActive());
    if (!asked.ok) return asked;
    this.answers.receive(asked.value.message);
    this.queue('queries', asked.value.encoded);
    return asked;
  }

  closeQuery(query: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.queries.over(query);
  }

  respond(answer: number, payload: Uint8Array, nowMs: number): Result<undefined, RespondFailure> {
    this.context.nowMs = nowMs;
    return this.answers.respond(answer, payload);
  }

  /** The outcome of a `keyRequest`. A query that timed out meanwhile needs no answer. */
  keyAnswer(answer: number, response: KeyResponse, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.answers.respond(answer, fittingKeyResponse(response, this.answers.payloadBytesMax(answer)));
  }

  // --- what SWIM tells

  private delegate(): SwimDelegate {
    const { options } = this;
    const admit = options.admit;
    const { admitAll, sameOwner } = options;
    return {
      joined: (peer) => this.roster.joined(peer),
      updated: (peer) => this.roster.updated(peer),
      left: (peer) => this.roster.left(peer),
      conflict: (existing) => {
        if (options.nameConflictResolution) this.conflict.claimed(existing.name);
      },
      userMessage: (body) => this.userMessage(body),
      ackPayload: () => (this.context.config.coordinates ? encodePingPayload(this.coordinates.coordinate) : null),
      acked: (peer, roundTripMs, payload) => this.acked(peer, roundTripMs, payload),
      hasBroadcasts: () => this.queues.any,
      broadcasts: (bytes, overhead, parts) => this.queues.drain(bytes, overhead, parts),
      userState: () => encodeSerf({ kind: 'pushPull', body: this.pushPullState() }),
      mergeUserState: (state, join) => this.mergeUserState(state, join),
      joinDone: (join, failure) => {
        this.ignoringJoins.delete(join);
        this.outbox.notify({ kind: 'joinDone', join, failure });
      },
      broadcastDone: (token) => this.broadcastDone(token),
      sameOwner:
        sameOwner === undefined
          ? undefined
          : (dead, claimed) => sameOwner(memberFromPeer(dead, 'failed'), memberFromPeer(claimed, 'alive')),
      admit: admit === undefined ? undefined : (peer) => admit(memberFromPeer(peer, 'alive')),
      admitAll:
        admitAll === undefined
          ? undefined
          : (peers) => admitAll(peers.map((peer) => memberFromPeer(peer, statusOf(peer)))),
    };
  }

  private acked(peer: Peer, roundTripMs: number, payload: Uint8Array | null): void {
    const coordinate = decodePingPayload(payload);
    if (coordinate === undefined || !this.context.config.coordinates) return;
    if (!this.coordinates.update(peer.name, coordinate, roundTripMs / 1000)) {
      this.context.counters.add('coordinatesRejected');
    }
  }

  private queue(which: QueueName, message: Uint8Array, token?: string): void {
    this.queues.add(which, message, token);
    this.swim.somethingQueued();
  }

  private userMessage(body: Uint8Array): void {
    const decoded = decodeSerf(body);
    if (!decoded.ok) return this.swim.problem(decoded.problem);
    this.serfMessage(decoded.message, body);
  }

  /** What is new is told on in the very bytes that were received. */
  private serfMessage(message: SerfMessage, bytes: Uint8Array): void {
    switch (message.kind) {
      case 'join':
        if (this.roster.joinIntent(message.body.LTime, message.body.Node)) this.queue('intents', bytes);
        return;
      case 'leave': {
        const { LTime, Node, Prune } = message.body;
        if (this.roster.leaveIntent(LTime, Node, Prune)) this.queue('intents', bytes);
        return;
      }
      case 'userEvent':
        if (this.userEvents.receive(message.body)) this.queue('events', bytes);
        return;
      case 'query':
        if (this.answers.receive(message.body)) this.queue('queries', bytes);
        return;
      case 'queryResponse':
        return this.queries.receive(message.body);
      case 'relay':
        if (message.body.DestAddr === '') return this.context.counters.add('droppedMalformed');
        return this.swim.sendUser({ address: message.body.DestAddr, port: message.body.DestPort }, message.body.inner);
      case 'pushPull':
        // Stands in push-pulls only.
        return this.context.counters.add('droppedUnknownType');
    }
  }

  // --- push-pull

  private pushPullState(): PushPullState {
    const { clocks } = this.context;
    return {
      LTime: clocks.member.time,
      StatusLTimes: this.roster.statusTimes(),
      LeftMembers: this.roster.leftMembers(),
      EventLTime: clocks.event.time,
      Events: this.userEvents.image(),
      QueryLTime: clocks.query.time,
    };
  }

  private mergeUserState(bytes: Uint8Array, join: boolean): void {
    const decoded = decodeSerf(bytes);
    if (!decoded.ok) return this.swim.problem(decoded.problem);
    if (decoded.message.kind !== 'pushPull') return this.context.counters.add('droppedUnknownType');
    const state = decoded.message.body;
    const { clocks } = this.context;
    if (state.LTime > 0) clocks.member.witness(state.LTime - 1);
    if (state.EventLTime > 0) clocks.event.witness(state.EventLTime - 1);
    if (state.QueryLTime > 0) clocks.query.witness(state.QueryLTime - 1);
    const left = new Set(state.LeftMembers ?? []);
    for (const name of left) this.roster.leaveIntent((state.StatusLTimes.get(name) ?? -1) + 1, name, false);
    for (const [name, lamportTime] of state.StatusLTimes) {
      if (!left.has(name)) this.roster.joinIntent(lamportTime, name);
    }
    if (join && this.ignoringJoins.size > 0) this.userEvents.ignoreBefore(state.EventLTime);
    this.userEvents.merge(state.Events ?? []);
  }

  // --- to the application

  private memberChanged(change: MemberChange, member: Member): void {
    if (change === 'reap') this.coordinates.forget(member.name);
    if (member.name !== this.context.name && !this.departure.started) this.noteForSnapshot(change, member);
    if (this.memberHolder.enabled) this.memberHolder.add({ change, member });
    else this.tellChange({ change, member });
  }

  private noteForSnapshot(change: MemberChange, member: Member): void {
    if (change === 'join') this.outbox.notify({ kind: 'snapshot', line: snapshotLine.alive(member.name, member) });
    else if (change === 'leave' || change === 'failed') {
      this.outbox.notify({ kind: 'snapshot', line: snapshotLine.notAlive(member.name) });
    }
  }

  private tellChange({ change, member }: HeldChange): void {
    this.outbox.notify({ kind: 'member', change, member });
  }

  private tellEvent(event: UserEvent): void {
    this.outbox.notify({ kind: 'userEvent', event });
  }

  private deliverQuery(query: DeliveredQuery): void {
    if (!query.name.startsWith(internalPrefix)) return this.outbox.notify({ kind: 'query', query });
    const answer = answerInternal(query, this.context.name, (name) => this.roster.get(name));
    if (answer.kind === 'respond') this.answers.respond(query.answer, answer.payload);
    else if (answer.kind === 'key') this.outbox.notify({ ...answer, kind: 'keyRequest', answer: query.answer });
  }

  private queryHeard(event: QueryEvent): void {
    if (!this.conflict.heard(event)) this.outbox.notify(event);
  }

  // --- what can be looked up

  members(): Member[] {
    return this.roster.members();
  }

  member(name: string): Member | undefined {
    return this.roster.get(name);
  }

  self(): Member {
    return this.roster.get(this.context.name)!;
  }

  countActive(): number {
    return this.swim.countActive();
  }

  coordinate(): Coordinate {
    return this.coordinates.coordinate;
  }

  coordinateOf(name: string): Coordinate | undefined {
    return name === this.context.name ? this.coordinates.coordinate : this.coordinates.coordinateOf(name);
  }

  /** What a snapshot should say now. */
  snapshot(): Omit<Snapshot, 'unknownLines'> {
    const { clocks, name } = this.context;
    const alive = this.roster.members().filter((member) => member.status === 'alive' && member.name !== name);
    return {
      alive: new Map(alive.map((member) => [member.name, member])),
      clock: clocks.member.time - 1,
      eventClock: clocks.event.time - 1,
      queryClock: clocks.query.time - 1,
    };
  }

  get left(): boolean {
    return this.departure.finished;
  }

  get leaving(): boolean {
    return this.departure.started;
  }

  /** Serf's own names, as `serf info` prints them. */
  stats(): Record<string, string> {
    const { clocks } = this.context;
    const stats = {
      members: this.roster.size,
      failed: this.roster.countBy('failed'),
      left: this.roster.countBy('left'),
      health_score: this.swim.healthScore,
      member_time: clocks.member.time,
      event_time: clocks.event.time,
      query_time: clocks.query.time,
      intent_queue: this.queues.lengthOf('intents'),
      event_queue: this.queues.lengthOf('events'),
      query_queue: this.queues.lengthOf('queries'),
      member_queue: this.swim.queueLength,
      coordinate_resets: this.coordinates.resets,
    };
    return Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, String(value)]));
  }
}

function statusOf(peer: Peer): Member['status'] {
  if (peer.state === 'left') return 'left';
  return peer.state === 'dead' ? 'failed' : 'alive';
}
