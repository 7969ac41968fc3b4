/**
 * List, then watch from there, as every tool does that follows a state: writers set, delete and make again a few hot keys by
 * check-and-set, watchers wait for each change with the index that they have, and go on at another server with it.
 */
import {
  answerOf,
  checkWatches,
  type KeyChange,
  type Version,
  type WatchAnswer,
  type WatchBounds,
} from '../checkers/watches.ts';
import type { History } from '../history.ts';
import type { Reply, Verdict, WorkloadClient } from '../real/client.ts';
import { pause, verdictOf, type Workload, type WorkloadContext } from './workload.ts';

const hotKeys = 10;
const writers = 2;
const bounds: WatchBounds = { waitMs: 1_500, wakeMs: 1_000, settleMs: 10_000 };

interface Told {
  readonly index: number;
  readonly versions: readonly Version[];
}

export const watch: Workload = {
  name: 'watch',
  promise:
    'a watcher that lists and goes on from the index, at any server, misses no change and is never told of the past',
  clients: 5,
  acknowledges: ['list', 'watch', 'set', 'delete'],
  client: (client, index, context) => (index < writers ? change(client, index, context) : follow(client, context)),
  async final(client, { run }) {
    try {
      return versionsIn(await client.plain('GET', `/v1/kv/${run}/?recurse&consistent`));
    } catch (error) {
      if (String(error).includes('404')) return [];
      throw error;
    }
  },
  check(history, final, { faults }) {
    const changes = [...history.of('set'), ...history.of('delete')].map(
      ({ input, outcome, startMs, endMs }): KeyChange => ({
        ...(input as Pick<KeyChange, 'key' | 'value' | 'replaces'>),
        ...{ outcome, startMs, endMs },
      }),
    );
    const answers = [...history.of('list', 'ok'), ...history.of('watch', 'ok')].map(answerOf);
    const found = checkWatches([...answers, lastAnswer(final as Version[], history)], changes, faults, bounds);
    const summary = `${changes.filter(({ outcome }) => outcome === 'ok').length} changes, ${history.of('watch', 'ok').length} watches, none missed one or was told of the past`;
    return {
      ...verdictOf(found.violations, summary),
      figures: [{ name: 'change acknowledged → a watch that waits for it answers, in quiet', ms: found.wakesMs }],
    };
  },
};

/** The last read is asked after everything, and so shows whatever an index can name. */
function lastAnswer(versions: readonly Version[], history: History): WatchAnswer {
  const nowMs = history.nowMs();
  return {
    ...{ client: -1, server: -1, asked: undefined, versions },
    ...{ index: Number.POSITIVE_INFINITY, startMs: nowMs, endMs: nowMs },
  };
}

async function change(client: WorkloadClient, index: number, { run, over, chance }: WorkloadContext): Promise<void> {
  for (let n = 0; !over(); n++) {
    // A watch that waits in vain is one, too.
    await pause(chance() < 0.05 ? 2_500 : chance() * 40);
    const seen = await list(client, run);
    if (seen === undefined) continue;
    const key = `${run}/${Math.floor(chance() * hotKeys)}`;
    const replaces = seen.versions.find((version) => version.key === key)?.index ?? 0;
    const path = `/v1/kv/${key}?cas=${replaces}`;
    const judge = ({ body }: Reply): Verdict => ({ outcome: body === 'true' ? 'ok' : 'fail' });
    if (replaces > 0 && chance() < 0.3) {
      await client.operate('delete', key, { key, replaces }, { method: 'DELETE', path }, judge);
    } else {
      const value = `${index}-${n}`;
      await client.operate('set', key, { key, replaces, value }, { method: 'PUT', path, body: value }, judge);
    }
  }
}

async function list(client: WorkloadClient, run: string): Promise<Told | undefined> {
  const path = `/v1/kv/${run}/?recurse`;
  const seen = await client.operate('list', 'watch', null, { method: 'GET', path }, told);
  return seen.outcome === 'ok' ? (seen.output as Told) : undefined;
}

async function follow(client: WorkloadClient, { run, over, chance }: WorkloadContext): Promise<void> {
  let index: number | undefined;
  while (!over()) {
    if (index === undefined) {
      index = (await list(client, run))?.index;
      if (index === undefined) await pause(100);
      continue;
    }
    const path = `/v1/kv/${run}/?recurse&index=${index}&wait=${bounds.waitMs}ms`;
    const seen = await client.operate('watch', 'watch', index, { method: 'GET', path }, told);
    // One that failed is tried again with the same index, which is what makes a gap visible.
    if (seen.outcome === 'ok') index = (seen.output as Told).index;
    else await pause(100);
    if (chance() < 0.2) client.goOn();
  }
}

const told = ({ status, body, headers }: Reply): Verdict => ({
  outcome: 'ok',
  output: { index: Number(headers.get('x-consul-index')), versions: status === 404 ? [] : versionsIn(body) },
});

const versionsIn = (body: string): Version[] =>
  (JSON.parse(body) as { Key: string; Value: string | null; ModifyIndex: number }[]).map(
    ({ Key, Value, ModifyIndex }) => ({
      key: Key,
      value: Buffer.from(Value ?? '', 'base64').toString(),
      index: ModifyIndex,
    }),
  );
