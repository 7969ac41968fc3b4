/**
 * Clients append to one list with check-and-set. What a reader saw must be a prefix of what later readers see, and each
 * acknowledged element stands in the final list exactly once.
 */
import { pause, verdictOf, type Workload } from './workload.ts';

interface Read {
  readonly list: readonly string[];
  readonly index: number;
}

export const append: Workload = {
  name: 'append',
  promise: 'a list only grows: no acknowledged element is lost, doubled or moved',
  clients: 3,
  acknowledges: ['read', 'append'],
  async client(client, index, { run, over }) {
    const path = `/v1/kv/${run}/list`;
    for (let n = 0; !over(); n++) {
      const read = await client.operate(
        'read',
        'list',
        null,
        { method: 'GET', path: `${path}?consistent` },
        ({ status, body }) => {
          if (status === 404) return { outcome: 'ok', output: { list: [], index: 0 } };
          const [entry] = JSON.parse(body) as { Value: string | null; ModifyIndex: number }[];
          const text = Buffer.from(entry!.Value ?? '', 'base64').toString();
          return { outcome: 'ok', output: { list: text.split(','), index: entry!.ModifyIndex } };
        },
      );
      if (read.outcome !== 'ok') continue;
      const { list, index: modifyIndex } = read.output as Read;
      const element = `${index}-${n}`;
      const body = [...list, element].join(',');
      await client.operate(
        'append',
        'list',
        element,
        { method: 'PUT', path: `${path}?cas=${modifyIndex}`, body },
        (reply) => (reply.body === 'true' ? { outcome: 'ok' } : { outcome: 'fail' }),
      );
      await pause(20);
    }
  },
  async final(client, { run }) {
    const body = await client.plain('GET', `/v1/kv/${run}/list?consistent&raw`);
    return body.split(',');
  },
  check(history, final) {
    const list = final as string[];
    const violations: string[] = [];
    const counts = new Map<string, number>();
    for (const element of list) counts.set(element, (counts.get(element) ?? 0) + 1);
    for (const [element, count] of counts) if (count > 1) violations.push(`${element} stands ${count} times`);
    for (const { input, outcome } of history.of('append')) {
      const present = counts.has(String(input));
      if (outcome === 'ok' && !present) violations.push(`${String(input)} was acknowledged and is lost`);
      if (outcome === 'fail' && present) violations.push(`${String(input)} lost its check-and-set and is there`);
    }
    for (const { output, client, startMs } of history.of('read', 'ok')) {
      const seen = (output as Read).list;
      if (seen.some((element, i) => element !== list[i])) {
        violations.push(`client ${client} read at ${startMs.toFixed(0)} ms a list that is no prefix of the final one`);
      }
    }
    return verdictOf(
      violations,
      `${history.of('append', 'ok').length} appends, ${history.of('read', 'ok').length} reads, all prefixes of a list of ${list.length}`,
    );
  },
};
