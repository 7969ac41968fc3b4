/**
 * One test a list: agents as the recording had them, everything in the list asked, and the verdict empty. A whole list of
 * something that Heddle does not do yet stands in `differences.json` as `folder/list-*`, with its reason, and is not asked.
 */
import { describe, expect, it } from 'vitest';
import { reference } from '../support/shared.ts';
import { startAgents, startLeaderless } from './agents.ts';
import { configurationsOf, type Folder, listsOf, listsOfLater, replay } from './replay.ts';

export interface List {
  readonly list: string;
  /** The agent never gets a leader: it answers HTTP, and its start does not end. */
  readonly leaderless?: boolean;
  /** What the agent must show before the first step. */
  readonly until?: { readonly path: string; readonly holds: RegExp };
}

const meshServer = {
  node_name: 'mesh1',
  datacenter: 'dc1',
  server: true,
  bootstrap_expect: 1,
  bind_addr: '127.0.4.1',
  client_addr: '127.0.4.1',
  connect: { enabled: true },
};

export function replayLists(folder: Folder, lists: readonly List[]): void {
  describe.skipIf(reference(`golden/${folder}`) === null)(`captures of ${folder}`, () => {
    it('names every list there is, here or in differences.json', () => {
      expect([...lists.map(({ list }) => list), ...listsOfLater(folder)].sort()).toEqual(listsOf(folder));
    });

    it.each(lists)('$list', { timeout: 240_000 }, async ({ list, until, leaderless }) => {
      const configurations = folder === 'mesh' ? [meshServer] : await configurationsOf(folder, list);
      const agents = leaderless === true ? await startLeaderless(configurations) : await startAgents(configurations);
      try {
        if (until !== undefined) await settled(agents.base + until.path, until.holds);
        const { exchanges, unexpected, outdated } = await replay(folder, list, agents.base);
        expect(exchanges).toBeGreaterThan(0);
        expect(unexpected.map(({ detail }) => detail).join('\n')).toBe('');
        expect(outdated).toEqual([]);
      } finally {
        await agents.stop();
      }
    });
  });
}

async function settled(url: string, holds: RegExp): Promise<void> {
  await expect.poll(async () => (await fetch(url)).text(), { timeout: 30_000, interval: 100 }).toMatch(holds);
}
