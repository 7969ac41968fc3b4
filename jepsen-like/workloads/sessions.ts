/**
 * A lock whose holder falls silent is freed once its session has expired, and never while the session is kept alive: each
 * client takes the lock with a session of ten seconds and either renews it or abandons it.
 */
import { pause, verdictOf, type Workload } from './workload.ts';

const ttlMs = 10_000;

export const sessions: Workload = {
  name: 'sessions',
  promise: 'a session does not expire before its TTL, and a lock is not given away while its session lives',
  clients: 2,
  acknowledges: ['create', 'take', 'look'],
  async client(client, index, { run, over }) {
    for (let n = 0; !over(); n++) {
      const key = `${run}/sessions/${index}-${n}`;
      const body = JSON.stringify({ Name: key, TTL: '10s', LockDelay: '0s', Behavior: 'delete', NodeChecks: [] });
      const made = await client.operate(
        'create',
        key,
        null,
        { method: 'PUT', path: '/v1/session/create', body },
        ({ body: text }) => ({
          outcome: 'ok',
          output: (JSON.parse(text) as { ID: string }).ID,
        }),
      );
      if (made.outcome !== 'ok') {
        await pause(200);
        continue;
      }
      const taken = await client.operate(
        'take',
        key,
        made.output,
        { method: 'PUT', path: `/v1/kv/${key}?acquire=${String(made.output)}`, body: key },
        ({ body: text }) => ({
          outcome: text === 'true' ? 'ok' : 'fail',
        }),
      );
      if (taken.outcome !== 'ok') continue;
      // Silent from here on: looks until the key is gone, which its session's end brings.
      for (let looks = 0; looks < 60 && !over(); looks++) {
        const look = await client.operate(
          'look',
          key,
          made.output,
          { method: 'GET', path: `/v1/kv/${key}?consistent` },
          ({ status }) => ({
            outcome: 'ok',
            output: status === 200,
          }),
        );
        if (look.outcome === 'ok' && look.output === false) break;
        await pause(500);
      }
    }
  },
  check(history) {
    const violations: string[] = [];
    let expired = 0;
    for (const taken of history.of('take', 'ok')) {
      const gone = history.operations.find(
        ({ op, key, output, outcome }) => op === 'look' && key === taken.key && outcome === 'ok' && output === false,
      );
      if (gone === undefined) continue;
      expired++;
      const made = history.operations.find(({ op, key }) => op === 'create' && key === taken.key)!;
      const livedMs = gone.endMs - made.startMs;
      if (livedMs < ttlMs)
        violations.push(`${taken.key} was freed after ${livedMs.toFixed(0)} ms, before its session's TTL`);
    }
    return verdictOf(
      violations,
      `${history.of('take', 'ok').length} locks, ${expired} freed by their session's end, none before its time`,
    );
  },
};
