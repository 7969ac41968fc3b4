/** Real members on loopback, without any other software: pools, strangers, hostile bytes, options. */
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type GossipError,
  GossipNode,
  type GossipOptions,
  gossipConfig,
  SocketTransport,
  type Transport,
  type UserEvent,
} from '../../src/gossip/index.ts';
import { encodeMessage } from '../../src/gossip/wire/messages.ts';
import { encodeCompress } from '../../src/gossip/wire/packet.ts';
import { capture, captures } from './support/captures.ts';
import { once, until } from './support/until.ts';

const nodes: GossipNode[] = [];
const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const otherKey = 'EBESExQVFhcYGRobHB0eHw==';
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

async function open(name: string, options: Partial<GossipOptions> = {}): Promise<GossipNode> {
  const node = await GossipNode.open({ name, bindAddress: '127.0.12.1', bindPort: 0, profile: 'local', ...options });
  nodes.push(node);
  return node;
}
const at = (node: GossipNode): string => `127.0.12.1:${node.local().port}`;
const names = (node: GossipNode): string[] =>
  node
    .members()
    .map(({ name }) => name)
    .sort();
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: GossipError) => error.code,
  );

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

describe('a pool', () => {
  it('forms, spreads an event, answers a query, loses one member and sees one leave', async () => {
    const pool = [await open('a'), await open('b'), await open('c'), await open('d')];
    const [a, b, c, d] = pool as [GossipNode, GossipNode, GossipNode, GossipNode];
    const heard = pool.map((node) =>
      once<UserEvent>(
        (call) => node.on('userEvent', call),
        () => true,
        `event at ${node.local().name}`,
      ),
    );
    for (const node of pool) node.on('query', (query) => query.respond(bytes(node.local().name)));
    for (const node of [b, c, d]) expect((await node.join([at(a)])).joined).toBe(1);
    await until(() => pool.every((node) => names(node).length === 4), 'all to know all');
    b.userEvent('deploy', bytes('v1'));
    expect((await Promise.all(heard)).map(({ name }) => name)).toEqual(Array(4).fill('deploy'));
    // Nothing repairs a query that gossip did not carry to somebody (two transmissions each, here): it is asked again.
    const answers = new Set<string>();
    while (answers.size < 4) {
      const query = c.query('who', bytes(''), { requestAck: true });
      for await (const { from } of query) if (answers.add(from).size === 4) query.close();
    }
    expect([...answers].sort()).toEqual(['a', 'b', 'c', 'd']);
    await d.leave();
    await until(() => [a, b, c].every((node) => node.member('d')?.status === 'left'), 'the leave');
    await c.stop();
    await until(() => [a, b].every((node) => node.member('c')?.status === 'failed'), 'the failure');
    expect(a.stats()).toMatchObject({ members: '4', failed: '1', left: '1' });
  });

  it('join fails only when nobody answers, and says why', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const result = await b.join(['127.0.12.1:1', at(a)]);
    expect([result.joined, result.errors.map(({ address }) => address)]).toEqual([1, ['127.0.12.1:1']]);
    expect(await code(b.join(['127.0.12.1:1']))).toBe('join-failed');
    expect(await code(b.join(['nonsense:port']))).toBe('join-failed');
  });

  it('admission: a refused member stays outside, for both sides', async () => {
    const a = await open('a', { admit: (member) => (member.tags.dc === 'dc1' ? undefined : 'another datacenter') });
    const b = await open('b', { tags: { dc: 'dc2' } });
    await b.join([at(a)]);
    expect([names(a), a.metrics.get('droppedNotAdmitted') > 0]).toEqual([['a'], true]);
    const cidr = await open('c', { allowedCidrs: ['10.0.0.0/8'] });
    await b.join([at(cidr)]);
    expect(names(cidr)).toEqual(['c']);
  });

  it('a callback that throws is counted, and the others still hear', async () => {
    const a = await open('a');
    let heard = 0;
    a.on('userEvent', () => {
      throw new Error('a bug');
    });
    a.on('userEvent', () => heard++);
    a.userEvent('x', bytes(''));
    expect([heard, a.metrics.get('internalFailures')]).toEqual([1, 1]);
  });
});

