/**
 * Money moves between accounts in transactions of two check-and-sets, and a counter counts by a loop of check-and-sets. What is
 * seen of the accounts at one moment always adds up, in every way of reading, old or new; and a number counts once.
 */
import type { Operation } from '../history.ts';
import type { Reply } from '../real/client.ts';
import { pause, verdictOf, type Workload } from './workload.ts';

const accounts = ['a', 'b', 'c', 'd', 'e'];
const openingBalance = 100;
const total = accounts.length * openingBalance;
/** An old state adds up as well as the present one. */
const ways = ['', 'consistent', 'stale'];

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

interface Account {
  readonly key: string;
  readonly balance: number;
  readonly index: number;
}

const numberIn = ({ Value }: Entry): number => Number(Buffer.from(Value ?? '', 'base64').toString());

/** Of an answer about keys; nothing where there are none. */
function accountsIn({ status, body }: Reply): Account[] {
  if (status === 404) return [];
  return (JSON.parse(body) as Entry[]).map((entry) => ({
    key: entry.Key,
    balance: numberIn(entry),
    index: entry.ModifyIndex,
  }));
}

const setTo = (Key: string, value: number, index?: number): object => ({
  KV: {
    ...{ Verb: index === undefined ? 'set' : 'cas', Key, Value: Buffer.from(String(value)).toString('base64') },
    ...(index === undefined ? {} : { Index: index }),
  },
});

export const bank: Workload = {
  name: 'bank',
  promise:
    'transfers in transactions keep the total, in every read and at every age, and a counter counts each count once',
  clients: 4,
  acknowledges: ['read', 'transfer', 'count'],
  async setup(client, { run }) {
    const open = accounts.map((name) => setTo(`${run}/account/${name}`, openingBalance));
    await client.plain('PUT', '/v1/txn', JSON.stringify([...open, setTo(`${run}/counter`, 0)]));
  },
  async client(client, _index, { run, over, chance }) {
    const look = (path: string, op: string): Promise<{ outcome: string; output?: unknown }> =>
      client.operate(op, 'bank', null, { method: 'GET', path }, (reply) => ({
        outcome: 'ok',
        output: accountsIn(reply),
      }));
    while (!over()) {
      await pause(10);
      if (chance() < 0.25) {
        const seen = await look(`/v1/kv/${run}/counter`, 'look');
        const [counter] = (seen.output ?? []) as Account[];
        if (counter === undefined) continue;
        const next = counter.balance + 1;
        const path = `/v1/kv/${counter.key}?cas=${counter.index}`;
        await client.operate('count', 'bank', next, { method: 'PUT', path, body: String(next) }, ({ body }) => ({
          outcome: body === 'true' ? 'ok' : 'fail',
        }));
        continue;
      }
      const way = ways[Math.floor(chance() * ways.length)]!;
      const seen = await look(`/v1/kv/${run}/account/?recurse&${way}`, 'read');
      const all = (seen.output ?? []) as Account[];
      const from = all[Math.floor(chance() * all.length)];
      const to = all[Math.floor(chance() * all.length)];
      if (from === undefined || to === undefined || from === to || from.balance === 0) continue;
      const amount = 1 + Math.floor(chance() * from.balance);
      const body = JSON.stringify([
        setTo(from.key, from.balance - amount, from.index),
        setTo(to.key, to.balance + amount, to.index),
      ]);
      await client.operate('transfer', 'bank', amount, { method: 'PUT', path: '/v1/txn', body }, ({ status }) => ({
        outcome: status === 200 ? 'ok' : 'fail',
      }));
    }
  },
  async final(client, { run }) {
    const body = await client.plain('GET', `/v1/kv/${run}/?recurse&consistent`);
    return JSON.parse(body) as Entry[];
  },
  check(history, final) {
    const entries = final as Entry[];
    const counter = entries.find(({ Key }) => Key.endsWith('/counter'));
    const held = entries
      .filter((entry) => entry !== counter)
      .map((entry) => ({ key: entry.Key, balance: numberIn(entry), index: entry.ModifyIndex }));
    const violations = history
      .of('read', 'ok')
      // A stale read may be older than the accounts.
      .filter(({ output }) => (output as Account[]).length > 0)
      .flatMap(({ output, server, startMs }) =>
        wrongIn(output as Account[], `server ${server} at ${startMs.toFixed(0)} ms`),
      );
    violations.push(...wrongIn(held, 'the last read'));
    violations.push(...countsIn(history.of('count'), counter === undefined ? 0 : numberIn(counter)));
    return verdictOf(
      violations,
      `${history.of('transfer', 'ok').length} transfers, ${history.of('read', 'ok').length} reads that add up, ${history.of('count', 'ok').length} counts`,
    );
  },
};

function wrongIn(held: readonly Account[], where: string): string[] {
  const sum = held.reduce((all, { balance }) => all + balance, 0);
  const overdrawn = held.find(({ balance }) => balance < 0);
  if (held.length !== accounts.length) return [`${where}: ${held.length} accounts of ${accounts.length}`];
  if (sum !== total) return [`${where}: the accounts hold ${sum} instead of ${total}`];
  return overdrawn === undefined ? [] : [`${where}: ${overdrawn.key} holds ${overdrawn.balance}`];
}

/** Each count made its number out of the one before: nobody else can have made it too, and none that was made is lost. */
function countsIn(counts: readonly Operation[], counter: number): string[] {
  const made = counts.filter(({ outcome }) => outcome === 'ok').map(({ input }) => input as number);
  const twice = made.filter((number, i) => made.indexOf(number) !== i).map((number) => `${number} was counted twice`);
  const most = made.length + counts.filter(({ outcome }) => outcome === 'unknown').length;
  if (counter < made.length) twice.push(`the counter stands at ${counter} after ${made.length} acknowledged counts`);
  if (counter > most) twice.push(`the counter stands at ${counter}, and only ${most} counts can have happened`);
  return twice;
}
