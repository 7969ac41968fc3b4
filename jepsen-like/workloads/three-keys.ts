/** Three keys of a folder that are read and written together, as one object: transactions and lists, each of one moment. */
import type { Reply, Verdict, WorkloadClient } from '../real/client.ts';
import type { WorkloadContext } from './workload.ts';

const names = ['x', 'y', 'z'];

/** Values by name; a name that was never written is not in it. */
export type Three = Readonly<Record<string, string>>;

/** Equal texts for equal states. */
export const textOf = (three: Three): string => JSON.stringify(names.map((name) => three[name] ?? null));

/** By a transaction that only looks, or by a list. */
export async function readThree(client: WorkloadClient, folder: string, { chance }: WorkloadContext): Promise<void> {
  const way = chance() < 0.5 ? '' : 'consistent';
  if (chance() < 0.5) {
    const path = `/v1/kv/${folder}?recurse&${way}`;
    await client.operate('read', folder, null, { method: 'GET', path }, ({ status, body }) => ({
      outcome: 'ok',
      output: status === 404 ? {} : threeOf(JSON.parse(body) as Entry[]),
    }));
    return;
  }
  const body = JSON.stringify([{ KV: { Verb: 'get-tree', Key: folder } }]);
  await client.operate('read', folder, null, { method: 'PUT', path: `/v1/txn?${way}`, body }, seenBy);
}

/** Reads all, then writes `value` to one or two of them, in one transaction. */
export async function writeSome(
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

const threeOf = (entries: readonly Entry[]): Three =>
  Object.fromEntries(
    entries.map(({ Key, Value }) => [Key.split('/').at(-1)!, Buffer.from(Value ?? '', 'base64').toString()]),
  );

/** What the transaction saw before it wrote: results without a value are those of its writes. */
function seenBy({ status, body }: Reply): Verdict {
  if (status !== 200) return { outcome: 'fail' };
  const { Results } = JSON.parse(body) as { Results: readonly { readonly KV: Entry }[] | null };
  const found = (Results ?? []).map(({ KV }) => KV).filter(({ Value }) => Value !== null);
  return { outcome: 'ok', output: threeOf(found) };
}
