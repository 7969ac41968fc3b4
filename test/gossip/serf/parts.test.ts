/** Serf's parts alone: clock, coordinates, snapshot, roster, events and queries. */
import { describe, expect, it } from 'vitest';
import { gossipConfig } from '../../../src/gossip/config.ts';
import { Counters } from '../../../src/gossip/metrics.ts';
import type { PoolEvent, PoolTimer, SerfContext } from '../../../src/gossip/serf/context.ts';
import { type Coordinate, CoordinateClient, distance } from '../../../src/gossip/serf/coordinate.ts';
import { fittingKeyResponse, tallyKeyResponses, winsConflict } from '../../../src/gossip/serf/internal-queries.ts';
import { LamportClock } from '../../../src/gossip/serf/lamport.ts';
import { AnswerDesk, QueryRegister } from '../../../src/gossip/serf/queries.ts';
import { Roster } from '../../../src/gossip/serf/roster.ts';
import { compactSnapshot, parseSnapshot } from '../../../src/gossip/serf/snapshot.ts';
import type { UserEvent } from '../../../src/gossip/serf/user-event.ts';
import { UserEventLog } from '../../../src/gossip/serf/user-events.ts';
import { Outbox } from '../../../src/gossip/swim/outbox.ts';
import {
  decodeKeyResponse,
  decodePingPayload,
  decodeSerf,
  encodeConflictResponse,
  encodeFilter,
  encodeKeyResponse,
  type QueryMessage,
} from '../../../src/gossip/wire/serf.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { peer } from '../support/swim-bench.ts';

function context(): SerfContext & { outbox: Outbox<PoolTimer, PoolEvent> } {
  return {
    config: gossipConfig('lan'),
    name: 'me',
    advertise: { address: '10.0.0.1', port: 7946 },
    counters: new Counters(),
    outbox: new Outbox(),
    clocks: { member: new LamportClock(), event: new LamportClock(), query: new LamportClock() },
    random: seededRandom('serf'),
    nowMs: 0,
  };
}

it('a Lamport clock never goes back', () => {
  const clock = new LamportClock();
  expect([clock.take(), clock.take(), clock.time]).toEqual([1, 2, 3]);
  clock.witness(2);
  expect(clock.time).toBe(3);
  clock.witness(3);
  expect(clock.time).toBe(4);
});

describe('coordinates', () => {
  it('start as a real agent sends them', () => {
    const client = new CoordinateClient(seededRandom('v'));
    expect(client.coordinate).toEqual({ Vec: Array(8).fill(0), Error: 1.5, Adjustment: 0, Height: 1e-5 });
  });

  it('learn the round trips of a small world', () => {
    const random = seededRandom('vivaldi');
    const places = [0, 10, 30, 80];
    const clients = places.map((_, i) => new CoordinateClient(random.stream(`c${i}`)));
    const trueMs = (a: number, b: number): number => Math.abs(places[a]! - places[b]!) + 1;
    for (let round = 0; round < 2_000; round++) {
      const [a, b] = random.shuffle([0, 1, 2, 3]);
      clients[a!]!.update(`m${b}`, clients[b!]!.coordinate, trueMs(a!, b!) / 1000);
    }
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [0, 3],
    ] as const) {
      const estimated = distance(clients[a]!.coordinate, clients[b]!.coordinate) * 1000;
      expect(Math.abs(estimated - trueMs(a, b)) / trueMs(a, b), `${a}-${b}: ${estimated}`).toBeLessThan(0.25);
    }
  });

  it.each([
    ['NaN', { Error: Number.NaN }, 0.01],
    ['too few dimensions', { Vec: [0] }, 0.01],
    ['a negative round trip', {}, -0.01],
    ['a round trip of eleven seconds', {}, 11],
  ])('reject %s and stay as they were', (_name, changes, seconds) => {
    const client = new CoordinateClient(seededRandom('v'));
    const before = client.coordinate;
    const bad = { ...before, ...changes } as Coordinate;
    expect([client.update('x', bad, seconds), client.coordinate]).toEqual([false, before]);
  });

  it('an unknown version of the payload is no coordinate', () => {
    expect([decodePingPayload(Uint8Array.of(2, 0x80)), decodePingPayload(null)]).toEqual([undefined, undefined]);
  });
});