describe('pools that share a network', () => {
  it('labels: equal ones join, encrypted or not; others and none do not', async () => {
    for (const keyring of [undefined, [key]]) {
      const [a, b, c, d] = [
        await open('a', { label: 'blue', keyring }),
        await open('b', { label: 'blue', keyring }),
        await open('c', { label: 'red', keyring }),
        await open('d', { keyring }),
      ];
      await b.join([at(a)]);
      expect([names(a), names(b)]).toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ]);
      expect(await code(c.join([at(a)]))).toBe('join-failed');
      expect(await code(d.join([at(a)]))).toBe('join-failed');
      expect([names(a), a.metrics.get('droppedLabel')]).toEqual([['a', 'b'], 2]);
    }
  });

  it('keys: another key or none stays outside', async () => {
    const a = await open('a', { keyring: [key] });
    expect(await code((await open('b', { keyring: [otherKey] })).join([at(a)]))).toBe('join-failed');
    expect(await code((await open('c')).join([at(a)]))).toBe('join-failed');
    await (await open('d', { keyring: [otherKey, key] })).join([at(a)]).catch(() => undefined);
    expect(names(a)).toEqual(['a']);
    const e = await open('e', { keyring: [key, otherKey] });
    await e.join([at(a)]);
    expect(names(a)).toEqual(['a', 'e']);
  });

  it('keys that are not enforced yet: a keyed member joins a pool without', async () => {
    const plain = await open('plain');
    const halfway = await open('halfway', {
      keyring: [key],
      encryptVerifyIncoming: false,
      encryptVerifyOutgoing: false,
    });
    await halfway.join([at(plain)]);
    expect(names(plain)).toEqual(['halfway', 'plain']);
  });
});

describe('keys on disk', () => {
  it('the file is made private, changes with the pool, and wins at the next start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-keys-'));
    const keyringPath = join(folder, 'keyring.json');
    const a = await open('a', { keyring: [key], keyringPath });
    expect(statSync(keyringPath).mode & 0o777).toBe(0o600);
    await a.keys.install(otherKey);
    await a.keys.use(otherKey);
    expect(JSON.parse(readFileSync(keyringPath, 'utf8'))).toEqual([otherKey, key]);
    await a.stop();
    const again = await open('a', { keyring: [key], keyringPath });
    expect((await again.keys.list()).primaryKeys).toEqual({ [otherKey]: 1 });
    expect(await code(again.keys.remove(otherKey))).toBe('key-operation-failed');
    rmSync(folder, { recursive: true });
  });

  it('a key operation without encryption fails and says so', async () => {
    const a = await open('a');
    const failed = await a.keys.list().catch((error: GossipError) => error);
    expect(failed).toMatchObject({ code: 'key-operation-failed' });
  });
});

describe('relays', () => {
  it('carry answers that the direct way loses, for queries and for key operations', async () => {
    const [a, c] = [await open('a', { keyring: [key] }), await open('c', { keyring: [key] })];
    const real = new SocketTransport();
    // From b nothing comes straight to a any more.
    let cut = false;
    const transport: Transport = {
      listen: (bind, handlers) => real.listen(bind, handlers),
      send: (sent, to, failed) => (cut && to.port === a.local().port ? undefined : real.send(sent, to, failed)),
      dial: (to, timeoutMs) => real.dial(to, timeoutMs),
      close: () => real.close(),
    };
    const b = await GossipNode.open(
      { name: 'b', bindAddress: '127.0.12.1', bindPort: 0, profile: 'local', keyring: [key] },
      { transport },
    );
    nodes.push(b);
    for (const node of [b, c]) await node.join([at(a)]);
    await until(() => nodes.every((node) => names(node).length === 3), 'all to know all');
    cut = true;
    await expect(a.keys.list()).rejects.toThrow('2/3 nodes reported success');
    expect((await a.keys.list({ relayFactor: 2 })).keys).toEqual({ [key]: 3 });
  });
});

/** 1,400 bytes and the checksum. */
const bytesMax = 1_405;

it.each([
  { how: 'plain', more: {} },
  { how: 'encrypted, with a label', more: { keyring: [key], label: 'a pool' } },
])('no packet is larger than a network carries in one piece, whatever is to be told: $how', async ({ more }) => {
  const real = new SocketTransport();
  const sizes: number[] = [];
  const transport: Transport = {
    listen: (bind, handlers) => real.listen(bind, handlers),
    send: (sent, to, failed) => {
      sizes.push(sent.length);
      real.send(sent, to, failed);
    },
    dial: (to, timeoutMs) => real.dial(to, timeoutMs),
    close: () => real.close(),
  };
  const config = { compression: false };
  const a = await GossipNode.open(
    { name: 'a', bindAddress: '127.0.12.1', bindPort: 0, profile: 'local', config, ...more },
    { transport },
  );
  nodes.push(a);
  const b = await open('b', { config, ...more });
  await b.join([at(a)]);
  const heard = new Set<string>();
  b.on('userEvent', (event) => heard.add(event.name));
  for (let i = 0; i < 60; i++) a.userEvent(`e${i}`, new Uint8Array(Math.min(i * 8, 400)));
  await until(() => heard.size === 60, 'all events to arrive');
  expect(Math.max(...sizes)).toBeGreaterThan(1_200);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax);
});

