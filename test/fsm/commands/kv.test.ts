/** The key/value commands and what their reads report: the rules of the API one by one. */
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/fsm/index.ts';
import { second } from '../../../src/std/duration.ts';
import { Bench } from '../support.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const content = (Key: string, value: string, Flags: number | bigint = 0) => ({ Key, Value: bytes(value), Flags });
const get = (bench: Bench, key: string) => bench.query('kv.get', { key });

function withSession(options: { Behavior?: string } = {}): { readonly bench: Bench; readonly session: string } {
  const bench = new Bench();
  bench.register({ Node: 'n1', Address: '10.0.0.1' });
  return { bench, session: createSession(bench, options) };
}

function createSession(bench: Bench, options: { Behavior?: string; NodeChecks?: string[] } = {}): string {
  return bench.apply('session.create', {
    ID: '',
    Name: '',
    Node: 'n1',
    LockDelay: 15 * second,
    Behavior: options.Behavior ?? '',
    TTL: '',
    NodeChecks: options.NodeChecks ?? [],
    ServiceChecks: null,
    Checks: null,
  });
}

describe('set', () => {
  it('counts: create index stays, modify index follows the entry', () => {
    const bench = new Bench();
    bench.apply('kv.set', content('a', '1'));
    const created = bench.index;
    bench.apply('kv.set', content('a', '2', 7));
    expect(get(bench, 'a').value).toMatchObject({ CreateIndex: created, ModifyIndex: bench.index, Flags: 7 });
  });

  it('moves nothing when nothing changes', () => {
    const bench = new Bench();
    bench.apply('kv.set', content('a', '1', 2n ** 64n - 1n));
    const before = get(bench, 'a');
    expect(bench.apply('kv.set', content('a', '1', 2n ** 64n - 1n))).toBe(true);
    expect(get(bench, 'a')).toEqual(before);
    expect(before.value?.Flags).toBe(2n ** 64n - 1n);
  });

  it('keeps the session of a held lock and forgets its lock index', () => {
    const { bench, session } = withSession();
    bench.apply('kv.acquire', { ...content('a', '1'), Session: session });
    bench.apply('kv.set', content('a', '2'));
    expect(get(bench, 'a').value).toMatchObject({ Session: session, LockIndex: 0 });
  });

  it('takes keys of any bytes and length', () => {
    const bench = new Bench();
    for (const key of ['', 'é\u0000', '\u{1f600}', '/', 'x'.repeat(5_000)]) {
      bench.apply('kv.set', content(key, key));
      expect(get(bench, key).value?.Key).toBe(key);
    }
  });
});

describe('check-and-set', () => {
  it.each([
    { name: '0 on an absent key creates', stored: false, index: 0, result: true },
    { name: '0 on a present key fails', stored: true, index: 0, result: false },
    { name: 'another index fails', stored: true, index: 99, result: false },
    { name: 'an index on an absent key fails', stored: false, index: 1, result: false },
    { name: 'the stored index sets', stored: true, index: 1, result: true },
  ])('$name', ({ stored, index, result }) => {
    const bench = new Bench();
    if (stored) bench.apply('kv.set', content('a', '1'));
    expect(bench.apply('kv.cas', { ...content('a', '2'), Index: index })).toBe(result);
    expect(get(bench, 'a').value?.Value).toEqual(result ? Buffer.from('2') : stored ? Buffer.from('1') : undefined);
  });

  it.each([
    { name: 'an absent key counts as deleted', stored: false, index: 7, result: true, left: false },
    { name: 'the stored index deletes', stored: true, index: 1, result: true, left: false },
    { name: '0 on a present key fails', stored: true, index: 0, result: false, left: true },
  ])('delete: $name', ({ stored, index, result, left }) => {
    const bench = new Bench();
    if (stored) bench.apply('kv.set', content('a', '1'));
    expect(bench.apply('kv.deleteCas', { Key: 'a', Index: index })).toBe(result);
    expect(get(bench, 'a').value !== null).toBe(left);
  });
});

describe('locks', () => {
  it('acquires, counts acquisitions, refuses another session, releases', () => {
    const { bench, session } = withSession();
    const other = createSession(bench);
    const lock = (Session: string, value: string) => bench.apply('kv.acquire', { ...content('a', value), Session });
    expect(lock(session, '1')).toBe(true);
    expect(lock(session, '2')).toBe(true);
    expect(get(bench, 'a').value).toMatchObject({ LockIndex: 1, Session: session, Value: Buffer.from('2') });
    expect(lock(other, '3')).toBe(false);
    expect(bench.apply('kv.release', { ...content('a', '4'), Session: other })).toBe(false);
    expect(bench.apply('kv.release', { ...content('a', '5'), Session: session })).toBe(true);
    expect(get(bench, 'a').value).toMatchObject({ LockIndex: 1, Session: '', Value: Buffer.from('5') });
    expect(lock(other, '6')).toBe(true);
    expect(get(bench, 'a').value).toMatchObject({ LockIndex: 2, Session: other });
  });

  it.each([
    { session: '', text: 'missing session' },
    { session: 'abc', text: 'failed session lookup: index error: UUID must be 36 characters' },
    { session: 'f'.repeat(36), text: `invalid session "${'f'.repeat(36)}"` },
  ])('refuses session "$session": $text', ({ session, text }) => {
    const bench = new Bench();
    expect(() => bench.apply('kv.acquire', { ...content('a', '1'), Session: session })).toThrow(
      new Refusal('failed', text),
    );
    expect(get(bench, 'a').value).toBeNull();
  });

  it('are refused while the lock-delay runs, without an entry in the log', () => {
    const { bench, session } = withSession();
    bench.lockDelays.set('a', 5_000);
    const before = bench.index;
    expect(bench.apply('kv.acquire', { ...content('a', '1'), Session: session })).toBe(false);
    expect(bench.index).toBe(before);
    bench.clock.advance(5_000);
    expect(bench.apply('kv.acquire', { ...content('a', '1'), Session: session })).toBe(true);
  });
});

