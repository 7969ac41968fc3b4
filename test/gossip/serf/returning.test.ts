/** A member that was held for dead, by all and for long, is back when it pings somebody. */
import { beforeEach, expect, it } from 'vitest';
import { gossipConfig } from '../../../src/gossip/config.ts';
import { Counters } from '../../../src/gossip/metrics.ts';
import type { PoolEvent, PoolTimer } from '../../../src/gossip/serf/context.ts';
import { Pool } from '../../../src/gossip/serf/pool.ts';
import { parseSnapshot } from '../../../src/gossip/serf/snapshot.ts';
import type { Effect } from '../../../src/gossip/swim/outbox.ts';
import type { Endpoint } from '../../../src/gossip/swim/types.ts';
import { encodeMessage, type Message } from '../../../src/gossip/wire/messages.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { addressOf, peer } from '../support/swim-bench.ts';

const config = gossipConfig('lan');

let pool: Pool;
let counters: Counters;
let nowMs: number;

beforeEach(() => {
  nowMs = 0;
  counters = new Counters();
  pool = new Pool(
    {
      ...{
        name: 'me',
        advertise: addressOf('me'),
        tags: {},
        config,
        packetOverheadBytes: 0,
        nameConflictResolution: false,
      },
      known: ['me', 'back', 'other'].map((name) => peer(name)),
    },
    { random: seededRandom('returning'), counters },
  );
  pool.start(parseSnapshot('', false), nowMs);
});

function hear(message: Message): Effect<PoolTimer, PoolEvent>[] {
  pool.packet(encodeMessage(message), addressOf('other'), nowMs);
  return [...pool.outbox.drain()];
}

/** A ping, and with whom it made a push-pull begin. */
function pinged(SourceNode: string, { address, port }: Endpoint = addressOf(SourceNode)): string[] {
  const body = { SeqNo: 3, Node: 'me', SourceAddr: address, SourcePort: port, SourceNode };
  return hear({ kind: 'ping', body }).flatMap((effect) =>
    effect.kind === 'exchange' && effect.message.kind === 'pushPull' ? [effect.to.address] : [],
  );
}

const die = (Node: string, From = 'other'): unknown => hear({ kind: 'dead', body: { Node, Incarnation: 3, From } });

it('a push-pull with it begins at once, and one at most in a probe interval', () => {
  die('back');
  nowMs = 3_600_000;
  expect(pinged('back')).toEqual([addressOf('back').address]);
  expect(pinged('back')).toEqual([]);
  nowMs += config.probeIntervalMs;
  expect(pinged('back')).toEqual([addressOf('back').address]);
  expect(counters.get('failedThatPinged')).toBe(2);
});

it('none with one that lives, nor with one that left, a stranger, or its name at another address', () => {
  expect(pinged('back')).toEqual([]);
  die('back');
  expect([pinged('back', addressOf('n9')), pinged('stranger'), pinged('', addressOf('back'))]).toEqual([[], [], []]);
  hear({ kind: 'alive', body: { ...aliveAgain, Incarnation: 4 } });
  expect(pinged('back')).toEqual([]);
});

const aliveAgain = {
  ...{ Node: 'back', Addr: addressOf('back').address, Port: addressOf('back').port, Meta: new Uint8Array(0) },
  Vsn: Uint8Array.of(1, 5, 2, 2, 5, 5),
};
