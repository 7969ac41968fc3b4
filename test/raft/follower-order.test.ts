// What a follower does first: its leader waits for its acknowledgement, nobody for its state machine. The leader is this test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Message } from '../../src/raft/core/messages.ts';
import { openRaftLog, RaftNode, systemClock, type Transport } from '../../src/raft/index.ts';
import { seededRandom } from '../../src/std/random.ts';
import { configurationOf } from './support/cluster.ts';
import { encode, KvMachine } from './support/kv.ts';

const directory = mkdtempSync(join(tmpdir(), 'raft-order-'));
let node: RaftNode | undefined;
afterEach(async () => {
  await node?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('acknowledges what it wrote before it applies what is committed', async () => {
  const turns: (() => void)[] = [];
  const machine = new KvMachine();
  let receive: (messages: readonly Message[]) => void = () => {};
  let sent: (message: Message) => void = () => {};
  const transport: Transport = {
    start: async (handlers) => {
      receive = handlers.messages;
    },
    setPeers: () => {},
    send: (message) => sent(message),
    sendCheckpoint: () => Promise.reject(new Error('no checkpoint is wanted here')),
    stop: async () => {},
  };
  node = await RaftNode.open(
    // Its patience outlasts the test.
    {
      ...{ id: 'b', clusterId: 'test', bootstrap: configurationOf('a', 'b', 'c') },
      settings: { electionTimeoutTicks: 10_000, quorumSilenceTicks: 10_000 },
    },
    {
      ...{ log: await openRaftLog(directory), transport, clock: systemClock, random: seededRandom('order') },
      ...{ stateMachine: machine, later: (callback) => void turns.push(callback) },
    },
  );
  /** Sends the entry `index` and the news that those before it are committed; resolves with the acknowledgement. */
  const append = (index: number): Promise<Message> => {
    const entry = { kind: 'command', index, term: 2, data: encode({ key: 'k', to: `${index}` }) } as const;
    const position = { prevIndex: index - 1, prevTerm: index === 2 ? 1 : 2, commitIndex: index - 1 };
    return new Promise((resolve) => {
      sent = resolve;
      receive([{ kind: 'append', from: 'a', to: 'b', term: 2, ...position, entries: [entry], sentMs: 1 }]);
    });
  };
  await append(2);
  expect(await append(3)).toMatchObject({ kind: 'appendResponse', ok: true, matchIndex: 3 });
  expect(machine.state.get('k')).toBeUndefined();
  for (const turn of turns) turn();
  expect(machine.state.get('k')).toBe('2');
});