describe('sessions', () => {
  it('end: a released key keeps its value and lock index, a deleting session deletes', () => {
    const { bench, session } = withSession();
    const deleting = createSession(bench, { Behavior: 'delete' });
    bench.apply('kv.acquire', { ...content('a', '1'), Session: session });
    bench.apply('kv.acquire', { ...content('b', '1'), Session: deleting });
    bench.apply('session.destroy', { ID: session });
    expect(get(bench, 'a').value).toMatchObject({ Session: '', LockIndex: 1, ModifyIndex: bench.index });
    bench.apply('session.destroy', { ID: deleting });
    expect(get(bench, 'b')).toMatchObject({ value: null, index: bench.index });
    expect(bench.query('session.list', {}).value).toEqual([]);
  });

  it('end with their node, with a check that goes, with a check that turns critical', () => {
    const bench = new Bench();
    const register = (Status: string) =>
      bench.register({ Node: 'n1', Address: '10.0.0.1', Check: { CheckID: 'c', Name: 'c', Status } });
    const alive = (id: string) => bench.query('session.info', { id }).value !== null;
    register('warning');
    const byCritical = createSession(bench, { NodeChecks: ['C'] });
    register('critical');
    expect(alive(byCritical)).toBe(false);
    register('passing');
    const byCheck = createSession(bench, { NodeChecks: ['c'] });
    bench.apply('catalog.deregister', { Datacenter: '', Node: 'N1', ServiceID: '', CheckID: 'c' });
    expect(alive(byCheck)).toBe(false);
    const byNode = createSession(bench);
    bench.apply('catalog.deregister', { Datacenter: '', Node: 'n1', ServiceID: '', CheckID: '' });
    expect(alive(byNode)).toBe(false);
  });

  it.each([
    { what: { Node: 'ghost' }, text: 'Missing node registration' },
    { what: { NodeChecks: ['ghost'] }, text: "Missing check 'ghost' registration" },
    { what: { NodeChecks: ['crit'] }, text: "Check 'crit' is in critical state" },
    { what: { Behavior: 'explode' }, text: "Invalid Behavior setting 'explode'" },
    { what: { TTL: '5s' }, text: "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]" },
    { what: { TTL: 'abc' }, text: `Session TTL 'abc' invalid: time: invalid duration "abc"` },
  ])('refuse $what: $text', ({ what, text }) => {
    const bench = new Bench();
    const crit = { CheckID: 'crit', Name: 'crit', Status: 'critical' };
    bench.register({ Node: 'n1', Address: '10.0.0.1', Check: crit });
    const session = { ID: '', Name: '', Node: 'n1', LockDelay: 0, Behavior: '', TTL: '', NodeChecks: [] };
    expect(() => bench.apply('session.create', { ...session, ServiceChecks: null, Checks: null, ...what })).toThrow(
      new Refusal('failed', text),
    );
  });
});

describe('lists', () => {
  const filled = (): Bench => {
    const bench = new Bench();
    for (const key of ['golden/dir/a', 'golden/dir/b', 'golden/dix', 'other']) bench.apply('kv.set', content(key, 'v'));
    return bench;
  };

  it('match bytes, not paths, in key order', () => {
    const { value } = filled().query('kv.list', { prefix: 'golden/di' });
    expect(value.map((entry) => entry.Key)).toEqual(['golden/dir/a', 'golden/dir/b', 'golden/dix']);
  });

  it.each([
    { separator: '/', keys: ['golden/dir/', 'golden/dix'] },
    { separator: 'ir', keys: ['golden/dir', 'golden/dix'] },
    { separator: '', keys: ['golden/dir/a', 'golden/dir/b', 'golden/dix'] },
  ])('cut keys behind the separator "$separator"', ({ separator, keys }) => {
    expect(filled().query('kv.keys', { prefix: 'golden/', separator }).value).toEqual(keys);
  });

  it('see the index of a deletion below them until the tombstone is reaped; then it may go back', () => {
    const bench = filled();
    const index = (prefix: string) => bench.query('kv.list', { prefix }).index;
    const before = index('golden/');
    bench.apply('kv.deleteTree', { Prefix: 'golden/dir' });
    const deleted = bench.index;
    bench.apply('kv.set', content('other', 'w'));
    expect([index('golden/'), index('golden/dir'), index('golden/dir/a')]).toEqual([deleted, deleted, bench.index]);
    expect(bench.apply('tombstone.reap', { Index: deleted })).toBe(1);
    expect(index('golden/')).toBeLessThanOrEqual(before);
    expect(index('')).toBe(bench.index - 1);
  });

  it.each(['', 'a', 'a/'])(
    'a deleted tree %j moves the index of the lists in it, whatever was deleted there before',
    (prefix) => {
      const bench = filled();
      bench.apply('kv.set', content('a/b', 'v'));
      bench.apply('kv.set', content('a/c', 'v'));
      bench.apply('kv.delete', { Key: 'a/b' });
      const before = bench.query('kv.list', { prefix: 'a/' });
      bench.apply('kv.deleteTree', { Prefix: prefix });
      expect(before).toMatchObject({ index: bench.index - 1, value: [{ Key: 'a/c' }] });
      expect(bench.query('kv.list', { prefix: 'a/' })).toMatchObject({ index: bench.index, value: [] });
    },
  );
});
