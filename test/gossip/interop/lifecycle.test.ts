/**
 * What members of a pool of real `serf` agents (Debian) and ours live through, in plain text and encrypted alike, and in both
 * directions: joins, failures and their refutation, leaves, user events, queries, a return by snapshot. Without the `serf`
 * binary every test here is skipped, and reported as skipped.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { UserEvent } from '../../../src/gossip/index.ts';
import { addressOf, bytes, key32, MixedPool, memberEvent, statusOf, text } from '../support/mixed-pool.ts';
import { serfInstalled } from '../support/serf-agent.ts';
import { once, until } from '../support/until.ts';

const pool = new MixedPool('127.0.22');
const serf = pool.serf.bind(pool);
const ours = pool.ours.bind(pool);
afterEach(() => pool.stop());

describe.skipIf(!serfInstalled).each([
  { how: 'in plain text', sealed: {} },
  { how: 'encrypted', sealed: { keyring: [key32] } },
])('$how, with real serf agents (skipped without the serf binary)', { timeout: 60_000 }, ({ sealed }) => {
  it('either joins the other, and a third hears of it by gossip', async () => {
    const [first, second] = [await serf('first', sealed), await serf('second', sealed)];
    const [node, other] = [await ours('ours', sealed), await ours('other', sealed)];
    const heard = memberEvent(other, 'join', 'second');
    await other.join([addressOf(node)]);
    await node.join([first.address]);
    await second.cli('join', addressOf(node));
    expect((await heard).status).toBe('alive');
    for (const agent of [first, second])
      await until(
        async () => (await agent.members()).filter(({ status }) => status === 'alive').length === 4,
        'all four',
      );
    if ('keyring' in sealed) expect(node.metrics.get('droppedUndecryptable')).toBe(0);
  });

  it('a killed serf agent is detected by us, and by serf', async () => {
    const [first, second] = [await serf('first', sealed), await serf('second', sealed)];
    const node = await ours('ours', sealed);
    await node.join([first.address]);
    await second.cli('join', first.address);
    await until(() => statusOf(node, 'second') === 'alive', 'us to list the second');
    const failed = memberEvent(node, 'failed', 'second');
    await second.kill();
    expect((await failed).status).toBe('failed');
    await until(async () => (await first.statusOf('second')) === 'failed', 'serf to see the failure');
  });

  it('serf detects that one of us is gone', async () => {
    const agent = await serf('real', sealed);
    const [node, other] = [await ours('ours', sealed), await ours('other', sealed)];
    await node.join([agent.address]);
    await other.join([agent.address]);
    await until(async () => (await agent.statusOf('other')) === 'alive', 'serf to list the other');
    await other.stop();
    await until(async () => (await agent.statusOf('other')) === 'failed', 'serf to see the failure');
    await until(() => statusOf(node, 'other') === 'failed', 'us to see the failure');
  });

  it('a serf agent that stood still for a while is suspected, refutes, and is alive', async () => {
    const agent = await serf('real', sealed);
    const node = await ours('ours', sealed);
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    agent.pause();
    await until(() => node.metrics.get('suspicions') > 0, 'a suspicion');
    agent.resume();
    await until(() => node.metrics.get('suspicionsRefuted') > 0, 'the refutation');
    expect(statusOf(node, 'real')).toBe('alive');
  });

  it('leaves are leaves, not failures, in both directions', async () => {
    const agent = await serf('real', sealed);
    const [node, other] = [await ours('ours', sealed), await ours('other', sealed)];
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

  it('user events in both directions', async () => {
    const agent = await serf('real', { ...sealed, extra: ['-event-handler=user:deploy=cat; echo'] });
    const node = await ours('ours', sealed);
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

  it('queries in both directions, with acks, filters and relays', async () => {
    const agent = await serf('real', {
      ...sealed,
      tags: { role: 'web' },
      extra: ['-event-handler=query:load=echo 0.5'],
    });
    const [node, other] = [
      await ours('ours', { ...sealed, tags: { role: 'db' } }),
      await ours('other', { ...sealed, tags: { role: 'db' } }),
    ];
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

  it('a restarted serf agent with a snapshot finds us again; we find it with ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-snapshot-'));
    const serfSnapshot = join(folder, 'serf');
    const agent = await serf('real', { ...sealed, extra: [`-snapshot=${serfSnapshot}`] });
    const snapshotPath = join(folder, 'ours');
    const bindAddress = pool.freshAddress();
    const node = await ours('ours', { ...sealed, bindAddress, snapshotPath });
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    await node.stop();
    await until(async () => (await agent.statusOf('ours')) === 'failed', 'serf to see us fail');
    const again = await ours('ours', { ...sealed, bindAddress, snapshotPath });
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

  it('who left comes back: a serf agent that is told to rejoin, and ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-rejoin-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const agent = await serf('real', { ...sealed, extra: ['-rejoin', `-snapshot=${join(folder, 'serf')}`] });
    const remembering = {
      ...{ ...sealed, bindAddress: pool.freshAddress() },
      ...{ snapshotPath: join(folder, 'ours'), rejoinAfterLeave: true },
    };
    const node = await ours('ours', remembering);
    await node.join([agent.address]);
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to list us');
    await node.leave();
    await node.stop();
    await until(async () => (await agent.statusOf('ours')) === 'left', 'serf to see us leave');
    const again = await ours('ours', remembering);
    await memberEvent(again, 'join', 'real');
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'serf to see us back');

    const left = memberEvent(again, 'leave', 'real');
    await agent.cli('leave');
    await left;
    await agent.exited();
    const back = memberEvent(again, 'join', 'real');
    await agent.launch();
    expect((await back).status).toBe('alive');
    await until(async () => (await agent.statusOf('ours')) === 'alive', 'the agent to know us again');
  });
});
