/**
 * What a pool is made of, wired together: SWIM below, Serf's parts above, each told of what concerns it. `pool.ts` feeds it.
 */
import type { Random } from '../../std/random.ts';
import type { Result } from '../../std/result.ts';
import type { GossipConfig } from '../config.ts';
import type { GossipErrorCode } from '../errors.ts';
import type { Counters } from '../metrics.ts';
import type { SwimDelegate } from '../swim/context.ts';
import { Outbox } from '../swim/outbox.ts';
import { Swim } from '../swim/swim.ts';
import type { Endpoint, Peer } from '../swim/types.ts';
import type { WireProblem } from '../wire/malformed.ts';
import { decodePingPayload, encodePingPayload, encodeSerf } from '../wire/serf.ts';
import { Announcer } from './announcer.ts';
import type { DeliveredQuery, MemberChange, PoolEvent, PoolTimer, SerfContext } from './context.ts';
import { CoordinateClient } from './coordinate.ts';
import { Departure } from './departure.ts';
import { Inbox } from './inbox.ts';
import { answerInternal, internalPrefix } from './internal-queries.ts';
import { LamportClock } from './lamport.ts';
import { type Member, memberFromPeer } from './member.ts';
import { NameConflict } from './name-conflict.ts';
import { AnswerDesk, type AskedQuery, type QueryEvent, type QueryOptions, QueryRegister } from './queries.ts';
import { type QueueName, SerfQueues } from './queues.ts';
import { Roster } from './roster.ts';
import { snapshotLine } from './snapshot.ts';
import { StateExchange } from './state-exchange.ts';
import { UserEventLog } from './user-events.ts';
import { Waits } from './waits.ts';

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

/** In pools up to this size queries, events and intents are told to each member in turn (see BroadcastQueue). */
const audienceMax = 64;

/** Protocol versions that this implementation understands and speaks: those of Serf 0.8 and later. */
const protocol = { protocolMin: 1, protocolMax: 5, protocolCur: 2, delegateMin: 2, delegateMax: 5 } as const;

export class Parts {
  readonly outbox = new Outbox<PoolTimer, PoolEvent>();
  readonly options: PoolOptions;
  readonly context: SerfContext;
  readonly swim: Swim;
  readonly roster: Roster;
  readonly userEvents: UserEventLog;
  readonly answers: AnswerDesk;
  readonly queries: QueryRegister;
  readonly coordinates: CoordinateClient;
  readonly departure: Departure;
  readonly announcer: Announcer;
  readonly states: StateExchange;
  private readonly inbox: Inbox;
  readonly waits: Waits;
  readonly queues: SerfQueues;
  tags: Readonly<Record<string, string>>;
  private readonly conflict: NameConflict;
  private tookBackMs = Number.NEGATIVE_INFINITY;

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
      refuteLeave: () => this.announceJoin(),
      reconnectTimeoutMs: (member) => options.reconnectTimeoutOf?.(member) ?? config.reconnectTimeoutMs,
    });
    this.queues = new SerfQueues(
      config,
      () => this.roster.size,
      (token) => this.broadcastDone(token),
      // To count them costs more than chance does in a pool where the same one is hardly drawn twice.
      () => (this.roster.size <= audienceMax ? this.swim.countActive() - 1 : 0),
    );
    this.announcer = new Announcer(context);
    this.waits = new Waits(context);
    this.userEvents = new UserEventLog(context, (event) => this.announcer.userEvent(event));
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
    const problem = (found: WireProblem): void => this.swim.problem(found);
    const { roster, userEvents, answers, queries } = this;
    this.states = new StateExchange(context, { roster, userEvents, problem });
    this.inbox = new Inbox(context, {
      ...{ roster, userEvents, answers, queries, problem },
      tellOn: (queue, bytes, from) => this.queue(queue, bytes, undefined, from),
      send: network.send,
    });
    this.conflict = new NameConflict(
      { name, at: advertise },
      {
        ask: (question, payload) => {
          const asked = this.ask(question, payload, {});
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

  /** Tells everybody that we are here by intent: after a join, or against a false leave intent. */
  announceJoin(): void {
    const { clocks, name } = this.context;
    const body = { LTime: clocks.member.time, Node: name };
    this.roster.joinIntent(body.LTime, name);
    this.queue('intents', encodeSerf({ kind: 'join', body }));
  }

  private announceLeave(token: string | undefined): void {
    const { clocks, name, outbox } = this.context;
    outbox.notify({ kind: 'snapshot', line: snapshotLine.leave });
    this.roster.leaving = true;
    const body = { LTime: clocks.member.take(), Node: name, Prune: false };
    this.roster.leaveIntent(body.LTime, name, false);
    if (token !== undefined) this.queue('intents', encodeSerf({ kind: 'leave', body }), token);
  }

  private broadcastDone(token: string): void {
    if (!this.departure.broadcastDone(token)) this.waits.over(token, false);
  }

  /** Acks and responses come as events, then `queryOver`. */
  ask(name: string, payload: Uint8Array, options: QueryOptions): Result<AskedQuery, GossipErrorCode> {
    const asked = this.queries.ask(name, payload, options, this.swim.countActive());
    if (!asked.ok) return asked;
    this.answers.receive(asked.value.message);
    this.queue('queries', asked.value.encoded);
    return asked;
  }

  // --- what SWIM tells

  /**
   * A member that failed pings us, so it lives and does not know that it is held for dead; nobody gossips to it any more. (A host was
   * suspended for an hour.) A push-pull tells both, at once and not at the next turn of the reconnects; only where it was known to be,
   * and one at a time is begun, so that nobody can make us call on strangers.
   */
  private takeBack(name: string, at: Endpoint): void {
    const { nowMs, config, counters } = this.context;
    if (!this.roster.failedAt(name, at) || nowMs - this.tookBackMs < config.probeIntervalMs) return;
    this.tookBackMs = nowMs;
    counters.add('failedThatPinged');
    this.swim.join(at, 0, nowMs);
  }

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
      userMessage: (body, from) => this.inbox.receive(body, from),
      ackPayload: () => (this.context.config.coordinates ? encodePingPayload(this.coordinates.coordinate) : null),
      acked: (peer, roundTripMs, payload) => this.acked(peer, roundTripMs, payload),
      hasBroadcasts: () => this.queues.any,
      broadcasts: (bytes, overhead, parts, to) => this.queues.drain(bytes, overhead, parts, to),
      userState: () => this.states.own(),
      mergeUserState: (state, join) => this.states.merge(state, join),
      pingedByGone: (name, at) => this.takeBack(name, at),
      joinDone: (join, failure) => {
        this.states.joinDone(join);
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

  queue(which: QueueName, message: Uint8Array, token?: string, heardFrom?: Endpoint): void {
    this.queues.add(which, message, token, heardFrom);
    this.swim.somethingQueued();
  }

  // --- to the application

  private memberChanged(change: MemberChange, member: Member): void {
    if (change === 'reap') this.coordinates.forget(member.name);
    const remembered = member.name !== this.context.name && !this.departure.started;
    this.announcer.memberChanged(change, member, remembered);
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
}

function statusOf(peer: Peer): Member['status'] {
  if (peer.state === 'left') return 'left';
  return peer.state === 'dead' ? 'failed' : 'alive';
}
