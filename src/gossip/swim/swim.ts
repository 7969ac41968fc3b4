/**
 * SWIM with Lifeguard as one object that never waits: something happens (a packet, a timer, the answer of a stream), a
 * method is called with the time, effects gather in the outbox. No I/O, no clock, no chance of its own.
 */
import type { Random } from '../../std/random.ts';
import type { GossipConfig } from '../config.ts';
import type { CounterName, Counters } from '../metrics.ts';
import type { WireProblem } from '../wire/malformed.ts';
import { encodeUser, type Message } from '../wire/messages.ts';
import { type DecodedPacket, decodePacket } from '../wire/packet.ts';
import type { StreamMessage } from '../wire/stream.ts';
import { Awareness } from './awareness.ts';
import { BroadcastQueue } from './broadcast-queue.ts';
import type { SwimContext, SwimDelegate, SwimTimer } from './context.ts';
import { Exchanges } from './exchange.ts';
import { Liveness } from './liveness.ts';
import { MemberTable } from './member-table.ts';
import type { EffectSink } from './outbox.ts';
import { Packets } from './packets.ts';
import { Prober } from './prober.ts';
import { type Endpoint, type Peer, protocolWith, type Versions } from './types.ts';

export interface SwimOptions {
  readonly name: string;
  readonly advertise: Endpoint;
  readonly versions: Versions;
  readonly config: GossipConfig;
  /** What encryption and label add to a packet. */
  readonly packetOverheadBytes: number;
  /** Members to start with, for a simulation that begins with a pool in place. */
  readonly known?: Iterable<Peer>;
}

export interface SwimParts {
  readonly random: Random;
  readonly counters: Counters;
  readonly delegate: SwimDelegate;
  readonly outbox: EffectSink<SwimTimer, never>;
}

const problemCounter: Readonly<Record<WireProblem, CounterName>> = {
  truncated: 'droppedTruncated',
  malformed: 'droppedMalformed',
  'crc-mismatch': 'droppedCrc',
  'unknown-type': 'droppedUnknownType',
  'too-deep': 'droppedTooDeep',
  'too-large': 'droppedTooLarge',
};

export class Swim {
  private readonly context: SwimContext;
  private readonly versions: Versions;
  private readonly packets: Packets;
  private readonly liveness: Liveness;
  private readonly prober: Prober;
  private readonly exchanges: Exchanges;
  private lastStallMs = Number.NEGATIVE_INFINITY;

  constructor(options: SwimOptions, parts: SwimParts) {
    const { config, name, advertise, packetOverheadBytes, known } = options;
    const { outbox, counters, delegate, random } = parts;
    const table = new MemberTable(random.stream('order'), known);
    const finished = (token: string): void => delegate.broadcastDone(token);
    this.versions = options.versions;
    this.context = {
      config,
      name,
      advertise,
      packetOverheadBytes,
      table,
      queue: new BroadcastQueue(config.retransmitMult, () => table.size, finished),
      awareness: new Awareness(config.awarenessMaxMultiplier),
      counters,
      delegate,
      outbox,
      random: { probe: random.stream('probe'), gossip: random.stream('gossip'), pushPull: random.stream('push-pull') },
      nowMs: 0,
      leaving: false,
    };
    this.packets = new Packets(this.context);
    this.liveness = new Liveness(this.context);
    this.exchanges = new Exchanges(this.context, this.liveness, (seqNo, reply) => this.prober.tcpAnswer(seqNo, reply));
    this.prober = new Prober(this.context, this.packets, this.liveness, (to, message, timeoutMs, seqNo) =>
      this.exchanges.ping(to, message, timeoutMs, seqNo),
    );
  }

  // --- what happens

  start(meta: Uint8Array, nowMs: number): void {
    this.context.nowMs = nowMs;
    // A pool in place knows us already: nothing to tell.
    if (this.context.table.get(this.context.name) !== undefined) this.liveness.adopt();
    else this.liveness.announce(meta, this.versions);
    this.prober.start();
    this.exchanges.start();
    this.packets.ensureTick();
  }

  /** A packet, decrypted. */
  packet(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    this.decodedPacket(decodePacket(bytes), from, nowMs);
  }

  /** The same where the sender's messages need no bytes between (a simulation). */
  decodedPacket({ messages, problems }: DecodedPacket, from: Endpoint, nowMs: number): void {
    this.context.nowMs = nowMs;
    for (const problem of problems) this.problem(problem);
    for (const message of messages) this.message(message, from);
    this.packets.ensureTick();
  }

  /** Counts bytes that could not be read, for decoders outside. */
  problem(problem: WireProblem): void {
    this.context.counters.add(problemCounter[problem]);
  }

  private message(message: Message, from: Endpoint): void {
    switch (message.kind) {
      case 'ping':
        return this.prober.answerPing(message.body, from);
      case 'indirectPing':
        return this.prober.relayPing(message.body, from);
      case 'ack':
        return this.prober.ack(message.body.SeqNo, message.body.Payload);
      case 'nack':
        return this.prober.nack(message.body.SeqNo);
      case 'user':
        return this.context.delegate.userMessage(message.body, from);
      default:
        return this.aboutMember(message);
    }
  }

