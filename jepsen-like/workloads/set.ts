/** Every client adds elements of its own; a final consistent read must hold each one that was acknowledged. */
import { pause, verdictOf, type Workload } from './workload.ts';

export const set: Workload = {
  name: 'set',
  promise: 'an acknowledged element is never lost, and none appears that nobody added',
  clients: 4,
  acknowledges: ['add'],
  async client(client, index, { run, over }) {
    for (let n = 0; !over(); n++) {
      const element = `${index}-${n}`;
      await client.operate(
        'add',
        'set',
        element,
        { method: 'PUT', path: `/v1/kv/${run}/set/${element}`, body: element },
        ({ status, body }) =>
          status === 200 && body === 'true' ? { outcome: 'ok' } : { outcome: 'fail', error: `${status} ${body}` },
      );
      await pause(5);
    }
  },
  async final(client, { run }) {
    const keys = JSON.parse(await client.plain('GET', `/v1/kv/${run}/set/?keys&consistent`)) as string[];
    return keys.map((key) => key.slice(`${run}/set/`.length));
  },
  check(history, final) {
    const present = new Set(final as string[]);
    const violations: string[] = [];
    const attempted = new Set<string>();
    for (const operation of history.of('add')) {
      const element = String(operation.input);
      attempted.add(element);
      if (operation.outcome === 'ok' && !present.has(element)) {
        violations.push(
          `${element} was acknowledged at ${operation.endMs.toFixed(0)} ms by server ${operation.server} and is lost`,
        );
      }
      if (operation.outcome === 'fail' && present.has(element)) {
        violations.push(`${element} failed for certain (${operation.error}) and is there`);
      }
    }
    for (const element of present)
      if (!attempted.has(element)) violations.push(`${element} was never added and is there`);
    const acknowledged = history.of('add', 'ok').length;
    return verdictOf(violations, `${acknowledged} acknowledged elements, ${present.size} present, none lost`);
  },
};
