/**
 * One pool of real `serf` agents (Debian) and our members, over real sockets: joins, failures, leaves, events, queries
 * and keys in both directions. Without the `serf` binary every test here is skipped, and reported as skipped.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GossipNode, type GossipOptions, type Member, type UserEvent } from '../../../src/gossip/index.ts';
import { SerfAgent, type SerfOptions, serfInstalled } from '../support/serf-agent.ts';
import { once, until } from '../support/until.ts';

const agents: SerfAgent[] = [];
const nodes: GossipNode[] = [];
let lastAddress = 100;
const freshAddress = (): string => `127.0.12.${++lastAddress}`;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const key32 = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const key16 = 'EBESExQVFhcYGRobHB0eHw==';

async function serf(name: string, options: Partial<SerfOptions> = {}): Promise<SerfAgent> {
  const agent = await SerfAgent.start({ name, address: freshAddress(), ...options });
  agents.push(agent);
  return agent;
}

async function ours(name: string, options: Partial<GossipOptions> = {}): Promise<GossipNode> {
  const node = await GossipNode.open({
    name,
    bindAddress: freshAddress(),
    bindPort: SerfAgent.port,
    profile: 'local',
    ...options,
  });
  nodes.push(node);
  return node;
}

const addressOf = (node: GossipNode): string => `${node.local().address}:${node.local().port}`;
const statusOf = (node: GossipNode, name: string): string | undefined => node.member(name)?.status;

const memberEvent = (node: GossipNode, event: 'join' | 'leave' | 'failed' | 'update', name: string): Promise<Member> =>
  once(
    (callback) => node.on(event, callback),
    (member) => member.name === name,
    `${event} of ${name}`,
  );

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});

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

  it('a killed serf agent is detected by us, and by serf', async () => {
    const [first, second] = [await serf('first'), await serf('second')];
    const node = await ours('ours');
    await node.join([first.address]);
    await second.cli('join', first.address);
    await until(() => statusOf(node, 'second') === 'alive', 'us to list the second');
    const failed = memberEvent(node, 'failed', 'second');
    await second.kill();
    expect((await failed).status).toBe('failed');
    await until(async () => (await first.statusOf('second')) === 'failed', 'serf to see the failure');
  });

  it('serf detects that one of us is gone', async () => {
    const agent = await serf('real');
    const [node, other] = [await ours('ours'), await ours('other')];
    await node.join([agent.address]);
    await other.join([agent.address]);
    await until(async () => (await agent.statusOf('other')) === 'alive', 'serf to list the other');
    await other.stop();
    await until(async () => (await agent.statusOf('other')) === 'failed', 'serf to see the failure');
    await until(() => statusOf(node, 'other') === 'failed', 'us to see the failure');
  });

  it('a serf agent that stood still for a while is suspected, refutes, and is alive', async () => {
    const agent = await serf('real');
    const node = await ours('ours');
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    agent.pause();
    await until(() => node.metrics.get('suspicions') > 0, 'a suspicion');
    agent.resume();
    await until(() => node.metrics.get('suspicionsRefuted') > 0, 'the refutation');
    expect(statusOf(node, 'real')).toBe('alive');
  });

  it('leaves are leaves, not failures, in both directions', async () => {
    const agent = await serf('real');
    const [node, other] = [await ours('ours'), await ours('other')];
    await node.join([agent.address]);
    await other.join([agent.address]);
    await until(async () => (await agent.statusOf('other')) === 'alive', 'serf to list the other');
    await other.leave();
    await until(async () => (await agent.statusOf('other')) === 'left', 'serf to see the leave');
    await until(() => statusOf(node, 'other') === 'left', 'us to see the leave');
    const left = memberEvent(node, 'leave', 'real');
    await agent.cli('leave');
    expect((await left).status).toBe('left');
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

  it('user events in both directions', async () => {
    const agent = await serf('real', { extra: ['-event-handler=user:deploy=cat; echo'] });
    const node = await ours('ours');
    await node.join([agent.address]);
    const heard = once<UserEvent>(
      (callback) => node.on('userEvent', callback),
      () => true,
      'an event',
    );
    await agent.cli('event', '-coalesce=false', 'restart', 'v1.2.3');
    const event = await heard;
    expect([event.name, text(event.payload), event.coalesce]).toEqual(['restart', 'v1.2.3', false]);
    node.userEvent('deploy', bytes('from ours'));
    await until(() => agent.log.includes('from ours'), 'the handler of serf to print our payload');
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

  it('queries in both directions, with acks, filters and relays', async () => {
    const agent = await serf('real', { tags: { role: 'web' }, extra: ['-event-handler=query:load=echo 0.5'] });
    const [node, other] = [await ours('ours', { tags: { role: 'db' } }), await ours('other', { tags: { role: 'db' } })];
    for (const one of [node, other]) {
      await one.join([agent.address]);
      one.on('query', (query) => query.respond(bytes(`${query.name} ${text(query.payload)} at ${one.local().name}`)));
    }
    await until(() => statusOf(node, 'other') === 'alive', 'us to know each other');

    const asked = node.query('load', bytes(''), { nodes: ['real'], requestAck: true, relayFactor: 1 });
    await asked.done;
    expect([...asked.acks]).toEqual(['real']);
    expect(asked.responses.map(({ from, payload }) => [from, text(payload).trim()])).toEqual([['real', '0.5']]);

    const out = await agent.cli('query', '-format=json', '-tag', 'role=d.*', '-relay-factor=1', 'uptime', 'arg1');
    const answer = JSON.parse(out) as { Acks: string[]; Responses: Record<string, string> };
    expect(answer.Responses).toEqual({ ours: 'uptime arg1 at ours', other: 'uptime arg1 at other' });
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

  it('a restarted serf agent with a snapshot finds us again; we find it with ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-snapshot-'));
    const serfSnapshot = join(folder, 'serf');
    const agent = await serf('real', { extra: [`-snapshot=${serfSnapshot}`] });
    const snapshotPath = join(folder, 'ours');
    const bindAddress = freshAddress();
    const node = await ours('ours', { bindAddress, snapshotPath });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    await node.stop();
    await until(async () => (await agent.statusOf('ours')) === 'failed', 'serf to see us fail');
    const again = await ours('ours', { bindAddress, snapshotPath });
    await memberEvent(again, 'join', 'real');
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to see us back');

    const failed = memberEvent(again, 'failed', 'real');
    await agent.terminate();
    await failed;
    const back = memberEvent(again, 'join', 'real');
    await agent.launch();
    expect((await back).status).toBe('alive');
    rmSync(folder, { recursive: true });
  });
});
