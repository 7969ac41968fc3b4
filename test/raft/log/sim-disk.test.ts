/**
 * The simulated disk is a log's disk like the real one: it keeps the same contract, a crash during a commit leaves a prefix of it,
 * and a log on it and one on segments tell the same after the same history.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RaftLog } from '../../../src/raft/log/log.ts';
import { openRaftLog } from '../../../src/raft/log/open.ts';
import { StoredLog } from '../../../src/raft/log/stored-log.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { SimDisk } from '../../../src/testing/sim/disk.ts';
import { configurationOf } from '../support/cluster.ts';
import { command, logContract, persist } from './contract.ts';

/** Commits that end at once, or when told to. */
function diskOf(seed: number, held?: (() => void)[]): SimDisk {
  return new SimDisk(seededRandom(seed), 0, () => 0, {
    later: (_delayMs, callback) => {
      if (held === undefined) queueMicrotask(callback);
      else held.push(callback);
    },
    durable: () => {},
  });
}

logContract('the simulated disk', () => {
  const disk = diskOf(1);
  return { log: new StoredLog(disk.open()), reopen: async () => new StoredLog(disk.open()) };
});

/** One thing that happens to a log. */
type Step =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: 'replace'; readonly back: number; readonly count: number }
  | { readonly kind: 'movePrefix'; readonly forth: number }
  | { readonly kind: 'install'; readonly ahead: number }
  | { readonly kind: 'reopen' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({
      kind: fc.constant('replace' as const),
      back: fc.integer({ min: 1, max: 6 }),
      count: fc.integer({ min: 0, max: 4 }),
    }),
    fc.record({ kind: fc.constant('movePrefix' as const), forth: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('install' as const), ahead: fc.integer({ min: 1, max: 5 }) }),
    fc.constant({ kind: 'reopen' as const }),
  ),
  { minLength: 1, maxLength: 15 },
);

/** Plays a history on a log; what comes of it depends on nothing but the steps. */
class Player {
  log: RaftLog;
  last = 1;
  prefix = 0;
  term = 1;
  readonly #reopen: (log: RaftLog) => Promise<RaftLog>;

  constructor(log: RaftLog, reopen: (log: RaftLog) => Promise<RaftLog>) {
    this.log = log;
    this.#reopen = reopen;
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'append') await this.#append(this.last + 1, step.count);
    else if (step.kind === 'replace') {
      const from = Math.max(this.prefix + 1, this.last + 1 - step.back);
      await this.#append(from, step.count, from <= this.last ? from : undefined);
    } else if (step.kind === 'movePrefix') {
      const index = Math.min(this.last, this.prefix + step.forth);
      const term = index === this.prefix ? 0 : this.log.read(index, index, 1, 0)[0]!.term;
      if (index === this.prefix) return;
      await this.log.truncatePrefix(index, term, configurationOf('a'));
      await this.log.cleanUp();
      this.prefix = index;
    } else if (step.kind === 'install') {
      const index = this.last + step.ahead;
      const checkpoint = { id: 'c', index, term: this.term, sizeBytes: 1, checksum: 'x' };
      await this.log.beginInstall({ ...checkpoint, configuration: configurationOf('a', 'b') });
      await this.log.finishInstall({ ...checkpoint, configuration: configurationOf('a', 'b') });
      this.last = index;
      this.prefix = index;
    } else this.log = await this.#reopen(this.log);
  }

  tells(): unknown {
    this.log.reload();
    const { hardState, prefix, lastIndex, termBoundaries, base, configurations, installing } = this.log.recovered;
    const entries = this.log.read(prefix.index + 1, lastIndex, 1_000, 1_000_000);
    return { hardState, prefix, lastIndex, termBoundaries, base, configurations, installing, entries: plain(entries) };
  }

  async #append(from: number, count: number, truncateFrom?: number): Promise<void> {
    this.term++;
    const entries = Array.from({ length: count }, (_, i) => command(from + i, this.term));
    await this.log.write([persist({ hardState: { term: this.term, votedFor: 'b' }, truncateFrom, entries })]);
    this.last = from + count - 1;
  }
}

const decoder = new TextDecoder();
const plain = (entries: ReturnType<RaftLog['read']>): string[] =>
  entries.map(
    (entry) => `${entry.index}:${entry.term} ${entry.kind === 'command' ? decoder.decode(entry.data) : entry.kind}`,
  );

describe('the simulated disk and segments', () => {
  it('tell the same after the same history', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const path = mkdtempSync(join(tmpdir(), 'raft-log-'));
        const disk = diskOf(2);
        const players = [
          new Player(new StoredLog(disk.open()), async () => new StoredLog(disk.open())),
          new Player(await openRaftLog(path), async (log) => {
            await log.close();
            return openRaftLog(path);
          }),
        ] as const;
        try {
          for (const { log } of players) await log.initialize({ id: 'a', clusterId: 'test' }, configurationOf('a'));
          for (const step of history) {
            for (const player of players) await player.play(step);
            expect(players[0].tells()).toEqual(players[1].tells());
          }
        } finally {
          await players[1].log.close();
          rmSync(path, { recursive: true, force: true });
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('a crash of the simulated disk', () => {
  it('leaves a prefix of the commit under way, never what came after it, and a log that opens', async () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const held: (() => void)[] = [];
      const disk = diskOf(seed, held);
      const log = new StoredLog(disk.open());
      const made = log.initialize({ id: 'a', clusterId: 'test' }, configurationOf('a'));
      held.shift()!();
      await made;
      void log.write([persist({ entries: [command(2, 1), command(3, 1), command(4, 1), command(5, 1)] })]);
      disk.crash();
      const { lastIndex } = new StoredLog(disk.open()).recovered;
      expect(lastIndex).toBeLessThanOrEqual(5);
      kept.add(lastIndex);
    }
    // Nothing, all, and parts of it.
    expect([...kept].sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('never mixes what was replaced with what replaced it', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const held: (() => void)[] = [];
      const disk = diskOf(seed, held);
      const log = new StoredLog(disk.open());
      const done = async (work: Promise<void>): Promise<void> => {
        held.shift()!();
        await work;
      };
      await done(log.initialize({ id: 'a', clusterId: 'test' }, configurationOf('a')));
      await done(log.write([persist({ entries: [command(2, 1), command(3, 1), command(4, 1)] })]));
      void log.write([
        persist({ hardState: { term: 2, votedFor: '' }, truncateFrom: 2, entries: [command(2, 2), command(3, 2)] }),
      ]);
      disk.crash();
      // Opening verifies the chain: a mixture of both histories would not pass.
      const { lastIndex, termBoundaries } = new StoredLog(disk.open()).recovered;
      if (termBoundaries.some(({ term }) => term === 2)) expect(lastIndex).toBeLessThanOrEqual(3);
    }
  });
});
