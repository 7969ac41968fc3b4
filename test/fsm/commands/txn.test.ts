/** Transactions: together or not at all, every failure told, verbs and texts one by one. */
import { describe, expect, it } from 'vitest';
import { decode, s, type TxnAnswer, txnOperation } from '../../../src/structs/index.ts';
import { Bench } from '../support.ts';

const operations = (list: readonly object[]) => {
  const decoded = decode(s.list(txnOperation), list, { naming: 'api', unknown: 'refuse' });
  if (!decoded.ok) throw new TypeError(decoded.error);
  return { Ops: decoded.value ?? [] };
};
const run = (bench: Bench, ...list: object[]): TxnAnswer => bench.apply('txn', operations(list));
const look = (bench: Bench, ...list: object[]): TxnAnswer => bench.query('txn.read', operations(list)).value;
const kv = (Verb: string, Key: string, more: object = {}) => ({ KV: { Verb, Key, ...more } });
const session = '11111111-1111-4111-8111-111111111111';
const whats = ({ Errors }: TxnAnswer) => Errors?.map(({ OpIndex, What }) => [OpIndex, What]);

it('applies all of it under one index, later operations seeing earlier ones', () => {
  const bench = new Bench();
  const { Results, Errors } = run(
    bench,
    kv('set', 'a', { Value: 'MQ==' }),
    kv('get', 'a'),
    { Node: { Verb: 'set', Node: { Node: 'n1', Address: 'x' } } },
    { Service: { Verb: 'set', Node: 'n1', Service: { ID: 'web1', Service: 'web' } } },
    { Check: { Verb: 'set', Check: { Node: 'n1', Name: 'c', ServiceID: 'web1' } } },
    kv('delete', 'a'),
  );
  expect(Errors).toBeNull();
  expect(Results).toMatchObject([
    { KV: { Key: 'a', Value: null, ModifyIndex: 1 } },
    { KV: { Key: 'a', Value: Buffer.from('1') } },
    { Node: { Node: 'n1', Datacenter: 'dc1', ModifyIndex: 1 } },
    { Service: { ID: 'web1', ModifyIndex: 1 } },
    { Check: { CheckID: 'c', Status: 'critical', ServiceName: 'web', ModifyIndex: 1 } },
  ]);
  expect(bench.query('kv.get', { key: 'a' }).value).toBeNull();
});

it('tells all failures and applies nothing when one fails', () => {
  const bench = new Bench();
  run(bench, kv('set', 'a', { Value: 'MQ==' }));
  const answer = run(bench, kv('set', 'b'), kv('cas', 'a', { Index: 99 }), kv('get', 'ghost'), kv('set', 'a'));
  expect(answer).toEqual({
    Results: null,
    Errors: [
      { OpIndex: 1, What: 'failed to set key "a", index is stale' },
      { OpIndex: 2, What: 'key "ghost" doesn\'t exist' },
    ],
  });
  expect(bench.query('kv.list', { prefix: '' }).value).toMatchObject([{ Key: 'a', ModifyIndex: 1 }]);
});

it('is refused before the log for what is wrong in any state, and only that is told', () => {
  const bench = new Bench();
  bench.lockDelays.set('held', 1_000);
  const answer = run(bench, kv('set', ''), kv('cas', 'a', { Index: 9 }), kv('lock', 'held', { Session: session }), {
    Node: { Verb: 'set', Node: { Node: 'n', Address: 'x', ID: 'short' } },
  });
  expect(whats(answer)).toEqual([
    [0, 'Must provide key'],
    [2, 'failed to lock key "held" due to lock delay'],
    [3, 'Bad node ID: uuid string is wrong length'],
  ]);
  expect(bench.index).toBe(0);
});