describe('snapshot', () => {
  const text = [
    'alive: n one 127.0.0.1:7946',
    'alive: n2 [::1]:7947',
    'clock: 12',
    'event-clock: 3',
    'query-clock: 4',
    'not-alive: n2',
    'coordinate: {"Vec":[0]}',
    '# a comment',
    'garbage',
    '',
  ].join('\n');

  it('is replayed in order; unknown lines are counted', () => {
    const parsed = parseSnapshot(text, false);
    expect([...parsed.alive]).toEqual([['n one', { address: '127.0.0.1', port: 7946 }]]);
    expect([parsed.clock, parsed.eventClock, parsed.queryClock, parsed.unknownLines]).toEqual([12, 3, 4, 1]);
  });

  it('leave forgets everything, unless the member rejoins after it', () => {
    expect(parseSnapshot(`${text}leave\nclock: 13\n`, false)).toMatchObject({
      clock: 13,
      eventClock: 0,
      alive: new Map(),
    });
    expect(parseSnapshot(`${text}leave\n`, true).alive.size).toBe(1);
  });

  it('a compacted one says the same', () => {
    const { unknownLines, ...facts } = parseSnapshot(text, false);
    expect(unknownLines).toBe(1);
    expect(parseSnapshot(compactSnapshot(facts), false)).toEqual({ ...facts, unknownLines: 0 });
  });
});

describe('roster', () => {
  function roster() {
    const ctx = context();
    const heard: string[] = [];
    const one = new Roster(ctx, {
      changed: (change, member) => void heard.push(`${change} ${member.name} ${member.status}`),
      refuteLeave: () => void heard.push('refute'),
      reconnectTimeoutMs: () => ctx.config.reconnectTimeoutMs,
    });
    one.joined(peer('me'));
    one.joined(peer('a'));
    heard.length = 0;
    return { ctx, heard, roster: one };
  }

  it('dead after a leave intent is left, without one failed', () => {
    const { heard, roster: r } = roster();
    r.joined(peer('b'));
    heard.length = 0;
    expect(r.leaveIntent(5, 'a', false)).toBe(true);
    r.left(peer('a', { state: 'left' }));
    r.left(peer('b', { state: 'dead' }));
    expect(heard).toEqual(['leave a left', 'failed b failed']);
  });

  it('intents that overtake the member are kept for it; older ones lose', () => {
    const { roster: r } = roster();
    expect([r.leaveIntent(5, 'x', false), r.joinIntent(4, 'x')]).toEqual([true, false]);
    r.joined(peer('x'));
    expect(r.get('x')?.status).toBe('leaving');
    expect([r.joinIntent(6, 'x'), r.get('x')?.status]).toEqual([true, 'alive']);
    expect(r.leaveIntent(6, 'x', false)).toBe(false);
  });

  it('a false leave of ourselves is refuted, a true one is not', () => {
    const { heard, roster: r } = roster();
    expect([r.leaveIntent(9, 'me', false), r.get('me')?.status]).toEqual([false, 'alive']);
    expect(heard).toEqual(['refute']);
    r.leaving = true;
    expect([r.leaveIntent(10, 'me', false), r.get('me')?.status]).toEqual([true, 'leaving']);
  });

  it('failed members are reaped after a day, left ones too; prune erases at once', () => {
    const { ctx, heard, roster: r } = roster();
    r.left(peer('a', { state: 'dead' }));
    ctx.nowMs = ctx.config.reconnectTimeoutMs;
    r.reap();
    expect(r.get('a')?.status).toBe('failed');
    ctx.nowMs++;
    r.reap();
    expect(heard).toEqual(['failed a failed', 'reap a failed']);
    r.joined(peer('b'));
    r.left(peer('b', { state: 'dead' }));
    r.leaveIntent(50, 'b', true);
    expect([heard.slice(-2), r.get('b')]).toEqual([['leave b left', 'reap b left'], undefined]);
  });
});

