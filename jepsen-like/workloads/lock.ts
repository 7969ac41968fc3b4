/**
 * Clients take a lock with a session, work, and release it. LockIndex is the fencing token: each acknowledged acquisition
 * gets a higher one than those before it, so a resource that refuses lower tokens is safe even from a holder that was paused.
 */
import { pause, verdictOf, type Workload } from './workload.ts';

export const lock: Workload = {
  name: 'lock',
  promise: 'fencing tokens never repeat and never go back, and a lock is held by one session at a time',
  clients: 3,
  acknowledges: ['acquire', 'token', 'release'],
  async client(client, index, { run, over }) {
    const key = `${run}/lock`;
    let session = '';
    while (!over()) {
      if (session === '') {
        const body = JSON.stringify({ Name: `client ${index}`, TTL: '10s', LockDelay: '0s', NodeChecks: [] });
        const made = await client.operate(
          'session',
          'lock',
          null,
          { method: 'PUT', path: '/v1/session/create', body },
          ({ body: text }) => ({
            outcome: 'ok',
            output: (JSON.parse(text) as { ID: string }).ID,
          }),
        );
        if (made.outcome !== 'ok') {
          await pause(100);
          continue;
        }
        session = made.output as string;
      }
      const got = await client.operate(
        'acquire',
        'lock',
        session,
        { method: 'PUT', path: `/v1/kv/${key}?acquire=${session}`, body: session },
        ({ status, body }) =>
          status === 200 && body === 'true'
            ? { outcome: 'ok' }
            : { outcome: 'fail', ...(status === 200 ? {} : { error: body }) },
      );
      if (got.error?.includes('invalid session')) session = '';
      if (got.outcome === 'ok') {
        await client.operate(
          'token',
          'lock',
          session,
          { method: 'GET', path: `/v1/kv/${key}?consistent` },
          ({ body }) => {
            const [entry] = JSON.parse(body) as { LockIndex: number; Session?: string }[];
            return entry?.Session === session ? { outcome: 'ok', output: entry.LockIndex } : { outcome: 'fail' };
          },
        );
        await pause(20);
        const freed = await client.operate(
          'release',
          'lock',
          session,
          { method: 'PUT', path: `/v1/kv/${key}?release=${session}`, body: '' },
          ({ body }) => (body === 'true' ? { outcome: 'ok' } : { outcome: 'fail' }),
        );
        // Whether it still holds is not known. The session is ended rather than left to expire, or nobody would lock for long.
        if (freed.outcome !== 'ok') {
          const end = { method: 'PUT', path: `/v1/session/destroy/${session}` };
          while (!over()) {
            const ended = await client.operate('destroy', 'lock', session, end, () => ({ outcome: 'ok' }));
            if (ended.outcome === 'ok') break;
            await pause(100);
          }
          session = '';
        }
      } else await pause(15);
    }
  },
  check(history) {
    const violations: string[] = [];
    const tokens = history.of('token', 'ok').sort((a, b) => a.startMs - b.startMs);
    const holders = new Map<number, string>();
    for (const { output, input } of tokens) {
      const before = holders.get(output as number);
      if (before !== undefined && before !== input)
        violations.push(`token ${String(output)} was given to two sessions`);
      holders.set(output as number, String(input));
    }
    for (let i = 1; i < tokens.length; i++) {
      const [earlier, later] = [tokens[i - 1]!, tokens[i]!];
      if (earlier.endMs < later.startMs && (later.output as number) < (earlier.output as number)) {
        violations.push(`token ${String(later.output)} was seen after ${String(earlier.output)}`);
      }
    }
    return verdictOf(
      violations,
      `${history.of('acquire', 'ok').length} acquisitions, ${holders.size} tokens, rising, each of one session`,
    );
  },
};
