/**
 * What a simulated member runs: the real SWIM core with Serf above it, or, in large pools, the SWIM core and of Serf's layer
 * only its habit to try failed members again. Both look the same to the world.
 */

import type { GossipConfig } from '../../src/gossip/config.ts';
import { Counters } from '../../src/gossip/metrics.ts';
import type { PoolEvent, PoolTimer } from '../../src/gossip/serf/context.ts';
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
  /** A user event and a query of that name, to everybody; nothing without Serf's layer. */
  tell(name: string, nowMs: number): void;
  drain(nowMs: number): Effect<CoreTimer, never>[];
}

export interface CoreOptions {
  readonly name: string;
  readonly advertise: Endpoint;
  readonly config: GossipConfig;
  readonly random: Random;
  readonly known: readonly Peer[];
  /** This member changed its mind about another. */
  observed(what: 'alive' | 'dead' | 'left', about: string): void;
  /** A user event arrived here, or an answer of that member to a query of ours. */
  heard(what: 'event' | 'answer', name: string, from: string): void;
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
    tell() {},
    drain: () => outbox.drain(),
  };
}

function serfCore({ name, advertise, config, random, known, observed, heard }: CoreOptions): Core {
  const counters = new Counters();
  const pool = new Pool(
    { name, advertise, tags: {}, config, packetOverheadBytes: 0, nameConflictResolution: true, known },
    { random, counters },
  );
  const told = { join: 'alive', failed: 'dead', leave: 'left' } as const;
  const nothing = new Uint8Array(0);
  const asked = new Map<number, string>();
  let nowMs = 0;
  const notified = (event: PoolEvent): void => {
    switch (event.kind) {
      case 'member':
        if (event.change in told) observed(told[event.change as keyof typeof told], event.member.name);
        return;
      case 'userEvent':
        return heard('event', event.event.name, name);
      case 'query': {
        const answered = pool.respond(event.query.answer, nothing, nowMs);
        if (!answered.ok) throw new Error(`a query cannot be answered: ${answered.error}`);
        return;
      }
      case 'queryResponse':
        return heard('answer', asked.get(event.query)!, event.from);
      case 'queryOver':
        asked.delete(event.query);
    }
  };
  return {
    counters,
    start: (now) => pool.start(emptySnapshot, now),
    packet: (packet, from, now) => pool.decodedPacket(packet, from, now),
    timer: (timer, lateMs, now) => pool.timer(timer, lateMs, now),
    streamMessage: (stream, message, now) => pool.streamMessage(stream, message, now),
    exchangeDone: (exchange, reply, failure, now) => pool.exchangeDone(exchange, reply, failure, now),
    join: (to, now) => pool.join(to, 1, false, now),
    leave: (now) => pool.leave(now),
    tell(about, now) {
      pool.userEvent(about, nothing, false, now);
      const query = pool.query(about, nothing, {}, now);
      if (!query.ok) throw new Error(`a query cannot be asked: ${query.error}`);
      asked.set(query.value.query, about);
    },
    drain(now) {
      nowMs = now;
      const rest: Effect<CoreTimer, never>[] = [];
      // An answer to what is notified is an effect too.
      for (let some = pool.outbox.drain(); some.length > 0; some = pool.outbox.drain()) {
        for (const effect of some) {
          if (effect.kind === 'notify') notified(effect.event);
          else rest.push(effect);
        }
      }
      return rest;
    },
  };
}
