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

function check(workload: string, operations: readonly Operation[], final?: unknown): boolean {
  const history = new History();
  for (const each of operations) history.add(each);
  return workloads[workload]!.check(history, final, { history } as WorkloadContext).valid;
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
