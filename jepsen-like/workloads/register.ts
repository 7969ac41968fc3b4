/**
 * Registers that clients read, write and compare-and-set on any server, in the default and the consistent mode: the history of
 * each must be that of one plain variable. A register is used for a few seconds, so that the search over its history stays small.
 */
import { checkLinearizability, registerModel } from '../checkers/linearizability.ts';
import type { WorkloadClient } from '../real/client.ts';
import { pause, type Workload, type WorkloadContext } from './workload.ts';

const lifeMs = 2_500;

interface Seen {
  readonly value: string | null;
  readonly index: number;
}

export const register: Workload = {
  name: 'register',
  promise: 'reads, writes and compare-and-sets of a key are linearizable, whichever server is asked',
  clients: 5,
  acknowledges: ['read', 'write', 'cas'],
  async client(client, index, context) {
    const { history, over, chance, run } = context;
    for (let n = 0; !over(); n++) {
      const key = `${run}/register/${Math.floor(history.nowMs() / lifeMs)}`;
      const value = `${index}-${n}`;
      const dice = chance();
      if (dice < 0.4) await read(client, key, context);
      else if (dice < 0.7) await write(client, key, value);
      else await compareAndSet(client, key, value, context);
      await pause(10);
    }
  },
  check(history) {
    return checkLinearizability(history.operations, registerModel);
  },
};

async function read(client: WorkloadClient, key: string, { chance }: WorkloadContext): Promise<Seen | undefined> {
  const mode = chance() < 0.5 ? '' : '?consistent';
  let seen: Seen | undefined;
  await client.operate('read', key, null, { method: 'GET', path: `/v1/kv/${key}${mode}` }, ({ status, body }) => {
    if (status === 404) seen = { value: null, index: 0 };
    else {
      const [entry] = JSON.parse(body) as { Value: string | null; ModifyIndex: number }[];
      seen = { value: Buffer.from(entry!.Value ?? '', 'base64').toString(), index: entry!.ModifyIndex };
    }
    return { outcome: 'ok', output: seen.value };
  });
  return seen;
}

async function write(client: WorkloadClient, key: string, value: string): Promise<void> {
  await client.operate('write', key, value, { method: 'PUT', path: `/v1/kv/${key}`, body: value }, ({ body }) => ({
    outcome: body === 'true' ? 'ok' : 'fail',
  }));
}

/** Values are never written twice, so a set that needs an index is one that needs the value that had it. */
async function compareAndSet(client: WorkloadClient, key: string, to: string, context: WorkloadContext): Promise<void> {
  const before = await read(client, key, context);
  if (before === undefined) return;
  const path = `/v1/kv/${key}?cas=${before.index}`;
  await client.operate('cas', key, { from: before.value, to }, { method: 'PUT', path, body: to }, ({ body }) => ({
    outcome: 'ok',
    output: body === 'true',
  }));
}
