/** Checkers prove nothing unless they catch: each is shown a good history and one with each fault that it exists for. */
import { describe, expect, it } from 'vitest';
import { History, type Operation } from '../../jepsen-like/history.ts';
import { workloads } from '../../jepsen-like/workloads/index.ts';
import type { WorkloadContext } from '../../jepsen-like/workloads/workload.ts';

let at = 0;
const operation = (op: string, more: Partial<Operation>): Operation => ({
  client: 0,
  server: 0,
  op,
  key: 'k',
  input: null,
  output: null,
  outcome: 'ok',
  startMs: ++at,
  endMs: ++at,
  ...more,
});

function check(workload: string, operations: readonly Operation[], final?: unknown, faults: object[] = []): boolean {
  const history = new History();
  for (const each of operations) history.add(each);
  return workloads[workload]!.check(history, final, { history, faults } as unknown as WorkloadContext).valid;
}

describe('set', () => {
  it('holds when every acknowledged element is there, and an unknown one either way', () => {
    const operations = [operation('add', { input: 'a' }), operation('add', { input: 'b', outcome: 'unknown' })];
    expect(check('set', operations, ['a'])).toBe(true);
    expect(check('set', operations, ['a', 'b'])).toBe(true);
  });
  it('sees a lost element, one that failed for certain and is there, and one from nowhere', () => {
    expect(check('set', [operation('add', { input: 'a' })], [])).toBe(false);
    expect(check('set', [operation('add', { input: 'a', outcome: 'fail' })], ['a'])).toBe(false);
    expect(check('set', [], ['a'])).toBe(false);
  });
});

describe('append', () => {
  const read = (list: string[]): Operation => operation('read', { output: { list, index: 1 } });
  it('holds for prefixes', () => {
    expect(check('append', [read([]), operation('append', { input: 'a' }), read(['a'])], ['a', 'b'])).toBe(true);
  });
  it('sees a lost, a doubled and a moved element', () => {
    expect(check('append', [operation('append', { input: 'a' })], ['b'])).toBe(false);
    expect(check('append', [], ['a', 'a'])).toBe(false);
    expect(check('append', [read(['b', 'a'])], ['a', 'b'])).toBe(false);
  });
});

describe('queue', () => {
  const put = (input: string): Operation => operation('enqueue', { input });
  const take = (input: string, outcome: Operation['outcome'] = 'ok'): Operation =>
    operation('dequeue', { input, outcome });
  it('holds when items are taken once or left', () => {
    expect(check('queue', [put('a'), put('b'), take('a')], ['q/b'])).toBe(true);
    expect(check('queue', [put('a'), take('a', 'unknown')], [])).toBe(true);
  });
  it('sees one taken twice, one lost, and one taken that is still there', () => {
    expect(check('queue', [put('a'), take('a'), take('a')], [])).toBe(false);
    expect(check('queue', [put('a')], [])).toBe(false);
    expect(check('queue', [put('a'), take('a')], ['q/a'])).toBe(false);
  });
});

describe('lock', () => {
  const token = (input: string, output: number): Operation => operation('token', { input, output });
  it('holds for rising tokens', () => {
    expect(check('lock', [token('s1', 1), token('s2', 2)])).toBe(true);
  });
  it('sees a token of two sessions, and one that goes back', () => {
    expect(check('lock', [token('s1', 1), token('s2', 1)])).toBe(false);
    expect(check('lock', [token('s1', 2), token('s2', 1)])).toBe(false);
  });
});

describe('intentions', () => {
  const set = (input: boolean, outcome: Operation['outcome'] = 'ok'): Operation => operation('set', { input, outcome });
  const asked = (output: boolean): Operation => operation('check', { output });
  it('holds for the value in force', () => {
    expect(check('intentions', [asked(true), set(false), asked(false), set(true), asked(true)])).toBe(true);
  });
  it('allows both while a change is under way or its outcome is unknown', () => {
    const slow = { ...set(false), startMs: at, endMs: at + 100 };
    expect(check('intentions', [slow, asked(true), asked(false)])).toBe(true);
    at += 200;
    expect(check('intentions', [set(false, 'unknown'), asked(true), asked(false)])).toBe(true);
  });
  it('sees an allow after an acknowledged deny', () => {
    expect(check('intentions', [set(false), asked(true)])).toBe(false);
  });
});

describe('serials', () => {
  const leaf = (input: string, output: string): Operation => operation('leaf', { input, output });
  it('sees a serial number given twice', () => {
    expect(check('serials', [leaf('a', '01'), leaf('b', '02')])).toBe(true);
    expect(check('serials', [leaf('a', '01'), leaf('b', '01')])).toBe(false);
  });
});

