/**
 * One client a pair flips an intention between allow and deny while others ask whether the connection is allowed. After a
 * deny is acknowledged, and until the next change is asked for, no check may say allowed; and the other way round.
 */
import type { Operation } from '../history.ts';
import { pause, verdictOf, type Workload } from './workload.ts';

export const intentions: Workload = {
  name: 'intentions',
  promise: 'after a deny is acknowledged, no connection is allowed by any server',
  clients: 4,
  acknowledges: ['set', 'check'],
  async client(client, index, { run, over }) {
    const pair = `source=${run}-web&destination=${run}-db`;
    if (index > 0) {
      while (!over()) {
        await client.operate(
          'check',
          'pair',
          null,
          { method: 'GET', path: `/v1/connect/intentions/check?${pair}` },
          ({ body }) => ({
            outcome: 'ok',
            output: (JSON.parse(body) as { Allowed: boolean }).Allowed,
          }),
        );
        await pause(10);
      }
      return;
    }
    for (let n = 0; !over(); n++) {
      const Action = n % 2 === 0 ? 'deny' : 'allow';
      await client.operate(
        'set',
        'pair',
        Action === 'allow',
        { method: 'PUT', path: `/v1/connect/intentions/exact?${pair}`, body: JSON.stringify({ Action }) },
        ({ body }) => (body === 'true' ? { outcome: 'ok' } : { outcome: 'fail' }),
      );
      await pause(60);
    }
  },
  check(history) {
    const sets = history.of('set').sort((a, b) => a.startMs - b.startMs);
    const violations: string[] = [];
    for (const check of history.of('check', 'ok')) {
      const possible = possibleValues(sets, check);
      if (!possible.has(check.output as boolean)) {
        violations.push(
          `server ${check.server} said allowed=${String(check.output)} at ${check.startMs.toFixed(0)} ms, when only ${[...possible].join(' or ')} was possible`,
        );
      }
    }
    return verdictOf(
      violations,
      `${history.of('set', 'ok').length} changes, ${history.of('check', 'ok').length} checks, none out of date`,
    );
  },
};

/** Values that the register may have held at some moment between the start and the end of a check. */
function possibleValues(sets: readonly Operation[], check: Operation): Set<boolean> {
  const possible = new Set<boolean>();
  // The newest change that had certainly happened before the check began settles what came before it.
  const settled = sets.findLast((each) => each.outcome === 'ok' && each.endMs < check.startMs);
  possible.add(settled === undefined ? true : (settled.input as boolean));
  for (const each of sets) {
    const mayStillHappen = each.outcome === 'unknown';
    const overlaps =
      each.outcome !== 'fail' && each.startMs < check.endMs && (each.endMs >= check.startMs || mayStillHappen);
    if (overlaps) possible.add(each.input as boolean);
  }
  return possible;
}
