/** The applier holds the event loop for about as long as its setting says, whatever a command costs. Time is a number here. */
import { expect, it } from 'vitest';
import { Applier } from '../../src/raft/applier.ts';
import { resolveSettings } from '../../src/raft/config.ts';
import { RaftCore } from '../../src/raft/core/core.ts';
import { rules } from '../../src/raft/core/rules.ts';
import type { Entry } from '../../src/raft/core/types.ts';
import type { RaftLog } from '../../src/raft/log/log.ts';
import type { CommittedEntry, StateMachine } from '../../src/raft/state-machine.ts';
import { seededRandom } from '../../src/std/random.ts';
import { configurationOf } from './support/cluster.ts';

const settings = resolveSettings();
const count = 10_000;

/** Applies `count` committed entries of a log; gives the lengths of the runs, by turn. A command takes `costMs(index)`. */
function turnsOf(costMs: (index: number) => number, others: boolean): number[][] {
  let nowMs = 0;
  let appliedIndex = 0;
  const runs: number[] = [];
  const turns: (() => void)[] = [];
  const core = new RaftCore({
    ...{ id: 'a', settings, rules, random: seededRandom('applier'), appliedIndex: 0, nowMs },
    recovered: {
      hardState: { term: 1, votedFor: '' },
      prefix: { index: 0, term: 0 },
      lastIndex: count,
      termBoundaries: [{ index: 1, term: 1 }],
      base: { index: 0, configuration: configurationOf('a') },
      configurations: [],
    },
  });
  const entryAt = (index: number): Entry => ({ kind: 'command', index, term: 1, data: new Uint8Array(0) });
  const log = {
    read: (from: number, upTo: number, entriesMax: number): Entry[] =>
      Array.from({ length: Math.min(entriesMax, upTo - from + 1) }, (_, i) => entryAt(from + i)),
  } as unknown as RaftLog;
  const stateMachine = {
    get appliedIndex() {
      return appliedIndex;
    },
    apply(entries: readonly CommittedEntry[]) {
      runs.push(entries.length);
      for (const { index } of entries) nowMs += costMs(index);
      appliedIndex = entries.at(-1)!.index;
      return entries.map(() => null);
    },
  } as unknown as StateMachine;
  const applier = new Applier({
    ...{ core, settings, log, stateMachine, later: (callback) => void turns.push(callback) },
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs, after: () => () => {} },
    events: { result: () => {}, configuration: () => {}, applied: () => {} },
  });
  applier.applyUpTo(count, others);
  const byTurn = [runs.splice(0)];
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    turn();
    byTurn.push(runs.splice(0));
  }
  expect(appliedIndex).toBe(count);
  return byTurn;
}

const runsOf = (costMs: (index: number) => number): number[] => turnsOf(costMs, false).flat();

it('one run a turn, the first in this one', () => {
  const turns = turnsOf(() => 0.001, false);
  expect(turns.map((runs) => runs.length)).toEqual(turns.map(() => 1));
});

it('what others wait for has this turn, and applying those that follow', () => {
  const turns = turnsOf(() => 0.001, true);
  expect(turns.map((runs) => runs.length)).toEqual(turns.map((_, turn) => (turn === 0 ? 0 : 1)));
});

it('cheap commands are applied in runs as long as they may be', () => {
  expect(new Set(runsOf(() => 0.001).slice(0, -1))).toEqual(new Set([settings.applyEntriesMax]));
});

it('after one long run of dear commands the others fit', () => {
  const runs = runsOf(() => 0.2);
  expect(runs[0]).toBe(settings.applyEntriesMax);
  expect(Math.max(...runs.slice(1))).toBeLessThanOrEqual(settings.applyMs / 0.2);
});

it('very dear commands still share a transaction', () => {
  expect(new Set(runsOf(() => 50).slice(1))).toEqual(new Set([16]));
});

it('runs grow again when commands are cheap again', () => {
  const runs = runsOf((index) => (index < 3_000 ? 1 : 0.001));
  expect(Math.min(...runs)).toBe(16);
  expect(Math.max(...runs.slice(-4, -1))).toBe(settings.applyEntriesMax);
});