it('a process that is held up knows that it is slow: its health score rises', async () => {
  // Alone, so that no answered probe lowers it again.
  const a = await open('a');
  const score = (): number => Number(a.stats().health_score);
  const before = score();
  const end = performance.now() + 400;
  while (performance.now() < end);
  await until(() => score() > before, 'the score to rise');
});

describe('hostile bytes', () => {
  async function shower(node: GossipNode, packets: readonly Uint8Array[]): Promise<void> {
    const socket = createSocket('udp4');
    for (const packet of packets) {
      await new Promise((resolve) => socket.send(packet, node.local().port, '127.0.12.1', resolve));
    }
    socket.close();
  }

  it('damaged, oversized, replayed and foreign packets are counted, and the member goes on', async () => {
    const [a, b] = [await open('a'), await open('b')];
    await b.join([at(a)]);
    const crc = capture('09').raw.slice();
    crc[8]! ^= 1;
    const ack = encodeMessage({ kind: 'ack', body: { SeqNo: 4_000_000_000, Payload: null } });
    const packets = [
      crc,
      Uint8Array.of(99, 1, 2),
      capture('13').raw.subarray(0, 60),
      Uint8Array.of(4, 0xc1),
      encodeCompress(new Uint8Array(2_000_000)),
      ack,
      ack,
      new Uint8Array(60_000).fill(7),
      Uint8Array.of(244, 3, 1, 2, 3, 0),
      new Uint8Array(0),
      ...captures.flatMap(({ raw }) => (raw.length < 1_500 ? [raw, raw] : [])),
    ];
    await shower(a, packets);
    const counted = [
      'droppedCrc',
      'droppedUnknownType',
      'droppedTruncated',
      'droppedMalformed',
      'droppedTooLarge',
    ] as const;
    await until(() => counted.every((name) => a.metrics.get(name) > 0), 'all kinds to be counted');
    await until(() => a.metrics.get('droppedUnexpectedAck') > 1, 'the replay to be counted');
    const heard = once<UserEvent>(
      (call) => b.on('userEvent', call),
      (event) => event.name === 'still',
      'an event',
    );
    a.userEvent('still', bytes('here'));
    expect((await heard).name).toBe('still');
  });

  it('streams that lie about lengths, stall or reset leave nothing open', async () => {
    const a = await open('a', { config: { tcpTimeoutMs: 300, streamsMax: 4 } });
    const talk = (payload: Uint8Array, end: 'wait' | 'reset'): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(a.local().port, '127.0.12.1', () => {
          socket.write(payload);
          if (end === 'reset') socket.resetAndDestroy();
        });
        socket.on('error', () => socket.destroy());
        socket.on('data', () => {});
        socket.on('end', () => socket.end());
        socket.on('close', () => resolve());
      });
    const whole = capture('20').plain;
    await talk(whole.subarray(0, 100), 'wait');
    await talk(whole.subarray(0, 100), 'reset');
    await talk(Uint8Array.of(10, 0xff, 0xff, 0xff, 0xff, 1, 2), 'wait');
    await talk(Uint8Array.of(99), 'wait');
    await talk(Uint8Array.of(6, 0x83, 0xa5, ...bytes('Nodes'), 0xce, 0xff, 0xff, 0xff, 0xff), 'wait');
    await Promise.all(Array.from({ length: 8 }, () => talk(whole.subarray(0, 50), 'wait')));
    expect(a.metrics.get('streamsRefused')).toBeGreaterThan(0);
    await (await open('b')).join([at(a)]);
    expect(names(a)).toContain('b');
  });

  it('a forged alive for our name does not stop a lone member', async () => {
    const a = await open('a');
    const body = {
      Node: 'a',
      Incarnation: 9,
      Addr: '10.9.9.9',
      Port: 1,
      Meta: null,
      Vsn: Uint8Array.of(1, 5, 2, 2, 5, 5),
    };
    await shower(a, [encodeMessage({ kind: 'alive', body })]);
    await until(() => a.metrics.get('conflicts') > 0, 'the conflict');
    expect(await code(a.setTags({ alive: 'yes' }))).toBe('no error');
  });

  it('two members of one name: the newcomer learns from the pool that it must go', async () => {
    const [a, b, c] = [await open('same'), await open('b'), await open('c')];
    await b.join([at(a)]);
    await c.join([at(a)]);
    await until(() => names(c).length === 3 && names(b).length === 3, 'the pool');
    const impostor = await open('same');
    const gone = once<{ reason: string }>(
      (call) => impostor.on('shutdown', call),
      () => true,
      'the newcomer to stop',
    );
    await impostor.join([at(b)]).catch(() => undefined);
    expect((await gone).reason).toContain('belongs to another member');
    expect(a.member('b')?.status).toBe('alive');
  });
});

