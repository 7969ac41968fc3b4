/**
 * What replication rests on: the same entries give the same state, however they were batched, on whatever storage, with
 * warm or cold caches, with or without a stop in between. Random commands; equality of the hash over every row.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  encodeEnvelope,
  LmdbStorage,
  MemoryStorage,
  queries,
  type Storage,
  Store,
  stateHash,
} from '../../src/fsm/index.ts';
import { anyCommand, encodeCommand } from './random-commands.ts';
import { ManualClock } from './support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-determinism-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const clock = new ManualClock();
const storeOn = (storage: Storage): Store => new Store(storage, { clock, defer: () => undefined });
const history = fc.array(anyCommand, { maxLength: 40 });
type Entries = readonly { readonly index: number; readonly data: Uint8Array }[];
/** Indexes with gaps, as Raft has entries of its own. */
const entriesOf = (commands: readonly Parameters<typeof encodeCommand>[0][]): Entries =>
  commands.map((command, i) => ({ index: 2 * i + 3, data: encodeCommand(command) }));

/** Everything that the queries show of a small world. */
function show(store: Store): unknown {
  const read = (name: keyof typeof queries, args: object) =>
    store.read(queries[name] as never, args as never) as { readonly index: number; readonly value: unknown };
  const names = ['web', 'db', 'proxies', 'ghost'];
  return [
    read('catalog.nodes', {}),
    read('catalog.services', {}),
    ...names.flatMap((name) =>
      (['catalog.service', 'catalog.connect', 'health.service', 'health.connect'] as const).map((q) =>
        read(q, { name }),
      ),
    ),
    ...['n1', 'n2', 'n3'].flatMap((node) => [read('catalog.node', { node }), read('health.node', { node })]),
    ...['passing', 'warning', 'critical', 'any'].map((state) => read('health.state', { state })),
    read('health.checks', { service: 'web' }),
    read('kv.list', { prefix: '' }),
    read('kv.list', { prefix: 'a/' }),
    ...['a', 'a/b', 'a/c', 'b'].map((key) => read('kv.get', { key })),
    read('session.list', {}),
    read('internal.nodes', {}),
  ].map(({ index, value }) => ({ index, value }));
}

describe('the same entries give the same state', () => {
  it('one by one in memory, in batches on LMDB with a restart in between', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 1, max: 10 }), fc.nat(), async (commands, batch, cut) => {
        const entries = entriesOf(commands);
        const one = storeOn(new MemoryStorage());
        for (const entry of entries) one.apply([entry]);

        const path = join(directory, `rows-${run++}.mdb`);
        let storage = new LmdbStorage(path);
        let two = storeOn(storage);
        const stop = entries.length === 0 ? 0 : cut % entries.length;
        for (let at = 0; at < entries.length; at += batch) {
          if (at >= stop && at - batch < stop) {
            await storage.close();
            storage = new LmdbStorage(path);
            two = storeOn(storage);
          }
          two.apply(entries.slice(at, at + batch));
        }
        expect(stateHash(storage)).toBe(stateHash(one.storage));
        await storage.close();
      }),
      { numRuns: 60 },
    );
  });

  it('and a store that was read from all along shows what a fresh one shows', () => {
    fc.assert(
      fc.property(history, (commands) => {
        const storage = new MemoryStorage();
        const warm = storeOn(storage);
        for (const entry of entriesOf(commands)) {
          warm.apply([entry]);
          expect(show(warm)).toEqual(show(storeOn(storage)));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('and no index of a read goes back while nothing is reaped, but to 0 for a node that is gone', () => {
    const growing = history.map((commands) => commands.filter(({ name }) => name !== 'tombstone.reap'));
    fc.assert(
      fc.property(growing, (commands) => {
        const store = storeOn(new MemoryStorage());
        const indexes = (): number[] => (show(store) as { readonly index: number }[]).map(({ index }) => index);
        let before = indexes();
        for (const entry of entriesOf(commands)) {
          store.apply([entry]);
          const after = indexes();
          after.forEach((index, i) => {
            if (index !== 0) expect(index).toBeGreaterThanOrEqual(before[i]!);
          });
          before = after;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a change of an answer moves its index', () => {
  // The rule behind every blocking read: an answer that differs from the one before reports another index.
  it('for services, proxies, checks, keys and sessions', () => {
    const noReap = history.map((commands) => commands.filter(({ name }) => name !== 'tombstone.reap'));
    fc.assert(
      fc.property(noReap, (commands) => {
        const store = storeOn(new MemoryStorage());
        let before = show(store) as { readonly index: number; readonly value: unknown }[];
        for (const entry of entriesOf(commands)) {
          store.apply([entry]);
          const after = show(store) as typeof before;
          after.forEach(({ index, value }, i) => {
            if (JSON.stringify(value, plain) !== JSON.stringify(before[i]!.value, plain)) {
              expect(index).not.toBe(before[i]!.index);
            }
          });
          before = after;
        }
      }),
      { numRuns: 100 },
    );
  });
});
const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

describe('what a release does not know stops it', () => {
  const origin = { accessor: '', agent: '', address: '', call: '', timeMs: 0 };
  it.each([
    { name: 'an unknown command', data: encodeEnvelope({ name: 'kv.frob', version: 1, origin, args: {} }) },
    { name: 'an unknown version', data: encodeEnvelope({ name: 'kv.set', version: 99, origin, args: {} }) },
    { name: 'an inherited name', data: encodeEnvelope({ name: 'toString', version: 1, origin, args: {} }) },
    { name: 'another format', data: Buffer.from([0x91, 0x02]) },
  ])('$name: nothing of its batch is applied', ({ data }) => {
    const store = storeOn(new MemoryStorage());
    const good = encodeCommand({ name: 'kv.set', args: { Key: 'k', Value: null, Flags: 0 } });
    store.apply([{ index: 1, data: good }]);
    const before = stateHash(store.storage);
    expect(() =>
      store.apply([
        { index: 2, data: good },
        { index: 3, data },
      ]),
    ).toThrow(expect.objectContaining({ code: 'COMMAND_UNKNOWN' }));
    expect(stateHash(store.storage)).toBe(before);
    expect(store.raftIndex).toBe(1);
  });
});
