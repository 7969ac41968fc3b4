/**
 * Transactions that read all of three keys and write some of them, as one operation each: strictly serializable, which is that the
 * three together are one linearizable object. A write skew, a transaction seen half, or a read of the past is no order of such.
 * The keys are used for a few seconds, so that the search over their history stays small.
 */
import { checkLinearizability, type Model } from '../checkers/linearizability.ts';
import type { WorkloadClient } from '../real/client.ts';
import { pause, type Workload, type WorkloadContext } from './workload.ts';

const lifeMs = 2_500;
const names = ['x', 'y', 'z'];

/** Values by name; a name that was never written is not in it. */
type State = Readonly<Record<string, string>>;

const textOf = (state: State): string => JSON.stringify(names.map((name) => state[name] ?? null));

const model: Model<State> = {
  initial: {},
  step(state, { input, output, outcome }) {
    if (outcome === 'ok' && textOf(output as State) !== textOf(state)) return undefined;
    return input === null ? state : { ...state, ...(input as State) };
  },
  key: textOf,
};

export const transactions: Workload = {
  name: 'transactions',
  promise: 'transactions over several keys are strictly serializable, whichever server is asked',
  clients: 4,
  acknowledges: ['read', 'write'],
  async client(client, index, context) {
    const { history, over, chance, run } = context;
    for (let n = 0; !over(); n++) {
      const folder = `${run}/${Math.floor(history.nowMs() / lifeMs)}/`;
      if (chance() < 0.4) await read(client, folder, context);
      else await write(client, folder, `${index}-${n}`, context);
      await pause(10);
    }
  },
  check: ({ operations }) => checkLinearizability(operations, model as Model<unknown>),
};

/** By a transaction that only looks, or by a list: either shows one moment. */
async function read(client: WorkloadClient, folder: string, { chance }: WorkloadContext): Promise<void> {
  const way = chance() < 0.5 ? '' : 'consistent';
  if (chance() < 0.5) {
    await client.operate('read', folder, null, { method: 'GET', path: `/v1/kv/${folder}?recurse&${way}` }, (reply) => ({
      outcome: 'ok',
      output: reply.status === 404 ? {} : stateOf(JSON.parse(reply.body) as Entry[]),
    }));
    return;
  }
  const body = JSON.stringify([{ KV: { Verb: 'get-tree', Key: folder } }]);
  await client.operate('read', folder, null, { method: 'PUT', path: `/v1/txn?${way}`, body }, seenBy);
}

/** Reads all, then writes one or two of them. */
async function write(
  client: WorkloadClient,
  folder: string,
  value: string,
  { chance }: WorkloadContext,
): Promise<void> {
  const first = Math.floor(chance() * names.length);
  const written = [names[first]!, ...(chance() < 0.5 ? [names[(first + 1) % names.length]!] : [])];
  const body = JSON.stringify([
    { KV: { Verb: 'get-tree', Key: folder } },
    ...written.map((name) => ({
      KV: { Verb: 'set', Key: `${folder}${name}`, Value: Buffer.from(value).toString('base64') },
    })),
  ]);
  const input = Object.fromEntries(written.map((name) => [name, value]));
  await client.operate('write', folder, input, { method: 'PUT', path: '/v1/txn', body }, seenBy);
}

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
}

const stateOf = (entries: readonly Entry[]): State =>
  Object.fromEntries(
    entries.map(({ Key, Value }) => [Key.split('/').at(-1)!, Buffer.from(Value ?? '', 'base64').toString()]),
  );

/** What the transaction saw before it wrote: results without a value are those of its writes. */
function seenBy({ status, body }: { status: number; body: string }): { outcome: 'ok' | 'fail'; output?: State } {
  if (status !== 200) return { outcome: 'fail' };
  const { Results } = JSON.parse(body) as { Results: readonly { readonly KV: Entry }[] | null };
  const found = (Results ?? []).map(({ KV }) => KV).filter(({ Value }) => Value !== null);
  return { outcome: 'ok', output: stateOf(found) };
}