describe('register', () => {
  it('sees a read of a value that was overwritten before it began', () => {
    const write = (input: string): Operation => operation('write', { input });
    const read = (output: string): Operation => operation('read', { output });
    expect(check('register', [write('a'), read('a'), write('b'), read('b')])).toBe(true);
    expect(check('register', [write('a'), write('b'), read('a')])).toBe(false);
  });
});

describe('sessions', () => {
  const life = (goneMs: number): Operation[] => [
    operation('create', { key: 's', startMs: 0, endMs: 5 }),
    operation('take', { key: 's', startMs: 6, endMs: 9 }),
    operation('look', { key: 's', output: false, startMs: goneMs - 1, endMs: goneMs }),
  ];
  it('sees a session that ended before its time', () => {
    expect(check('sessions', life(10_000))).toBe(true);
    expect(check('sessions', life(9_999))).toBe(false);
  });
});

describe('bank', () => {
  const accounts = (...balances: number[]): object[] =>
    balances.map((balance, i) => ({ key: `account/${i}`, balance, index: i }));
  const entries = (counter: number, ...balances: number[]): object[] =>
    [...balances, counter].map((value, i) => ({
      Key: i === balances.length ? 'run/counter' : `run/account/${i}`,
      Value: Buffer.from(String(value)).toString('base64'),
      ModifyIndex: i,
    }));
  const read = (...balances: number[]): Operation => operation('read', { output: accounts(...balances) });
  const count = (input: number, outcome: Operation['outcome'] = 'ok'): Operation =>
    operation('count', { input, outcome });
  const even = [100, 100, 100, 100, 100];

  it('holds when every read adds up and every count counts', () => {
    const operations = [read(...even), read(50, 150, 100, 100, 100), count(1), count(2), count(3, 'unknown')];
    expect(check('bank', operations, entries(2, ...even))).toBe(true);
    expect(check('bank', operations, entries(3, ...even))).toBe(true);
  });
  it('takes a stale read from before the accounts for none', () => {
    expect(check('bank', [read()], entries(0, ...even))).toBe(true);
  });
  it.each([
    ['half a transfer in a read', [read(50, 100, 100, 100, 100)], entries(0, ...even)],
    ['half a transfer at the end', [], entries(0, 50, 100, 100, 100, 100)],
    ['an account that is missing', [read(200, 100, 100, 100)], entries(0, ...even)],
    ['an account that was overdrawn', [read(-1, 201, 100, 100, 100)], entries(0, ...even)],
    ['a number that counted twice', [count(1), count(1)], entries(2, ...even)],
    ['a lost count', [count(1), count(2)], entries(1, ...even)],
    ['a count that was refused and counted', [count(1), count(2, 'fail')], entries(2, ...even)],
  ])('sees %s', (_, operations, final) => {
    expect(check('bank', operations, final)).toBe(false);
  });
});

describe('transactions', () => {
  const write = (input: object, output: object, more: Partial<Operation> = {}): Operation =>
    operation('write', { input, output, ...more });
  const read = (output: object): Operation => operation('read', { output });

  it('holds for an order that everybody saw, with what was never acknowledged in it or not', () => {
    const lost = write({ z: '9' }, {}, { outcome: 'unknown', output: null });
    const before = [write({ x: '1', y: '1' }, {}), lost];
    expect(check('transactions', [...before, read({ x: '1', y: '1' })])).toBe(true);
    expect(check('transactions', [...before, read({ x: '1', y: '1', z: '9' })])).toBe(true);
  });
  it('sees half a transaction', () => {
    expect(check('transactions', [write({ x: '1', y: '1' }, {}), read({ x: '1' })])).toBe(false);
  });
  it('sees a read of the past', () => {
    const operations = [write({ x: '1' }, {}), write({ x: '2' }, { x: '1' }), read({ x: '1' })];
    expect(check('transactions', operations)).toBe(false);
  });
  it('sees a write skew: both saw nothing, and both wrote', () => {
    const together = { startMs: ++at, endMs: at + 10 };
    at += 10;
    const one = write({ x: '1' }, {}, together);
    expect(check('transactions', [one, write({ y: '1' }, {}, together)])).toBe(false);
    expect(check('transactions', [one, write({ y: '1' }, { x: '1' }, together)])).toBe(true);
  });
  it('sees two readers that saw two writes in two orders', () => {
    const together = { startMs: ++at, endMs: at + 10 };
    at += 10;
    const writes = [write({ x: '1' }, {}, together), write({ y: '1' }, { x: '1' }, together)];
    expect(check('transactions', [...writes, { ...read({ y: '1' }), ...together }])).toBe(false);
  });
});