describe('user events', () => {
  function log() {
    const ctx = context();
    const heard: UserEvent[] = [];
    return { ctx, heard, log: new UserEventLog(ctx, (event) => heard.push(event)) };
  }
  const event = (LTime: number, Name: string) => ({ LTime, Name, Payload: null, CC: false });

  it('each is delivered once; two of one time are two', () => {
    const { heard, log: l } = log();
    expect([event(5, 'a'), event(5, 'a'), event(5, 'b'), event(4, 'a')].map((one) => l.receive(one))).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(heard.map(({ name }) => name)).toEqual(['a', 'b', 'a']);
  });

  it('what is older than the ring is dropped, since nobody can know it', () => {
    const { ctx, log: l } = log();
    l.receive(event(2_000, 'new'));
    expect([l.receive(event(1_488, 'too old')), l.receive(event(1_489, 'just in'))]).toEqual([false, true]);
    expect(ctx.counters.get('droppedDuplicateEvent')).toBe(1);
  });

  it('the ring travels: another member delivers what it missed, once', () => {
    const first = log();
    first.log.receive(event(7, 'deploy'));
    const second = log();
    second.log.merge(first.log.image());
    second.log.merge(first.log.image());
    expect(second.heard.map(({ name, lamportTime }) => [name, lamportTime])).toEqual([['deploy', 7]]);
  });
});

describe('queries', () => {
  function desk() {
    const ctx = context();
    const sent: string[] = [];
    const delivered: number[] = [];
    const one = new AnswerDesk(
      ctx,
      {
        send: (to, body) => {
          const decoded = decodeSerf(body);
          sent.push(`${to.address} ${decoded.ok ? decoded.message.kind : 'bad'}`);
        },
        relays: (count) => [peer('r1', { address: '10.7.7.7' })].slice(0, count),
      },
      () => ({ role: 'db' }),
      (query) => void delivered.push(query.answer),
    );
    return { ctx, sent, delivered, desk: one };
  }
  const query = (changes: Partial<QueryMessage> = {}): QueryMessage => ({
    LTime: 3,
    ID: 9,
    Addr: '10.5.5.5',
    Port: 7946,
    SourceNode: 'asker',
    Filters: null,
    Flags: 1,
    RelayFactor: 0,
    Timeout: 1e9,
    Name: 'load',
    Payload: null,
    ...changes,
  });

  it('is acknowledged and delivered once, and told on', () => {
    const { sent, delivered, desk: d } = desk();
    expect([d.receive(query()), d.receive(query())]).toEqual([true, false]);
    expect([sent, delivered]).toEqual([['10.5.5.5 queryResponse'], [1]]);
  });

  it.each([
    ['another name', encodeFilter({ kind: 'nodes', names: ['other'] }), false],
    ['our name', encodeFilter({ kind: 'nodes', names: ['other', 'me'] }), true],
    ['our tag', encodeFilter({ kind: 'tag', tag: 'role', expression: '^d' }), true],
    ['a missing tag is empty', encodeFilter({ kind: 'tag', tag: 'zone', expression: '^$' }), true],
    ['a broken expression', encodeFilter({ kind: 'tag', tag: 'role', expression: '(' }), false],
    ['an unknown filter', Uint8Array.of(9, 0x80), false],
  ])('filter for %s', (_name, filter, forUs) => {
    const { delivered, desk: d } = desk();
    expect(d.receive(query({ Filters: [filter] }))).toBe(true);
    expect(delivered.length).toBe(forUs ? 1 : 0);
  });

  it('is answered once, not too long, not too late; relays carry a copy', () => {
    const { sent, desk: d } = desk();
    d.receive(query({ Flags: 2, RelayFactor: 1 }));
    expect(d.respond(1, new Uint8Array(2_000))).toEqual({ ok: false, error: 'query-response-too-large' });
    expect(d.respond(1, new Uint8Array(10)).ok).toBe(true);
    expect(sent).toEqual(['10.5.5.5 queryResponse', '10.7.7.7 relay']);
    expect(d.respond(1, new Uint8Array(10))).toEqual({ ok: false, error: 'query-already-answered' });
    d.over(1);
    expect(d.respond(1, new Uint8Array(10))).toEqual({ ok: false, error: 'query-timed-out' });
  });

  it('the asker takes each answer once, and only to its own question', () => {
    const ctx = context();
    const heard: string[] = [];
    const register = new QueryRegister(ctx, (event) => heard.push(event.kind));
    const asked = register.ask('load', new Uint8Array(0), { requestAck: true }, 2);
    if (!asked.ok) throw new Error(asked.error);
    const { LTime, ID } = asked.value.message;
    const answer = { LTime, ID, From: 'a', Flags: 0, Payload: null };
    register.receive(answer);
    register.receive(answer);
    register.receive({ ...answer, Flags: 1 });
    register.receive({ ...answer, From: 'b', ID: ID + 1 });
    register.over(asked.value.query);
    register.receive({ ...answer, From: 'c' });
    expect(heard).toEqual(['queryResponse', 'queryAck', 'queryOver']);
    expect([ctx.counters.get('queryResponsesDropped'), asked.value.timeoutMs]).toEqual([3, 3_200]);
  });
});

