/**
 * One simulated member: the real SWIM core, with the world in place of sockets and clock. It can crash, stand still as
 * a stopped process does (its timers then come late, and before the packets that wait), or be deaf: its messages wait
 * while its timers run on, as in Lifeguard's experiments.
 */

import type { Counters } from '../../src/gossip/metrics.ts';
import type { Effect } from '../../src/gossip/swim/outbox.ts';
import type { Endpoint } from '../../src/gossip/swim/types.ts';
import type { DecodedPacket } from '../../src/gossip/wire/packet.ts';
import type { StreamMessage } from '../../src/gossip/wire/stream.ts';
import type { Core, CoreTimer } from './core.ts';

export interface SimWorld {
  readonly nowMs: number;
  send(from: number, to: Endpoint, messages: readonly Uint8Array[]): void;
  exchange(
    from: number,
    to: Endpoint,
    message: StreamMessage,
    timeoutMs: number,
    done: (reply?: StreamMessage) => void,
  ): void;
  after(afterMs: number, run: () => void): void;
}

/** A socket buffer holds about this many packets of a stopped process; more are lost. */
const backlogMax = 2_000;

type State = 'running' | 'stopped' | 'deaf' | 'crashed';

export class SimMember {
  readonly index: number;
  readonly endpoint: Endpoint;
  readonly name: string;
  readonly counters: Counters;
  state: State = 'running';
  private readonly world: SimWorld;
  private readonly core: Core;
  private readonly lateTimers: { readonly timer: CoreTimer; readonly dueMs: number }[] = [];
  private backlog: (() => void)[] = [];
  private outgoing: (() => void)[] = [];
  private readonly replies = new Map<number, (reply?: StreamMessage) => void>();
  private lastStream = 0;

  constructor(
    index: number,
    self: { readonly name: string; readonly endpoint: Endpoint },
    world: SimWorld,
    core: Core,
  ) {
    this.index = index;
    this.name = self.name;
    this.endpoint = self.endpoint;
    this.world = world;
    this.core = core;
    this.counters = core.counters;
  }

  start(): void {
    this.step(() => this.core.start(this.world.nowMs));
  }

  join(to: Endpoint): void {
    this.step(() => this.core.join(to, this.world.nowMs));
  }

  leave(): void {
    this.step(() => this.core.leave(this.world.nowMs));
  }

  tell(name: string): void {
    this.step(() => this.core.tell(name, this.world.nowMs));
  }

  // --- faults

  crash(): void {
    this.state = 'crashed';
  }

  stop(state: 'stopped' | 'deaf'): void {
    if (this.state === 'running') this.state = state;
  }

  /** Timers first, late as they are; then what waited in the socket; then what waited to be sent. */
  resume(): void {
    if (this.state === 'crashed') return;
    this.state = 'running';
    const timers = this.lateTimers.splice(0);
    for (const { timer, dueMs } of timers) this.runTimer(timer, dueMs);
    const { backlog, outgoing } = this;
    this.backlog = [];
    this.outgoing = [];
    for (const send of outgoing) send();
    for (const receive of backlog) receive();
  }

  get reachable(): boolean {
    return this.state === 'running';
  }

  // --- what arrives

  packet(packet: DecodedPacket, from: Endpoint): void {
    this.whenListening(() => this.step(() => this.core.packet(packet, from, this.world.nowMs)));
  }

  request(message: StreamMessage, reply: (message?: StreamMessage) => void): void {
    const stream = ++this.lastStream;
    this.replies.set(stream, reply);
    this.whenListening(() => this.step(() => this.core.streamMessage(stream, message, this.world.nowMs)));
  }

  private whenListening(receive: () => void): void {
    if (this.state === 'running') return receive();
    if (this.state !== 'crashed' && this.backlog.length < backlogMax) this.backlog.push(receive);
  }

  private step(input: () => void): void {
    input();
    for (const effect of this.core.drain(this.world.nowMs)) this.execute(effect);
  }

  private execute(effect: Effect<CoreTimer, never>): void {
    switch (effect.kind) {
      case 'packet':
        return this.whenSpeaking(() => this.world.send(this.index, effect.to, effect.messages));
      case 'exchange':
        return this.whenSpeaking(() => this.exchange(effect));
      case 'reply':
        this.replies.get(effect.stream)?.(effect.message);
        this.replies.delete(effect.stream);
        return;
      case 'after':
        return this.plant(effect.afterMs, effect.timer);
      case 'notify':
        return;
    }
  }

  private whenSpeaking(send: () => void): void {
    if (this.state === 'deaf') this.outgoing.push(send);
    else send();
  }

  private exchange(effect: Extract<Effect<CoreTimer, never>, { kind: 'exchange' }>): void {
    this.world.exchange(this.index, effect.to, effect.message, effect.timeoutMs, (reply) => {
      this.whenListening(() =>
        this.step(() => this.core.exchangeDone(effect.exchange, reply, 'no answer', this.world.nowMs)),
      );
    });
  }

  private plant(afterMs: number, timer: CoreTimer): void {
    const dueMs = this.world.nowMs + afterMs;
    this.world.after(afterMs, () => {
      if (this.state === 'crashed') return;
      if (this.state === 'stopped') this.lateTimers.push({ timer, dueMs });
      else this.runTimer(timer, dueMs);
    });
  }

  private runTimer(timer: CoreTimer, dueMs: number): void {
    const { nowMs } = this.world;
    this.step(() => this.core.timer(timer, nowMs - dueMs, nowMs));
  }
}