describe('options', () => {
  it.each([
    ['a name with a blank', { name: 'a b' }],
    ['a host name to bind', { bindAddress: 'localhost' }],
    ['a short key', { keyring: ['AAAA'] }],
    ['tags too large', { tags: { t: 'x'.repeat(600) } }],
    ['a timeout above its interval', { config: { probeTimeoutMs: 2_000 } }],
    ['a network that is none', { allowedCidrs: ['10.0.0.0/99'] }],
  ])('%s is refused before anything starts', async (_name, options) => {
    const failed = GossipNode.open({ name: 'a', bindAddress: '127.0.12.1', bindPort: 0, ...options });
    expect(await code(failed)).toBe('bad-option');
  });

  it('a taken port is bind-failed', async () => {
    const a = await open('a');
    expect(await code(GossipNode.open({ name: 'b', bindAddress: '127.0.12.1', bindPort: a.local().port }))).toBe(
      'bind-failed',
    );
  });

  it('too large tags, events and queries are refused and change nothing', async () => {
    const a = await open('a', { tags: { v: '1' } });
    expect(await code(a.setTags({ t: 'x'.repeat(600) }))).toBe('tags-too-large');
    expect(a.local().tags).toEqual({ v: '1' });
    expect(() => a.userEvent('x', new Uint8Array(600))).toThrow(/limit/);
    expect(() => a.query('x', new Uint8Array(2_000))).toThrow(/limit/);
    expect(await code(a.forceLeave('nobody'))).toBe('no-such-member');
  });

  it('after stop everything says stopped', async () => {
    const a = await open('a');
    await a.stop();
    expect(await code(a.join(['127.0.12.1:1']))).toBe('stopped');
    expect(() => a.userEvent('x', bytes(''))).toThrow(/stopped/);
  });

  it('profiles differ as memberlist has it', () => {
    const interesting = (profile: 'lan' | 'wan' | 'local') => {
      const { probeIntervalMs, probeTimeoutMs, suspicionMult, gossipIntervalMs, retransmitMult } =
        gossipConfig(profile);
      return [probeIntervalMs, probeTimeoutMs, suspicionMult, gossipIntervalMs, retransmitMult];
    };
    expect(interesting('lan')).toEqual([1_000, 500, 4, 200, 4]);
    expect(interesting('wan')).toEqual([5_000, 3_000, 6, 500, 4]);
    expect(interesting('local')).toEqual([1_000, 200, 3, 100, 2]);
  });
});

it('a snapshot leads back into the pool, and old events are not delivered twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-snapshot-'));
  const snapshotPath = join(folder, 'snapshot');
  const a = await open('a');
  const b = await open('b', { snapshotPath });
  await b.join([at(a)]);
  const heard = once<UserEvent>(
    (call) => b.on('userEvent', call),
    () => true,
    'the event',
  );
  a.userEvent('once', bytes(''));
  await heard;
  const { port } = b.local();
  await b.stop();
  expect(existsSync(snapshotPath)).toBe(true);
  const again = await open('b', { snapshotPath, bindPort: port });
  const twice: string[] = [];
  again.on('userEvent', (event) => twice.push(event.name));
  await until(() => names(again).length === 2, 'the rejoin');
  expect(twice).toEqual([]);
  await again.leave();
  await again.stop();
  expect(names(await open('b', { snapshotPath, bindPort: port }))).toEqual(['b']);
  rmSync(folder, { recursive: true });
});
