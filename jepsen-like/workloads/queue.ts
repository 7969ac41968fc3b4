/** Producers enqueue items; consumers take one each by deleting it with check-and-set. None is taken twice, none is lost. */
import { pause, verdictOf, type Workload } from './workload.ts';

export const queue: Workload = {
  name: 'queue',
  promise: 'an item is taken at most once, and an acknowledged one that nobody took is still there',
  clients: 4,
  acknowledges: ['enqueue', 'dequeue'],
  async client(client, index, context) {
    const { run, over } = context;
    const prefix = `/v1/kv/${run}/queue/`;
    for (let n = 0; !over(); n++) {
      await pause(10);
      if (index % 2 === 0) {
        const item = `${String(n).padStart(6, '0')}-${index}`;
        await client.operate(
          'enqueue',
          'queue',
          item,
          { method: 'PUT', path: `${prefix}${item}?cas=0`, body: item },
          ({ body }) => (body === 'true' ? { outcome: 'ok' } : { outcome: 'fail' }),
        );
        continue;
      }
      const listed = await client.operate(
        'list',
        'queue',
        null,
        { method: 'GET', path: `${prefix}?recurse` },
        ({ status, body }) => ({
          outcome: 'ok',
          output: status === 404 ? [] : (JSON.parse(body) as { Key: string; ModifyIndex: number }[]).slice(0, 5),
        }),
      );
      if (listed.outcome !== 'ok') continue;
      const items = listed.output as { Key: string; ModifyIndex: number }[];
      const chosen = items[Math.floor(context.chance() * items.length)];
      if (chosen === undefined) continue;
      const name = chosen.Key.split('/').at(-1)!;
      // Deleting an absent key with check-and-set says true, so taking goes through a transaction that must find it.
      const ops = [
        { KV: { Verb: 'check-index', Key: chosen.Key, Index: chosen.ModifyIndex } },
        { KV: { Verb: 'delete', Key: chosen.Key } },
      ];
      await client.operate(
        'dequeue',
        'queue',
        name,
        { method: 'PUT', path: '/v1/txn', body: JSON.stringify(ops) },
        ({ status }) => (status === 200 ? { outcome: 'ok' } : { outcome: 'fail' }),
      );
    }
  },
  async final(client, { run }) {
    try {
      return JSON.parse(await client.plain('GET', `/v1/kv/${run}/queue/?keys&consistent&separator=`)) as string[];
    } catch (error) {
      if (String(error).includes('404')) return [];
      throw error;
    }
  },
  check(history, final) {
    const left = new Set((final as string[]).map((key) => key.split('/').at(-1)!));
    const violations: string[] = [];
    const taken = new Map<string, number>();
    const maybeTaken = new Set<string>();
    for (const { input, outcome } of history.of('dequeue')) {
      if (outcome === 'ok') taken.set(String(input), (taken.get(String(input)) ?? 0) + 1);
      if (outcome === 'unknown') maybeTaken.add(String(input));
    }
    for (const [item, count] of taken) if (count > 1) violations.push(`${item} was taken ${count} times`);
    for (const { input } of history.of('enqueue', 'ok')) {
      const item = String(input);
      if (!left.has(item) && !taken.has(item) && !maybeTaken.has(item))
        violations.push(`${item} was acknowledged, nobody took it, and it is gone`);
      if (left.has(item) && taken.has(item)) violations.push(`${item} was taken and is still there`);
    }
    return verdictOf(
      violations,
      `${history.of('enqueue', 'ok').length} enqueued, ${taken.size} taken once each, ${left.size} left`,
    );
  },
};
