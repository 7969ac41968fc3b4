/** A state, one input, the exact effects: the rules of SWIM §4.2 and Lifeguard as memberlist applies them. */
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/gossip/wire/messages.ts';
import { addressOf, peer, SwimBench, vsn } from '../support/swim-bench.ts';

const pool = (): ReturnType<typeof peer>[] => ['n1', 'n2', 'n3', 'n4'].map((name) => peer(name));
const alive = (Node: string, Incarnation: number, changes: object = {}): Message => ({
  kind: 'alive',
  body: { Node, Incarnation, Addr: addressOf(Node).address, Port: 7946, Meta: new Uint8Array(0), Vsn: vsn, ...changes },
});
const suspect = (Node: string, Incarnation: number, From: string): Message => ({
  kind: 'suspect',
  body: { Node, Incarnation, From },
});
const dead = (Node: string, Incarnation: number, From: string): Message => ({
  kind: 'dead',
  body: { Node, Incarnation, From },
});

describe('what overrides what', () => {
  it.each([
    { name: 'suspect of the same incarnation', heard: [suspect('n1', 1, 'n2')], state: 'suspect 1' },
    { name: 'suspect of an older one', heard: [alive('n1', 5), suspect('n1', 4, 'n2')], state: 'alive 5' },
    {
      name: 'alive of the same does not clear a suspicion',
      heard: [suspect('n1', 1, 'n2'), alive('n1', 1)],
      state: 'suspect 1',
    },
    { name: 'alive of a higher one does', heard: [suspect('n1', 1, 'n2'), alive('n1', 2)], state: 'alive 2' },
    { name: 'dead by another', heard: [dead('n1', 1, 'n2')], state: 'dead 1' },
    { name: 'dead by its own word', heard: [dead('n1', 1, 'n1')], state: 'left 1' },
    { name: 'left does not upgrade dead', heard: [dead('n1', 1, 'n2'), dead('n1', 1, 'n1')], state: 'dead 1' },
    { name: 'alive of a higher one revives', heard: [dead('n1', 1, 'n2'), alive('n1', 2)], state: 'alive 2' },
    { name: 'suspect does not revive', heard: [dead('n1', 1, 'n2'), suspect('n1', 9, 'n2')], state: 'dead 1' },
    {
      name: 'an accusation that could not be refuted is forged',
      heard: [dead('n1', 0xffff_ffff, 'n2')],
      state: 'alive 1',
    },
  ])('$name', ({ heard, state }) => {
    const bench = new SwimBench(pool());
    for (const message of heard) bench.hear(message);
    expect(bench.stateOf('n1')).toBe(state);
  });

  it.each([
    ['incarnation 0', alive('new', 0)],
    ['no versions', alive('new', 1, { Vsn: null })],
    ['impossible versions', alive('new', 1, { Vsn: Uint8Array.of(5, 1, 2, 2, 5, 5) })],
    ['no address', alive('new', 1, { Addr: '' })],
    ['no name', alive('', 1)],
    ['suspect of an unknown', suspect('new', 1, 'n1')],
    ['dead of an unknown', dead('new', 1, 'n1')],
  ])('a member is not born from: %s', (_name, message) => {
    const bench = new SwimBench(pool()).hear(message);
    expect([bench.stateOf('new'), bench.stateOf('')]).toEqual([undefined, undefined]);
  });
});

describe('refutation', () => {
  it.each([
    ['suspect', suspect('me', 1, 'n1'), 2],
    ['dead', dead('me', 7, 'n1'), 8],
    ['dead by our own name', dead('me', 3, 'me'), 4],
    ['an earlier life', alive('me', 4, { Meta: Uint8Array.of(1) }), 5],
  ])('%s: alive with an incarnation above it, and the health score rises', (_name, accusation, incarnation) => {
    const bench = new SwimBench(pool()).hear(accusation);
    expect(bench.stateOf('me')).toBe(`alive ${incarnation}`);
    expect(bench.gossiped()).toMatchObject([{ kind: 'alive', body: { Node: 'me', Incarnation: incarnation } }]);
    expect([bench.swim.healthScore, bench.counters.get('refutations')]).toEqual([1, 1]);
  });

  it('not while leaving', () => {
    const bench = new SwimBench(pool()).do((swim, now) => swim.leave('t', now));
    expect(bench.stateOf('me')).toBe('left 1');
    bench.hear(suspect('me', 1, 'n1')).hear(alive('me', 9));
    expect(bench.stateOf('me')).toBe('left 1');
  });
});