  private aboutMember(message: Extract<Message, { kind: 'alive' | 'suspect' | 'dead' }>): void {
    switch (message.kind) {
      case 'alive':
        return this.liveness.alive(message.body);
      case 'suspect':
        return this.liveness.suspect(message.body);
      case 'dead':
        return this.liveness.dead(message.body);
    }
  }

  /** `lateMs`: how much later than asked the timer came. */
  timer(timer: SwimTimer, lateMs: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    if (!this.late(timer, lateMs)) this.onTime(timer);
    this.packets.ensureTick();
  }

  private onTime(timer: SwimTimer): void {
    switch (timer.kind) {
      case 'probe':
        return this.prober.tick();
      case 'probeTimeout':
        return this.prober.probeTimeout(timer.seqNo);
      case 'probeEnd':
        return this.prober.probeEnd(timer.seqNo);
      case 'relayTimeout':
        return this.prober.relayTimeout(timer);
      case 'suspicion':
        return this.liveness.suspicionTimer(timer);
      case 'gossip':
        return this.packets.tick();
      case 'pushPull':
        return this.exchanges.tick();
    }
  }

  /**
   * A timer that comes late found this process standing still: busy, paused, starved. Scenario without this: a member
   * is stopped for 10 s with a suspicion running; on waking, the timer fires before the refutation is read that waits in
   * the socket, and a healthy member is declared dead. So verdicts are put off once, for as long as the standstill but at
   * most a probe timeout, and our health score rises (own addition to Lifeguard).
   */
  private late(timer: SwimTimer, lateMs: number): boolean {
    const { config, outbox } = this.context;
    if (lateMs <= config.lateTimerMs) return false;
    this.context.counters.add('lateTimers');
    this.stalled();
    const graceMs = Math.min(lateMs, config.probeTimeoutMs);
    switch (timer.kind) {
      case 'probeTimeout':
      case 'probeEnd':
        if (timer.graced || !this.prober.isCurrent(timer.seqNo)) return false;
        outbox.after(graceMs, { ...timer, graced: true });
        return true;
      case 'suspicion':
        if (timer.graced || !this.liveness.suspicionRunning(timer)) return false;
        outbox.after(graceMs, { ...timer, graced: true });
        return true;
      default:
        return false;
    }
  }

  /** The event loop was measured to be late by that much, apart from any timer of ours. */
  loopDelay(delayMs: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    if (delayMs > this.context.config.lateTimerMs) this.stalled();
  }

  /** One standstill counts once, however many timers it made late. */
  private stalled(): void {
    const { nowMs, config, awareness } = this.context;
    if (nowMs - this.lastStallMs < config.probeIntervalMs) return;
    this.lastStallMs = nowMs;
    awareness.add(1);
  }

  /** The system could not send the ping of this probe: no need to wait for its timeout. */
  probeSendFailed(seqNo: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.prober.probeTimeout(seqNo);
    this.packets.ensureTick();
  }

  exchangeDone(exchange: number, reply: StreamMessage | undefined, failure: string, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.exchanges.finished(exchange, reply, failure);
    this.packets.ensureTick();
  }

  streamMessage(stream: number, message: StreamMessage, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.exchanges.received(stream, message);
    this.packets.ensureTick();
  }

  // --- what is asked

  /** Contacts somebody; ends in `joinDone` with this number. */
  join(to: Endpoint, join: number, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.exchanges.join(to, join);
  }

  /** Tells everybody of a new meta; `broadcastDone` with the token when it was told often enough. */
  setMeta(meta: Uint8Array, token: string | undefined, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.liveness.announce(meta, this.versions, token);
    this.packets.ensureTick();
  }

  /** Announces that this member leaves; `broadcastDone` with the token. False when nobody is there to hear it. */
  leave(token: string, nowMs: number): boolean {
    this.context.nowMs = nowMs;
    const anybody = this.context.table.anyOtherActive(this.context.name);
    this.context.leaving = true;
    const self = this.liveness.self();
    this.liveness.dead(
      { Incarnation: self.incarnation, Node: self.name, From: self.name },
      anybody ? token : undefined,
    );
    this.packets.ensureTick();
    return anybody;
  }

  /** Plants the gossip timer if the layer above has queued something. */
  somethingQueued(): void {
    this.packets.ensureTick();
  }

  /** A user message straight to a member, bare. */
  sendUser(to: Endpoint, body: Uint8Array): void {
    this.packets.sendBare(to, encodeUser(body));
  }

  // --- what can be looked up

  get(name: string): Peer | undefined {
    return this.context.table.get(name);
  }

  self(): Peer {
    return this.liveness.self();
  }

  peers(): IterableIterator<Peer> {
    return this.context.table.all();
  }

  get tableSize(): number {
    return this.context.table.size;
  }

  countActive(): number {
    return this.context.table.countActive();
  }

  anyOtherActive(): boolean {
    return this.context.table.anyOtherActive(this.context.name);
  }

  /** Random members for relays. */
  pickActive(count: number, protocolMax: number = protocolWith.crc): Peer[] {
    const { table, name } = this.context;
    return table.pick(
      count,
      (peer) => peer.state === 'alive' && peer.name !== name && peer.versions.protocolMax >= protocolMax,
    );
  }

  get healthScore(): number {
    return this.context.awareness.score;
  }

  get queueLength(): number {
    return this.context.queue.length;
  }

  get leaving(): boolean {
    return this.context.leaving;
  }
}
