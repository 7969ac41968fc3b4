/** One SWIM core on the bench: give it an input, read its effects and what it told the layer above. */
import { type GossipConfig, gossipConfig } from '../../../src/gossip/config.ts';
import { Counters } from '../../../src/gossip/metrics.ts';
import type { SwimDelegate, SwimTimer } from '../../../src/gossip/swim/context.ts';
import { type Effect, Outbox } from '../../../src/gossip/swim/outbox.ts';
import { Swim } from '../../../src/gossip/swim/swim.ts';
import type { Endpoint, Peer } from '../../../src/gossip/swim/types.ts';
import { encodeMessage, type Message } from '../../../src/gossip/wire/messages.ts';
import { bundle, decodePacket } from '../../../src/gossip/wire/packet.ts';
import { seededRandom } from '../../../src/std/random.ts';

const versions = {
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  delegateMin: 2,
  delegateMax: 5,
  delegateCur: 5,
};
export const vsn = Uint8Array.of(1, 5, 2, 2, 5, 5);

const hostOf = (name: string): number => [...name].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 250, 1) + 1;
export const addressOf = (name: string): Endpoint => ({ address: `10.0.0.${hostOf(name)}`, port: 7946 });

export function peer(name: string, changes: Partial<Peer> = {}): Peer {
  return {
    name,
    ...addressOf(name),
    incarnation: 1,
    state: 'alive',
    sinceMs: 0,
    meta: new Uint8Array(0),
    versions,
    ...changes,
  };
}

export class SwimBench {
  readonly swim: Swim;
  readonly counters = new Counters();
  readonly told: string[] = [];
  nowMs = 0;
  private readonly outbox = new Outbox<SwimTimer, never>();
  private effects: Effect<SwimTimer, never>[] = [];

  /** A member `me` that starts in a pool with these others. */
  constructor(others: readonly Peer[], config: Partial<GossipConfig> = {}, delegate: Partial<SwimDelegate> = {}) {
    const note = (what: string) => (one: Peer) => void this.told.push(`${what} ${one.name} ${one.state}`);
    this.swim = new Swim(
      {
        name: 'me',
        advertise: addressOf('me'),
        versions,
        config: gossipConfig('lan', config),
        packetOverheadBytes: 0,
        known: [peer('me'), ...others],
      },
      {
        random: seededRandom('bench'),
        counters: this.counters,
        outbox: this.outbox,
        delegate: {
          joined: note('joined'),
          updated: note('updated'),
          left: note('left'),
          conflict: note('conflict'),
          userMessage() {},
          ackPayload: () => null,
          acked: (one, ms) => void this.told.push(`acked ${one.name} ${ms}`),
          hasBroadcasts: () => false,
          broadcasts: () => [],
          userState: () => new Uint8Array(0),
          mergeUserState() {},
          joinDone: (join, failure) => void this.told.push(`joinDone ${join} ${failure?.code ?? 'ok'}`),
          broadcastDone() {},
          ...delegate,
        },
      },
    );
    this.swim.start(new Uint8Array(0), 0);
    this.collect();
  }

  private collect(): void {
    this.effects.push(...this.outbox.drain());
  }

  at(nowMs: number): this {
    this.nowMs = nowMs;
    return this;
  }

  hear(message: Message, from = addressOf('n1')): this {
    this.swim.packet(encodeMessage(message), from, this.nowMs);
    this.collect();
    return this;
  }

  do(act: (swim: Swim, nowMs: number) => void): this {
    act(this.swim, this.nowMs);
    this.collect();
    return this;
  }

  /** Fires the planted timers of a kind, all at the present time. */
  fire(kind: SwimTimer['kind'], lateMs = 0): this {
    const timers = this.effects.flatMap((effect) =>
      effect.kind === 'after' && effect.timer.kind === kind ? [effect.timer] : [],
    );
    this.effects = this.effects.filter((effect) => effect.kind !== 'after' || effect.timer.kind !== kind);
    for (const timer of timers) this.swim.timer(timer, lateMs, this.nowMs);
    this.collect();
    return this;
  }

  /** Messages sent since the last look, with their destination. */
  sent(): { to: string; message: Message }[] {
    const packets = this.effects.flatMap((effect) => (effect.kind === 'packet' ? [effect] : []));
    this.effects = this.effects.filter((effect) => effect.kind !== 'packet');
    return packets.flatMap(({ to, messages }) =>
      decodePacket(bundle(messages)).messages.map((one) => ({ to: to.address, message: one })),
    );
  }

  streams(): Extract<Effect<SwimTimer, never>, { kind: 'exchange' | 'reply' }>[] {
    const found = this.effects.flatMap((effect) =>
      effect.kind === 'exchange' || effect.kind === 'reply' ? [effect] : [],
    );
    this.effects = this.effects.filter((effect) => effect.kind !== 'exchange' && effect.kind !== 'reply');
    return found;
  }

  /** What is told to everybody: the queue, flushed by gossip rounds. */
  gossiped(): Message[] {
    this.fire('gossip');
    const seen = new Map<string, Message>();
    for (const { message } of this.sent()) seen.set(JSON.stringify(message), message);
    return [...seen.values()];
  }

  stateOf(name: string): string | undefined {
    const found = this.swim.get(name);
    return found === undefined ? undefined : `${found.state} ${found.incarnation}`;
  }
}