describe('names', () => {
  const moved = { Addr: '10.9.9.9' };

  it('a living member keeps its name: the claim is a conflict', () => {
    const bench = new SwimBench(pool()).hear(alive('n1', 9, moved));
    expect([bench.told.at(-1), bench.swim.get('n1')?.address]).toEqual(['conflict n1 alive', addressOf('n1').address]);
  });

  it.each([
    { name: 'its own successor is taken in the moment that it is known to be dead', same: true, address: '10.9.9.9' },
    { name: 'a stranger is not', same: false, address: addressOf('n1').address },
  ])('$name', ({ same, address }) => {
    const bench = new SwimBench(pool(), {}, { sameOwner: () => same });
    bench.hear(alive('n1', 1, moved));
    expect(bench.swim.get('n1')?.address).toBe(addressOf('n1').address);
    bench.hear(dead('n1', 1, 'n2'));
    expect(bench.swim.get('n1')?.address).toBe(address);
    bench.hear(alive('n1', 2, moved));
    expect([bench.swim.get('n1')?.address, bench.swim.get('n1')?.state === 'alive']).toEqual([address, same]);
  });

  it('a successor is forgotten when the old one speaks', () => {
    const bench = new SwimBench(pool(), {}, { sameOwner: () => true });
    bench
      .hear(alive('n1', 1, moved))
      .hear(alive('n1', 2))
      .hear(dead('n1', 2, 'n2'));
    expect([bench.stateOf('n1'), bench.swim.get('n1')?.address]).toEqual(['dead 2', addressOf('n1').address]);
  });

  it('so does a dead one, unless reclaim is allowed and time has passed', () => {
    const never = new SwimBench(pool())
      .hear(dead('n1', 1, 'n2'))
      .at(9e9)
      .hear(alive('n1', 2, moved));
    expect(never.stateOf('n1')).toBe('dead 1');
    const allowed = new SwimBench(pool(), { deadNodeReclaimMs: 30_000 }).hear(dead('n1', 1, 'n2'));
    allowed.at(29_000).hear(alive('n1', 2, moved));
    expect(allowed.stateOf('n1')).toBe('dead 1');
    allowed.at(30_001).hear(alive('n1', 1, moved));
    expect([allowed.stateOf('n1'), allowed.swim.get('n1')?.address]).toEqual(['alive 1', '10.9.9.9']);
  });

  it('a member that left gives it up at once', () => {
    const bench = new SwimBench(pool()).hear(dead('n1', 1, 'n1')).hear(alive('n1', 1, moved));
    expect(bench.stateOf('n1')).toBe('alive 1');
  });

  it('an IPv4 address in sixteen bytes is another address', () => {
    const bench = new SwimBench(pool()).hear(alive('n1', 2, { Addr: `::ffff:${addressOf('n1').address}` }));
    expect(bench.counters.get('conflicts')).toBe(1);
  });
});