describe('texts of failures', () => {
  const bench = new Bench();
  run(bench, kv('set', 'k', { Value: 'MQ==' }));
  it.each([
    [kv('cas', 'k', { Index: 0 }), 'failed to set key "k", index is stale'],
    [kv('lock', 'k', { Session: '' }), 'missing session'],
    [kv('lock', 'k', { Session: session }), `invalid session "${session}"`],
    [
      kv('unlock', 'k', { Session: session }),
      `failed to unlock key "k", lock isn't held, or is held by another session`,
    ],
    [kv('delete-cas', 'k', { Index: 9 }), 'failed to delete key "k", index is stale'],
    [kv('check-index', 'k', { Index: 9 }), 'failed index check for key "k", current modify index 1 != 9'],
    [kv('check-index', 'x', { Index: 9 }), 'failed to check index, key "x" doesn\'t exist'],
    [kv('check-session', 'k', { Session: 'S' }), 'failed session check for key "k", current session "" != "S"'],
    [kv('check-session', 'x', { Session: 'S' }), 'failed to check session, key "x" doesn\'t exist'],
    [kv('check-not-exists', 'k'), 'key "k" exists'],
    [kv('frob', 'k'), 'unknown KV verb "frob"'],
    [{ Node: { Verb: 'get', Node: { Node: 'n' } } }, 'node "n" doesn\'t exist'],
    [{ Node: { Verb: 'cas', Node: { Node: 'n', ModifyIndex: 4 } } }, 'failed to set node "n", index is stale'],
    [{ Node: { Verb: 'delete-cas', Node: { Node: 'n' } } }, 'failed to delete node "n", index is stale'],
    [{ Node: { Verb: 'frob', Node: { Node: 'n' } } }, 'unknown Node verb "frob"'],
    [{ Service: { Verb: 'get', Node: 'n', Service: { ID: 'i' } } }, 'service "i" on node "n" doesn\'t exist'],
    [{ Service: { Verb: 'set', Node: 'n', Service: { Service: 'i' } } }, 'Missing node registration'],
    [
      { Service: { Verb: 'cas', Node: 'n', Service: { Service: 'i', ModifyIndex: 4 } } },
      'failed to set service "i" on node "n", index is stale',
    ],
    [
      { Service: { Verb: 'delete-cas', Node: 'n', Service: { Service: 'i' } } },
      'failed to delete service "i" on node "n", index is stale',
    ],
    [{ Check: { Verb: 'get', Check: { Node: 'n', CheckID: 'c' } } }, 'check "c" on node "n" doesn\'t exist'],
    [{ Check: { Verb: 'set', Check: { Node: 'n', CheckID: 'c' } } }, 'Missing node registration'],
    [
      { Check: { Verb: 'cas', Check: { Node: 'n', CheckID: 'c', ModifyIndex: 4 } } },
      'failed to set check "c" on node "n", index is stale',
    ],
    [
      { Check: { Verb: 'delete-cas', Check: { Node: 'n', CheckID: 'c' } } },
      'failed to delete check "c" on node "n", index is stale',
    ],
    [{ Check: { Verb: 'frob', Check: { Node: 'n', CheckID: 'c' } } }, 'unknown Check verb "frob"'],
  ])('%j: %s', (operation, text) => {
    expect(whats(run(bench, operation))).toEqual([[0, text]]);
  });

  it.each([kv('delete', 'x'), kv('delete-cas', 'x', { Index: 5 }), kv('delete-tree', 'x/')])(
    '%j is fine with what is not there',
    (operation) => {
      expect(run(bench, operation)).toEqual({ Results: [], Errors: null });
    },
  );
});

it('reads from one view without the log', () => {
  const bench = new Bench();
  run(bench, kv('set', 't/a'), kv('set', 't/b'));
  const before = bench.index;
  const { Results } = look(bench, kv('get-tree', 't/'), kv('check-not-exists', 'x'), kv('get', 't/a'));
  expect(Results?.map((result) => ('KV' in result ? result.KV.Key : ''))).toEqual(['t/a', 't/b', 't/a']);
  expect(whats(look(bench, kv('get', 'x'), kv('frob', 'x')))).toEqual([
    [0, 'key "x" doesn\'t exist'],
    [1, 'unknown KV verb "frob"'],
  ]);
  expect(bench.index).toBe(before);
});
