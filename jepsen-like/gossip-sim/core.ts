/**
 * What a simulated member runs: the real SWIM core with Serf above it, or, in large pools, the SWIM core and of Serf's layer
 * only its habit to try failed members again. Both look the same to the world.
 */

import type { GossipConfig } from '../../src/gossip/config.ts';
import { Counters } from '../../src/gossip/metrics.ts';
import type { PoolTimer } from '../../src/gossip/serf/context.ts';
import { Pool } from '../../src/gossip/serf/pool.ts';
import { emptySnapshot } from '../../src/gossip/serf/snapshot.ts';
import type { SwimDelegate, SwimTimer } from '../../src/gossip/swim/context.ts';
import { type Effect, Outbox } from '../../src/gossip/swim/outbox.ts';
import { Swim } from '../../src/gossip/swim/swim.ts';
import type { Endpoint, Peer } from '../../src/gossip/swim/types.ts';
import type { DecodedPacket } from '../../src/gossip/wire/packet.ts';
import type { StreamMessage } from '../../src/gossip/wire/stream.ts';
import type { Random } from '../../src/std/random.ts';

export type Layer = 'swim' | 'serf';
export type CoreTimer = PoolTimer;

export interface Core {
  readonly counters: Counters;
  start(nowMs: number): void;
  packet(packet: DecodedPacket, from: Endpoint, nowMs: number): void;
  timer(timer: CoreTimer, lateMs: number, nowMs: number): void;
  streamMessage(stream: number, message: StreamMessage, nowMs: number): void;
  exchangeDone(exchange: number, reply: StreamMessage | undefined, failure: string, nowMs: number): void;
  join(to: Endpoint, nowMs: number): void;
  leave(nowMs: number): void;
  drain(): Effect<CoreTimer, never>[];
}

export interface CoreOptions {
  readonly name: string;
  readonly advertise: Endpoint;
  readonly config: GossipConfig;
  readonly random: Random;
  readonly known: readonly Peer[];
  /** This member changed its mind about another. */
  observed(what: 'alive' | 'dead' | 'left', about: string): void;
}

export const versions = {
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  delegateMin: 2,
  delegateMax: 5,
  delegateCur: 5,
} as const;

export function makeCore(layer: Layer, options: CoreOptions): Core {
  return layer === 'swim' ? swimCore(options) : serfCore(options);
}

function swimCore({ name, advertise, config, random, known, observed }: CoreOptions): Core {
  const counters = new Counters();
  const outbox = new Outbox<CoreTimer, never>();
  const failed = new Map<string, Peer>();
  const chance = random.stream('reconnect');
  const delegate: SwimDelegate = {
    joined(peer) {
      failed.delete(peer.name);
      observed('alive', peer.name);
    },
    left(peer) {
      if (peer.state === 'dead') failed.set(peer.name, peer);
      observed(peer.state === 'left' ? 'left' : 'dead', peer.name);
    },
    updated() {},
    conflict() {},
    userMessage() {},
    ackPayload: () => null,
    acked() {},
    hasBroadcasts: () => false,
    broadcasts: () => [],
    userState: () => new Uint8Array(0),
    mergeUserState() {},
    joinDone() {},
    broadcastDone() {},
  };
  const swim = new Swim(
    { name, advertise, versions, config, packetOverheadBytes: 0, known },
    { random, counters, delegate, outbox },
  );
  // Serf's rule: one of the failed, with a probability that grows with their share.
  const reconnect = (nowMs: number): void => {
    outbox.after(config.reconnectIntervalMs, { kind: 'reconnect' });
    const healthy = Math.max(1, swim.countActive());
    if (failed.size > 0 && chance.chance(failed.size / healthy)) swim.join(chance.pick([...failed.values()]), 0, nowMs);
  };
  return {
    counters,
    start(nowMs) {
      swim.start(new Uint8Array(0), nowMs);
      outbox.after(config.reconnectIntervalMs, { kind: 'reconnect' });
    },
    packet: (packet, from, nowMs) => swim.decodedPacket(packet, from, nowMs),
    timer: (timer, lateMs, nowMs) =>
      timer.kind === 'reconnect' ? reconnect(nowMs) : swim.timer(timer as SwimTimer, lateMs, nowMs),
    streamMessage: (stream, message, nowMs) => swim.streamMessage(stream, message, nowMs),
    exchangeDone: (exchange, reply, failure, nowMs) => swim.exchangeDone(exchange, reply, failure, nowMs),
    join: (to, nowMs) => swim.join(to, 1, nowMs),
    leave: (nowMs) => void swim.leave('leave', nowMs),
    drain: () => outbox.drain(),
  };
}

function serfCore({ name, advertise, config, random, known, observed }: CoreOptions): Core {
  const counters = new Counters();
  const pool = new Pool(
    { name, advertise, tags: {}, config, packetOverheadBytes: 0, nameConflictResolution: true, known },
    { random, counters },
  );
  const told = { join: 'alive', failed: 'dead', leave: 'left' } as const;
  return {
    counters,
    start: (nowMs) => pool.start(emptySnapshot, nowMs),
    packet: (packet, from, nowMs) => pool.decodedPacket(packet, from, nowMs),
    timer: (timer, lateMs, nowMs) => pool.timer(timer, lateMs, nowMs),
    streamMessage: (stream, message, nowMs) => pool.streamMessage(stream, message, nowMs),
    exchangeDone: (exchange, reply, failure, nowMs) => pool.exchangeDone(exchange, reply, failure, nowMs),
    join: (to, nowMs) => pool.join(to, 1, false, nowMs),
    leave: (nowMs) => pool.leave(nowMs),
    drain() {
      const rest: Effect<CoreTimer, never>[] = [];
      for (const effect of pool.outbox.drain()) {
        if (effect.kind !== 'notify') rest.push(effect);
        else if (effect.event.kind === 'member' && effect.event.change in told) {
          observed(told[effect.event.change as keyof typeof told], effect.event.member.name);
        }
      }
      return rest;
    },
  };
}