describe('a probe', () => {
  /** Begins one and gives the sequence number and the target. */
  function begun(bench: SwimBench): { seqNo: number; target: string } {
    const [first] = bench.at(1_000).fire('probe').sent();
    if (first?.message.kind !== 'ping') throw new Error('no ping');
    return { seqNo: first.message.body.SeqNo, target: first.message.body.Node };
  }

  it('answered in time gives a round trip', () => {
    const bench = new SwimBench(pool());
    const { seqNo, target } = begun(bench);
    bench.at(1_012).hear({ kind: 'ack', body: { SeqNo: seqNo, Payload: null } });
    expect(bench.told).toEqual([`acked ${target} 12`]);
    bench.hear({ kind: 'ack', body: { SeqNo: seqNo, Payload: null } });
    expect(bench.counters.get('droppedUnexpectedAck')).toBe(1);
  });

  it('without answer asks three others and TCP, then suspects; missing nacks lower our own standing', () => {
    const bench = new SwimBench(pool());
    const { seqNo, target } = begun(bench);
    const asked = bench.at(1_500).fire('probeTimeout').sent();
    expect(asked.map(({ message }) => [message.kind, message.kind === 'indirectPing' && message.body.Node])).toEqual(
      Array(3).fill(['indirectPing', target]),
    );
    expect(bench.streams()).toMatchObject([{ message: { kind: 'ping', body: { SeqNo: seqNo } }, timeoutMs: 500 }]);
    bench.hear({ kind: 'nack', body: { SeqNo: seqNo } });
    bench.at(2_000).fire('probeEnd');
    expect([bench.stateOf(target), bench.swim.healthScore]).toEqual(['suspect 1', 2]);
  });

  it('answered through a helper is no round trip, and no suspicion', () => {
    const bench = new SwimBench(pool());
    const { seqNo, target } = begun(bench);
    bench
      .at(1_500)
      .fire('probeTimeout')
      .hear({ kind: 'ack', body: { SeqNo: seqNo, Payload: null } });
    bench.at(2_000).fire('probeEnd');
    expect([bench.stateOf(target), bench.told]).toEqual(['alive 1', []]);
  });

  it('answered over TCP only is saved', () => {
    const bench = new SwimBench(pool());
    const { seqNo, target } = begun(bench);
    bench.at(1_500).fire('probeTimeout');
    const [stream] = bench.streams();
    if (stream?.kind !== 'exchange') throw new Error('no stream');
    const ack = { kind: 'ack', body: { SeqNo: seqNo, Payload: null } } as const;
    bench.do((swim, now) => swim.exchangeDone(stream.exchange, ack, '', now));
    bench.at(2_000).fire('probeEnd');
    expect([bench.stateOf(target), bench.counters.get('probesSavedByTcp')]).toEqual(['alive 1', 1]);
  });

  it('of a suspect carries the accusation, with a checksum, so that it can refute', () => {
    const bench = new SwimBench([peer('n1')]);
    bench.hear(suspect('n1', 1, 'n1'));
    const [ping, accusation] = bench.at(1_000).fire('probe').sent();
    expect([ping?.message.kind, accusation?.message]).toEqual(['ping', suspect('n1', 1, 'me')]);
  });

  it('that our own standstill spoilt gets a second look', () => {
    const bench = new SwimBench(pool());
    const { target } = begun(bench);
    bench.at(9_000).fire('probeTimeout', 7_500);
    expect([bench.sent(), bench.swim.healthScore]).toEqual([[], 1]);
    bench.at(9_500).fire('probeTimeout');
    expect(bench.sent().some(({ message }) => message.kind === 'indirectPing')).toBe(true);
    expect(bench.stateOf(target)).toBe('alive 1');
  });
});

it.each([
  { delays: [[1_000, 99]], score: 0 },
  { delays: [[1_000, 101]], score: 1 },
  // One standstill, seen twice.
  {
    delays: [
      [1_000, 500],
      [1_500, 500],
    ],
    score: 1,
  },
  {
    delays: [
      [1_000, 500],
      [2_000, 500],
    ],
    score: 2,
  },
])('a delay of the event loop is a sign that we are slow: $delays', ({ delays, score }) => {
  const bench = new SwimBench(pool());
  for (const [atMs, delayMs] of delays) bench.at(atMs!).do((swim, nowMs) => swim.loopDelay(delayMs!, nowMs));
  expect(bench.swim.healthScore).toBe(score);
});

describe('answers', () => {
  it('a ping for another name is not ours', () => {
    const body = { SeqNo: 3, Node: 'other', SourceAddr: '', SourcePort: 0, SourceNode: '' };
    const bench = new SwimBench(pool()).hear({ kind: 'ping', body });
    expect([bench.sent(), bench.counters.get('droppedWrongTarget')]).toEqual([[], 1]);
  });

  it('a ping is answered to the source it names, or to where it came from', () => {
    const body = { SeqNo: 3, Node: 'me', SourceAddr: '10.1.1.1', SourcePort: 99, SourceNode: 'x' };
    const bench = new SwimBench(pool()).hear({ kind: 'ping', body }, { address: '10.2.2.2', port: 1 });
    bench.hear({ kind: 'ping', body: { ...body, SourceAddr: '' } }, { address: '10.2.2.2', port: 1 });
    expect(bench.sent().map(({ to }) => to)).toEqual(['10.1.1.1', '10.2.2.2']);
  });

  it('an indirect ping is passed on; its ack comes back, or a nack after the timeout', () => {
    const body = {
      SeqNo: 40,
      Target: '10.3.3.3',
      Port: 7946,
      Node: 'n9',
      Nack: true,
      SourceAddr: '10.1.1.1',
      SourcePort: 99,
      SourceNode: 'x',
    };
    const bench = new SwimBench(pool()).hear({ kind: 'indirectPing', body });
    const [ping] = bench.sent();
    if (ping?.message.kind !== 'ping') throw new Error('no ping');
    expect([ping.to, ping.message.body.Node]).toEqual(['10.3.3.3', 'n9']);
    bench.hear({ kind: 'ack', body: { SeqNo: ping.message.body.SeqNo, Payload: null } });
    expect(bench.sent()).toEqual([{ to: '10.1.1.1', message: { kind: 'ack', body: { SeqNo: 40, Payload: null } } }]);
    bench.hear({ kind: 'indirectPing', body }).sent();
    bench.fire('relayTimeout');
    expect(bench.sent()).toEqual([{ to: '10.1.1.1', message: { kind: 'nack', body: { SeqNo: 40 } } }]);
  });
});

