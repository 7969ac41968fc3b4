/**
 * One pool of real `serf` agents (Debian) and our members, over real sockets: joins, force-leave, old events, tags, keys and
 * coordinates in both directions (what a member lives through, plain and encrypted: `lifecycle.test.ts`). Without the `serf` binary every test here is skipped, and reported as skipped.
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../src/gossip/wire/messages.ts';
import { addressOf, key16, key32, MixedPool, memberEvent, statusOf } from '../support/mixed-pool.ts';
import { serfInstalled } from '../support/serf-agent.ts';
import { until } from '../support/until.ts';

const pool = new MixedPool('127.0.12');
const serf = pool.serf.bind(pool);
const ours = pool.ours.bind(pool);
afterEach(() => pool.stop());

describe.skipIf(!serfInstalled)('with real serf agents (skipped without the serf binary)', { timeout: 60_000 }, () => {
  it('we join a serf agent; both see each other and the tags', async () => {
    const agent = await serf('real', { tags: { role: 'web', dc: 'east' } });
    const node = await ours('ours', { tags: { role: 'db', ver: '2' } });
    await node.join([agent.address]);
    expect(node.member('real')).toMatchObject({ status: 'alive', tags: { role: 'web', dc: 'east' }, protocolCur: 2 });
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    const listed = (await agent.members()).find((member) => member.name === 'ours');
    expect(listed).toMatchObject({ addr: addressOf(node), tags: { role: 'db', ver: '2' } });
  });

  it('a serf agent joins us; a third member hears of it by gossip', async () => {
    const node = await ours('ours');
    const other = await ours('other');
    await other.join([addressOf(node)]);
    const agent = await serf('real');
    const heard = memberEvent(other, 'join', 'real');
    await agent.cli('join', addressOf(node));
    expect((await heard).status).toBe('alive');
    await until(async () => (await agent.statusOf('other')) === 'alive', 'serf to list the third');
  });

  it('encrypted: both directions, and a member without the key stays outside', async () => {
    const agent = await serf('real', { keyring: [key32] });
    const node = await ours('ours', { keyring: [key32] });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    const second = await serf('second', { keyring: [key32] });
    await second.cli('join', addressOf(node));
    expect(statusOf(node, 'second')).toBe('alive');

    const stranger = await ours('stranger');
    await expect(stranger.join([agent.address])).rejects.toMatchObject({ code: 'join-failed' });
    await expect(stranger.join([addressOf(node)])).rejects.toMatchObject({ code: 'join-failed' });
    const plainSerf = await serf('plain');
    await expect(plainSerf.cli('join', addressOf(node))).rejects.toThrow();
    expect(node.metrics.get('droppedUndecryptable')).toBeGreaterThan(0);
    expect(
      node
        .members()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['ours', 'real', 'second']);
  });

  it('uncompressed serf agents understand us, and we them', async () => {
    const agent = await serf('real', { extra: ['-disable-compression'] });
    const node = await ours('ours', { config: { compression: false } });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    expect(statusOf(node, 'real')).toBe('alive');
  });

  // A real agent tells a prune a few times over UDP and never again: now and then nobody hears it.
  it('force-leave turns failed into left, whoever asks; prune erases', { retry: 2 }, async () => {
    const agent = await serf('real');
    const node = await ours('ours');
    const [one, two] = [await ours('one'), await ours('two')];
    for (const member of [node, one, two]) await member.join([agent.address]);
    for (const gone of [one, two]) {
      const { name } = gone.local();
      await until(() => statusOf(node, name) === 'alive', `us to know ${name}`);
      await gone.stop();
      await until(async () => (await agent.statusOf(name)) === 'failed', `serf to see ${name} fail`);
      await until(() => statusOf(node, name) === 'failed', `us to see ${name} fail`);
    }
    await node.forceLeave('one');
    await until(async () => (await agent.statusOf('one')) === 'left', 'serf to hear of the force-leave');
    await agent.cli('force-leave', 'two');
    await until(() => statusOf(node, 'two') === 'left', 'us to hear of the force-leave');
    await agent.cli('force-leave', '-prune', 'two');
    await until(() => statusOf(node, 'two') === undefined, 'us to prune');
  });

  it('events from before the join arrive with it, unless they are to be ignored', async () => {
    const agent = await serf('real');
    await agent.cli('event', '-coalesce=false', 'old', 'news');
    const node = await ours('ours');
    const heard: string[] = [];
    node.on('userEvent', (event) => heard.push(event.name));
    await node.join([agent.address]);
    expect(heard).toEqual(['old']);
    const quiet = await ours('quiet');
    const unheard: string[] = [];
    quiet.on('userEvent', (event) => unheard.push(event.name));
    await quiet.join([agent.address], { ignoreOldEvents: true });
    expect(unheard).toEqual([]);
  });

  it('a serf agent that we hold for dead is back after its next ping', async () => {
    const agent = await serf('real');
    // Nobody gossips to the dead, and nobody tries them again, for as long as this test runs.
    const config = { gossipToTheDeadMs: 0, pushPullIntervalMs: 600_000, reconnectIntervalMs: 600_000 };
    const node = await ours('ours', { config });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    const { address, port } = node.local();
    // Once in a while it hears of the verdict with something that was under way already, and refutes it before it pings.
    for (let Incarnation = 1_000; node.metrics.get('failedThatPinged') === 0; Incarnation += 1_000) {
      const failed = memberEvent(node, 'failed', 'real');
      const verdict = encodeMessage({ kind: 'dead', body: { Node: 'real', Incarnation, From: 'somebody' } });
      const socket = createSocket('udp4');
      await new Promise<void>((sent) => socket.send(verdict, port, address, () => socket.close(sent)));
      await failed;
      await until(() => statusOf(node, 'real') === 'alive', 'serf to be back');
    }
    expect(await agent.statusOf('ours')).toBe('alive');
  });

  it('serf reachability (internal ping query) counts us', async () => {
    const agent = await serf('real');
    const node = await ours('ours');
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    expect(await agent.cli('reachability')).toContain('Successful');
  });

  it('tags: each side sees the changes of the other', async () => {
    const agent = await serf('real', { tags: { ver: '1' } });
    const node = await ours('ours', { tags: { ver: '1' } });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    await node.setTags({ ver: '2' });
    await until(
      async () => (await agent.members()).find(({ name }) => name === 'ours')?.tags.ver === '2',
      'serf to see our tags',
    );
    const updated = memberEvent(node, 'update', 'real');
    await agent.cli('tags', '-set', 'ver=3');
    expect((await updated).tags).toEqual({ ver: '3' });
  });

  it('keys: install, use and remove through the pool, in both directions', async () => {
    const agent = await serf('real', { keyring: [key32] });
    const node = await ours('ours', { keyring: [key32] });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    await node.keys.install(key16);
    expect((await node.keys.list()).keys).toEqual({ [key32]: 2, [key16]: 2 });
    await node.keys.use(key16);
    await node.keys.remove(key32);
    expect(JSON.parse(readFileSync(agent.keyringPath, 'utf8'))).toEqual([key16]);
    const listed = await node.keys.list();
    expect([listed.keys, listed.primaryKeys]).toEqual([{ [key16]: 2 }, { [key16]: 2 }]);

    await agent.cli('keys', `-install=${key32}`);
    await agent.cli('keys', `-use=${key32}`);
    await agent.cli('keys', `-remove=${key16}`);
    const printed = (await agent.cli('keys', '-list')).trim().split('\n').at(-1)!;
    expect([printed.includes(key32), printed.includes('[2/2]')]).toEqual([true, true]);
    await expect(node.keys.remove(key32)).rejects.toMatchObject({ code: 'key-operation-failed' });
  });

  it('coordinates: both sides estimate the round trip to each other', async () => {
    const agent = await serf('real');
    const node = await ours('ours');
    await node.join([agent.address]);
    await until(() => node.coordinateOf('real') !== undefined, 'a coordinate of serf');
    await until(async () => (await agent.cli('rtt', 'ours').catch(() => '')).includes('Estimated'), 'serf rtt');
  });
});
