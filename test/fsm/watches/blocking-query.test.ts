/** Blocking reads: who is woken by what, and what it is answered (http-state sheet, 8.3). Time is a manual clock. */
import { describe, expect, it } from 'vitest';
import { type QueryArgs, type QueryName, queries, type Store } from '../../../src/fsm/index.ts';
import { Bench } from '../support.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (bench: Bench, Key: string, value = 'v') => bench.apply('kv.set', { Key, Value: bytes(value), Flags: 0 });
/** Lets woken readers run: a slice of wakes, then the promises that it settled. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

interface Pending {
  answer: { readonly index: number; readonly notFound: boolean } | undefined;
  error: unknown;
}

function block<N extends QueryName>(
  bench: Bench,
  name: N,
  args: QueryArgs<N>,
  options: { minIndex?: number; waitMs?: number; signal?: AbortSignal } = {},
): Pending {
  const pending: Pending = { answer: undefined, error: undefined };
  const minIndex = options.minIndex ?? Math.max(1, bench.query(name, args).index);
  const blocking = { minIndex, waitMs: options.waitMs ?? 1_000, signal: options.signal };
  const query = queries[name] as unknown as Parameters<Store['blocking']>[0];
  bench.store.blocking(query, args, blocking).then(
    (answer) => {
      pending.answer = answer;
    },
    (error) => {
      pending.error = error;
    },
  );
  return pending;
}

function filled(): Bench {
  const bench = new Bench();
  put(bench, 'a/1');
  bench.register({ Node: 'n1', Address: '10.0.0.1', Service: { Service: 'web' } });
  return bench;
}
const del = (bench: Bench, Key: string) => bench.apply('kv.delete', { Key });
const register = (bench: Bench, Node: string, Service: string) =>
  bench.register({ Node, Address: '10.0.0.2', Service: { Service } });

describe('is woken', () => {
  it.each([
    { name: 'a key, by its own change', query: ['kv.get', { key: 'a/1' }], write: (b: Bench) => put(b, 'a/1', 'w') },
    { name: 'a key, by its deletion', query: ['kv.get', { key: 'a/1' }], write: (b: Bench) => del(b, 'a/1') },
    { name: 'an absent key, by its creation', query: ['kv.get', { key: 'x' }], write: (b: Bench) => put(b, 'x') },
    {
      name: 'a prefix, by the deletion of its last key',
      query: ['kv.list', { prefix: 'a/' }],
      write: (b: Bench) => del(b, 'a/1'),
    },
    {
      name: 'a service, by a new instance',
      query: ['health.service', { name: 'WEB' }],
      write: (b: Bench) => register(b, 'n2', 'web'),
    },
    {
      name: 'an absent service, by its first instance',
      query: ['health.service', { name: 'api' }],
      write: (b: Bench) => register(b, 'n2', 'api'),
    },
    {
      name: 'a node, by a service on another node',
      query: ['catalog.node', { node: 'n1' }],
      write: (b: Bench) => register(b, 'n2', 'api'),
    },
    { name: 'services, by a new name', query: ['catalog.services', {}], write: (b: Bench) => register(b, 'n2', 'api') },
  ] as const)('$name', async ({ query: [name, args], write }) => {
    const bench = filled();
    const pending = block(bench, name, args as never);
    expect(bench.store.waiting).toBe(1);
    write(bench);
    await turn();
    expect(pending.answer?.index).toBe(bench.index);
    expect(bench.store.waiting).toBe(0);
    expect(bench.clock.pending).toBe(0);
  });
});

describe('is not woken, and answers at its end with the newer index', () => {
  it.each([
    {
      name: 'an absent key, by other keys',
      query: ['kv.get', { key: 'a/2' }],
      write: (b: Bench) => put(b, 'a/22'),
      moves: true,
    },
    {
      name: 'a key, by other keys',
      query: ['kv.get', { key: 'a/1' }],
      write: (b: Bench) => put(b, 'a/2'),
      moves: false,
    },
    {
      name: 'a prefix, by keys outside',
      query: ['kv.list', { prefix: 'a/' }],
      write: (b: Bench) => put(b, 'b'),
      moves: false,
    },
    {
      name: 'an empty prefix, by keys outside',
      query: ['kv.list', { prefix: 'z/' }],
      write: (b: Bench) => put(b, 'b'),
      moves: true,
    },
    {
      name: 'an absent service, by another',
      query: ['health.service', { name: 'api' }],
      write: (b: Bench) => register(b, 'n2', 'db'),
      moves: true,
    },
    {
      name: 'a service, by another',
      query: ['health.service', { name: 'web' }],
      write: (b: Bench) => register(b, 'n2', 'db'),
      moves: false,
    },
  ] as const)('$name', async ({ query: [name, args], write, moves }) => {
    const bench = filled();
    const before = Math.max(1, bench.query(name, args as never).index);
    const pending = block(bench, name, args as never, { waitMs: 1_000 });
    write(bench);
    await turn();
    expect(pending.answer).toBeUndefined();
    bench.clock.advance(1_000);
    await turn();
    expect(pending.answer?.index).toBe(moves ? bench.index : before);
  });
});

it('returns at once below the current index, and without one', async () => {
  const bench = filled();
  const lower = block(bench, 'kv.get', { key: 'a/1' }, { minIndex: bench.query('kv.get', { key: 'a/1' }).index - 1 });
  const none = block(bench, 'kv.get', { key: 'a/1' }, { minIndex: 0 });
  await turn();
  expect([lower.answer, none.answer].every((answer) => answer !== undefined)).toBe(true);
});

it('blocks on an index of the future, and then reports the current one', async () => {
  const bench = filled();
  const pending = block(bench, 'kv.get', { key: 'a/1' }, { minIndex: 1_000, waitMs: 50 });
  put(bench, 'a/1', 'w');
  await turn();
  expect(pending.answer).toBeUndefined();
  bench.clock.advance(50);
  await turn();
  expect(pending.answer?.index).toBe(bench.index);
});

it('stays blocked on an absent key that comes and goes between two looks', async () => {
  const bench = filled();
  const pending = block(bench, 'kv.get', { key: 'x' });
  put(bench, 'x');
  del(bench, 'x');
  await turn();
  expect(pending.answer).toBeUndefined();
  expect(bench.store.waiting).toBe(1);
});

it('ends when the caller goes, and leaves nothing behind', async () => {
  const bench = filled();
  const caller = new AbortController();
  const pending = block(bench, 'kv.get', { key: 'a/1' }, { signal: caller.signal });
  caller.abort();
  await turn();
  expect(pending.error).toMatchObject({ code: 'ABORTED' });
  expect([bench.store.waiting, bench.clock.pending]).toEqual([0, 0]);
});

it('answers everybody when the store closes', async () => {
  const bench = filled();
  const pending = Array.from({ length: 2_000 }, () => block(bench, 'kv.get', { key: 'a/1' }));
  bench.store.close();
  for (let i = 0; i < 100 && pending.some((one) => one.answer === undefined); i++) await turn();
  expect(pending.every((one) => one.answer !== undefined)).toBe(true);
});
