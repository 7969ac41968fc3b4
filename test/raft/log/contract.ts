/** What every log must do, whatever it is stored in. One suite, run on segments, in memory and on the simulated disk. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Persist } from '../../../src/raft/core/persistence.ts';
import type { CheckpointMeta, Entry } from '../../../src/raft/core/types.ts';
import type { RaftLog } from '../../../src/raft/log/log.ts';
import { configurationOf } from '../support/cluster.ts';

export const command = (index: number, term: number, text = `${index}`): Entry => ({
  ...{ kind: 'command', index, term, data: new TextEncoder().encode(text) },
});

export const persist = (change: Partial<Persist>): Persist => ({
  ...{ number: 1, hardState: undefined, truncateFrom: undefined, entries: [] },
  ...change,
});

const checkpointAt = (index: number, term: number): CheckpointMeta => ({
  ...{ id: 'c', index, term, configuration: configurationOf('a', 'b'), sizeBytes: 1, checksum: 'x' },
});

/** `open` gives the same log each time, as after a restart. */
export function logContract(
  name: string,
  open: () =>
    | { log: RaftLog; reopen: () => Promise<RaftLog> }
    | Promise<{ log: RaftLog; reopen: () => Promise<RaftLog> }>,
): void {
  describe(`a log on ${name}`, () => {
    let log: RaftLog;
    let reopen: () => Promise<RaftLog>;
    beforeEach(async () => {
      ({ log, reopen } = await open());
      await log.initialize({ id: 'a', clusterId: 'test' }, configurationOf('a'));
    });

    const texts = (of: RaftLog, from: number): string[] =>
      of.read(from, 1_000, 1_000, 1_000_000).map((entry) => `${entry.index}:${entry.term}`);

    it('begins with the configuration it was bootstrapped with, in term 1', () => {
      const { identity, hardState, lastIndex, configurations } = log.recovered;
      expect(identity).toEqual({ id: 'a', clusterId: 'test' });
      expect(hardState).toEqual({ term: 1, votedFor: '' });
      expect(lastIndex).toBe(1);
      expect(configurations).toEqual([{ index: 1, configuration: configurationOf('a') }]);
    });

    it('has term, vote and entries again after a restart', async () => {
      await log.write([persist({ hardState: { term: 3, votedFor: 'b' }, entries: [command(2, 2), command(3, 3)] })]);
      const again = await reopen();
      expect(again.recovered.hardState).toEqual({ term: 3, votedFor: 'b' });
      expect(texts(again, 1)).toEqual(['1:1', '2:2', '3:3']);
      expect(again.recovered.termBoundaries).toEqual([
        { index: 1, term: 1 },
        { index: 2, term: 2 },
        { index: 3, term: 3 },
      ]);
    });

    it('carries out several persists in one write, in order', async () => {
      await log.write([
        persist({ hardState: { term: 2, votedFor: '' }, entries: [command(2, 2), command(3, 2)] }),
        persist({ hardState: { term: 3, votedFor: '' }, truncateFrom: 3, entries: [command(3, 3)] }),
      ]);
      expect(texts(await reopen(), 1)).toEqual(['1:1', '2:2', '3:3']);
    });

    it('replaces a suffix, and takes back its configuration', async () => {
      const configuration = configurationOf('a', 'b');
      await log.write([
        persist({
          hardState: { term: 2, votedFor: '' },
          entries: [command(2, 2), { kind: 'configuration', index: 3, term: 2, configuration }],
        }),
      ]);
      await log.write([persist({ truncateFrom: 2, entries: [command(2, 2, 'other')] })]);
      const again = await reopen();
      expect(again.recovered.configurations).toHaveLength(1);
      const [entry] = again.read(2, 2, 1, 0);
      expect(entry?.kind === 'command' && new TextDecoder().decode(entry.data)).toBe('other');
    });

    it('refuses a gap, loudly', async () => {
      await expect(log.write([persist({ entries: [command(5, 1)] })])).rejects.toThrow('gap');
    });

    it('reads at least one entry, and no more than asked for', async () => {
      await log.write([persist({ entries: [command(2, 1), command(3, 1), command(4, 1)] })]);
      expect(log.read(2, 1_000, 1, 1_000_000)).toHaveLength(1);
      expect(log.read(2, 1_000, 1_000, 1)).toHaveLength(1);
      expect(log.read(2, 3, 1_000, 1_000_000)).toHaveLength(2);
      expect(log.read(9, 1_000, 1_000, 1_000_000)).toEqual([]);
    });

    it('moves its prefix, keeps what follows, frees the rest', async () => {
      await log.write([persist({ entries: [command(2, 1), command(3, 1), command(4, 1)] })]);
      await log.truncatePrefix(3, 1, configurationOf('a'));
      while (await log.cleanUp());
      const again = await reopen();
      expect(again.recovered.prefix).toEqual({ index: 3, term: 1 });
      expect(again.recovered.base).toEqual({ index: 3, configuration: configurationOf('a') });
      expect(texts(again, 4)).toEqual(['4:1']);
      expect(again.read(3, 3, 1, 0)).toEqual([]);
    });

    it('does not mind a crash between moving the prefix and freeing the rest', async () => {
      await log.write([persist({ entries: [command(2, 1), command(3, 1)] })]);
      await log.truncatePrefix(2, 1, configurationOf('a'));
      const again = await reopen();
      expect(again.recovered.prefix.index).toBe(2);
      expect(await again.cleanUp()).toBe(false);
      await again.write([persist({ entries: [command(4, 1)] })]);
      expect(texts(await reopen(), 3)).toEqual(['3:1', '4:1']);
    });

    it('starts after an installed checkpoint, with its configuration', async () => {
      await log.write([persist({ entries: [command(2, 1), command(3, 1)] })]);
      await log.beginInstall(checkpointAt(10, 1));
      expect((await reopen()).recovered.installing).toEqual(checkpointAt(10, 1));
      const again = await reopen();
      await again.finishInstall(checkpointAt(10, 1));
      again.reload();
      expect(again.recovered).toMatchObject({ prefix: { index: 10, term: 1 }, lastIndex: 10, installing: undefined });
      expect(again.recovered.base.configuration).toEqual(configurationOf('a', 'b'));
      await again.write([persist({ entries: [command(11, 1)] })]);
      expect(texts(await reopen(), 11)).toEqual(['11:1']);
    });

    it('keeps entries after a checkpoint that it agrees with, and drops them otherwise', async () => {
      await log.write([
        persist({ hardState: { term: 2, votedFor: '' }, entries: [command(2, 1), command(3, 2), command(4, 2)] }),
      ]);
      await log.finishInstall(checkpointAt(3, 2));
      expect(texts(await reopen(), 4)).toEqual(['4:2']);
      const again = await reopen();
      await again.finishInstall(checkpointAt(4, 1));
      again.reload();
      expect(again.recovered.lastIndex).toBe(4);
      expect(again.recovered.prefix).toEqual({ index: 4, term: 1 });
    });
  });
}