describe('internal queries', () => {
  const record = (Addr: string) =>
    encodeConflictResponse({
      Name: 'me',
      Addr,
      Port: 1,
      Tags: new Map(),
      Status: 1,
      ProtocolMin: 1,
      ProtocolMax: 5,
      ProtocolCur: 2,
      DelegateMin: 2,
      DelegateMax: 5,
      DelegateCur: 5,
    });
  const self = { address: '10.0.0.1', port: 1 };

  it.each([
    ['nobody answers: one forged packet must not stop a lone member', [], true],
    ['a majority means us', ['10.0.0.1', '10.0.0.1', '10.9.9.9'], true],
    ['a tie is no majority', ['10.0.0.1', '10.9.9.9'], false],
    ['a majority means the other', ['10.9.9.9'], false],
  ])('name conflict: %s', (_name, addresses, stays) => {
    expect(
      winsConflict(
        self,
        addresses.map((address) => ({ payload: record(address) })),
      ),
    ).toBe(stays);
  });

  it('a key list that does not fit is shortened, and says so', () => {
    const Keys = Array.from({ length: 40 }, (_, i) => `key-${i}`.padEnd(44, '='));
    const bytes = fittingKeyResponse({ Result: true, Message: '', Keys, PrimaryKey: Keys[0]! }, 900);
    const shortened = decodeKeyResponse(bytes)!;
    expect(bytes.length).toBeLessThanOrEqual(900);
    expect(shortened.Message).toBe(`truncated key list response, showing first ${shortened.Keys!.length} of 40 keys`);
  });

  it('answers are tallied', () => {
    const good = encodeKeyResponse({ Result: true, Message: '', Keys: ['k'], PrimaryKey: 'k' });
    const bad = encodeKeyResponse({ Result: false, Message: 'no', Keys: null, PrimaryKey: '' });
    const result = tallyKeyResponses(4, [
      { from: 'a', payload: good },
      { from: 'b', payload: bad },
      { from: 'c', payload: Uint8Array.of(1) },
    ]);
    expect(result).toMatchObject({ members: 4, responses: 3, errors: 2, keys: { k: 1 }, primaryKeys: { k: 1 } });
    expect(result.messages.b).toBe('no');
  });
});