describe('catalog', () => {
  const host = (agent: object, catalog: object = agent): object[] => [{ server: 0, agent, catalog }];
  const register = (input: number, outcome: Operation['outcome'] = 'ok'): Operation =>
    operation('register', { input, outcome });
  const end = (outcome: Operation['outcome'] = 'ok'): Operation => operation('deregister', { outcome });

  it('holds when agent and catalog say the last thing acknowledged, or one of unknown outcome', () => {
    expect(check('catalog', [register(1), register(2)], host({ k: 2 }))).toBe(true);
    expect(check('catalog', [register(1), end()], host({}))).toBe(true);
    expect(check('catalog', [register(1), register(2, 'unknown')], host({ k: 1 }))).toBe(true);
    expect(check('catalog', [register(1), end('unknown')], host({}))).toBe(true);
  });
  it.each([
    ['a service that the catalog has and the agent has not', [register(1), end()], host({}, { k: 1 })],
    ['one that the catalog lacks', [register(1)], host({ k: 1 }, {})],
    ['one that it has as it was', [register(1), register(2)], host({ k: 2 }, { k: 1 })],
    ['an agent that forgot', [register(1)], host({})],
    ['an agent that went back', [register(1), register(2)], host({ k: 1 })],
    ['one that refused and did it', [register(1), register(2, 'fail')], host({ k: 2 })],
  ])('sees %s', (_, operations, final) => {
    expect(check('catalog', operations, final)).toBe(false);
  });
  it('asks no memory of an agent whose data was taken away', () => {
    const faults = [{ nemesis: 'rolling-membership' }];
    expect(check('catalog', [register(1)], host({}), faults)).toBe(true);
    expect(check('catalog', [register(1)], host({}, { k: 1 }), faults)).toBe(false);
  });
});

describe('restore', () => {
  const write = (input: object, output: object): Operation => operation('write', { input, output });
  const read = (output: object, key = 'k'): Operation => operation('read', { output, key });
  const save = (): Operation => operation('save', {});
  const restored = (outcome: Operation['outcome'] = 'ok'): Operation => operation('restore', { outcome });

  it('holds when the state of the save is back, and nothing of between', () => {
    expect(
      check('restore', [write({ x: '1' }, {}), save(), write({ x: '2' }, { x: '1' }), restored(), read({ x: '1' })]),
    ).toBe(true);
  });
  it.each([
    [
      'what was written in between',
      [write({ x: '1' }, {}), save(), write({ y: '2' }, { x: '1' }), restored(), read({ x: '1', y: '2' })],
    ],
    [
      'half of it',
      [
        write({ x: '1', y: '1' }, {}),
        save(),
        write({ x: '2', y: '2' }, { x: '1', y: '1' }),
        restored(),
        read({ x: '1', y: '2' }),
      ],
    ],
    ['nothing of what was saved', [write({ x: '1' }, {}), save(), restored(), read({})]],
    [
      'the state from before it, at a server that has not heard',
      [save(), write({ x: '1' }, {}), restored(), read({}), read({ x: '1' })],
    ],
    ['what was written after it gone', [save(), restored(), write({ x: '1' }, {}), read({})]],
  ])('sees %s', (_, operations) => {
    expect(check('restore', operations)).toBe(false);
  });
  it('lets one of unknown outcome happen, or not, in a later round too', () => {
    const before = [write({ x: '1' }, {}), save(), write({ x: '2' }, { x: '1' }), restored('unknown')];
    expect(check('restore', [...before, read({ x: '2' })])).toBe(true);
    expect(check('restore', [...before, read({ x: '1' })])).toBe(true);
    const later = operation('write', { key: 'later', input: { x: '3' }, output: {} });
    expect(check('restore', [...before, later, read({}, 'later')])).toBe(true);
    expect(check('restore', [...before, restored(), later, read({ x: '2' }, 'later')])).toBe(false);
  });
  it('sees a watch that slept on, where nothing disturbed', () => {
    const operations = [
      save(),
      operation('watch', { startMs: 1_000, endMs: 4_000 }),
      operation('restore', { startMs: 1_100, endMs: 1_200 }),
    ];
    expect(check('restore', operations)).toBe(false);
    expect(check('restore', operations, undefined, [{ nemesis: 'kill', startMs: 0, endMs: 1_500 }])).toBe(true);
    expect(check('restore', [...operations.slice(0, 1), { ...operations[1]!, endMs: 1_250 }, operations[2]!])).toBe(
      true,
    );
  });
});