describe('suspicion in the core', () => {
  it('ends in death at its time, and a stale timer means nothing', () => {
    const bench = new SwimBench(pool())
      .hear(suspect('n1', 1, 'n2'))
      .hear(alive('n1', 2))
      .hear(suspect('n1', 2, 'n2'));
    bench.at(23_999).fire('suspicion');
    expect(bench.stateOf('n1')).toBe('suspect 2');
    bench.at(24_000).fire('suspicion');
    expect([bench.stateOf('n1'), bench.told]).toEqual(['dead 2', ['left n1 dead']]);
  });

  it('confirmations shorten it', () => {
    const bench = new SwimBench(pool()).hear(suspect('n1', 1, 'n2'));
    bench
      .at(1_000)
      .hear(suspect('n1', 1, 'n3'))
      .hear(suspect('n1', 1, 'n4'));
    bench.at(4_000).fire('suspicion');
    expect(bench.stateOf('n1')).toBe('dead 1');
  });
});

describe('push-pull', () => {
  const node = (Name: string, State: number, Incarnation = 1, Vsn: Uint8Array | null = vsn) => ({
    Name,
    State,
    Incarnation,
    Addr: addressOf(Name).address,
    Port: 7946,
    Meta: null,
    Vsn,
  });
  const receive = (bench: SwimBench, Nodes: ReturnType<typeof node>[]): SwimBench =>
    bench.do((swim, now) => {
      const body = { Join: true, Nodes, UserState: new Uint8Array(0) };
      swim.streamMessage(1, { kind: 'pushPull', body }, now);
    });

  it('answers with everything before it merges', () => {
    const bench = receive(new SwimBench(pool()), [node('new', 0)]);
    const [reply] = bench.streams();
    if (reply?.message?.kind !== 'pushPull') throw new Error('no reply');
    expect(reply.message.body.Nodes.map(({ Name }) => Name).sort()).toEqual(['me', 'n1', 'n2', 'n3', 'n4']);
    expect(bench.stateOf('new')).toBe('alive 1');
  });

  it('takes dead as suspect on its own account, left as left', () => {
    const bench = receive(new SwimBench(pool()), [node('n1', 2), node('n2', 3), node('n3', 1)]);
    expect(['n1', 'n2', 'n3'].map((name) => bench.stateOf(name))).toEqual(['suspect 1', 'left 1', 'suspect 1']);
  });

  it.each([
    ['without versions', null],
    ['of a protocol nobody speaks', Uint8Array.of(1, 9, 7, 2, 5, 5)],
  ])('is refused with a record %s, and changes nothing', (_name, bad) => {
    const bench = receive(new SwimBench(pool()), [node('new', 0), node('bad', 2, 1, bad)]);
    expect([bench.stateOf('new'), bench.counters.get('pushPullsRefused')]).toEqual([undefined, 1]);
  });

  it('is refused by the admission rule, with the reason', () => {
    const bench = new SwimBench(pool(), {}, { admitAll: () => 'another datacenter' });
    bench.do((swim, now) => swim.join(addressOf('n1'), 7, now));
    const [stream] = bench.streams();
    if (stream?.kind !== 'exchange') throw new Error('no stream');
    const body = { Join: true, Nodes: [node('new', 0)], UserState: new Uint8Array(0) };
    bench.do((swim, now) => swim.exchangeDone(stream.exchange, { kind: 'pushPull', body }, '', now));
    expect([bench.stateOf('new'), bench.told.at(-1)]).toEqual([undefined, 'joinDone 7 join-refused']);
  });
});
