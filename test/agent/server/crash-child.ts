/**
 * A server that is going to be killed. It first prints what it finds, then takes writes from several clients at once and
 * prints each acknowledgement, in the order given, with a synchronous write: what the parent has read was acknowledged.
 *
 *     opened <how>              whether the state was as left, or had to be rebuilt
 *     found {"<key>": "<value>", …}
 *     sent <key> <value>        before the write is proposed: from here on it may be there
 *     acked <key> <value>       it must be there, for ever
 *
 * Clients write sequences to a key of their own, and, in one transaction, the same number to a pair of keys.
 */
import { writeSync } from 'node:fs';
import type { TxnOperation } from '../../../src/structs/index.ts';
import { caller, openServer, reading } from './support.ts';

const [dataDir, clientsText] = process.argv.slice(2) as [string, string];
const say = (line: string): void => void writeSync(1, `${line}\n`);

const server = await openServer({ dataDir, raftSettings: { checkpointEntries: 300, trailingEntries: 100 } });
say(`opened ${server.state.opened}`);
const { value: entries } = await server.query('kv.list', { prefix: '' }, { ...reading, consistency: 'consistent' });
const found = Object.fromEntries(entries.map((e) => [e.Key, Buffer.from(e.Value ?? []).toString()]));
say(`found ${JSON.stringify(found)}`);

const set = (Key: string, value: number): TxnOperation => ({
  KV: { Verb: 'set', Key, Value: Buffer.from(String(value)), Flags: 0, Index: 0, Session: '', Namespace: '' },
  Node: null,
  Service: null,
  Check: null,
});

async function sequence(key: string): Promise<never> {
  for (let value = Number(found[key] ?? 0) + 1; ; value++) {
    say(`sent ${key} ${value}`);
    await server.apply('kv.set', { Key: key, Value: Buffer.from(String(value)), Flags: 0 }, caller);
    say(`acked ${key} ${value}`);
  }
}

async function pairs(key: string): Promise<never> {
  for (let value = Number(found[`${key}/a`] ?? 0) + 1; ; value++) {
    say(`sent ${key}/a ${value}`);
    await server.apply('txn', { Ops: [set(`${key}/a`, value), set(`${key}/b`, value)] }, caller);
    say(`acked ${key}/a ${value}`);
  }
}

for (let i = 0; i < Number(clientsText); i++) void (i % 2 === 0 ? sequence(`s/${i}`) : pairs(`p/${i}`));
