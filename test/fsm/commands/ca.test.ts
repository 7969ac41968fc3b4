/** The certificate authority's rows: serials, one step for everything, check-and-set, and what readers may see. */
import { describe, expect, it } from 'vitest';
import { type CommandArgs, Refusal, readCa } from '../../../src/fsm/index.ts';
import { type CaRoot, caRoot } from '../../../src/structs/index.ts';
import { Bench } from '../support.ts';

const root = (ID: string, Active = true): CaRoot => ({ ...caRoot.zero(), ID, Active, ExternalTrustDomain: 'ABC' });

function set(bench: Bench, change: Partial<CommandArgs<'ca.set'>> = {}): boolean {
  const now = readCa(bench.store.view);
  return bench.apply('ca.set', {
    Roots: [root('b')],
    Configuration: {
      ClusterID: 'ABC',
      Provider: 'consul',
      Config: {},
      State: null,
      ForceWithoutCrossSigning: false,
      CreateIndex: 0,
      ModifyIndex: 0,
    },
    ProviderState: {
      ID: 'p',
      PrivateKey: 'SECRET',
      RootCert: '',
      IntermediateCert: '',
      CreateIndex: 0,
      ModifyIndex: 0,
    },
    RootsIndex: now.rootsIndex,
    ConfigurationIndex: now.configuration?.ModifyIndex ?? 0,
    ...change,
  });
}

describe('serials', () => {
  it('go up, and are never below the index (restore.test.ts shows why)', () => {
    const bench = new Bench();
    set(bench);
    const first = bench.apply('ca.nextSerial', {});
    expect(first).toEqual({ Serial: bench.index, Index: bench.index });
    set(bench);
    set(bench);
    const second = bench.apply('ca.nextSerial', {});
    expect(second).toEqual({ Serial: bench.index, Index: bench.index });
    expect(second.Serial).toBeGreaterThan(first.Serial + 1);
  });
});

describe('set', () => {
  it('writes roots, configuration and provider state with one index, keeping the create index of what stays', () => {
    const bench = new Bench();
    set(bench);
    const created = bench.index;
    set(bench, { Roots: [root('b', false), root('a')] });
    const state = readCa(bench.store.view);
    const indexes = state.roots.map(({ ID, CreateIndex, ModifyIndex }) => [ID, CreateIndex, ModifyIndex]);
    expect(indexes).toEqual([
      ['a', bench.index, bench.index],
      ['b', created, bench.index],
    ]);
    expect(state.configuration).toMatchObject({ CreateIndex: created, ModifyIndex: bench.index });
    expect(state.providerState).toMatchObject({ CreateIndex: created, ModifyIndex: bench.index, PrivateKey: 'SECRET' });
  });

  it('forgets roots that are not named, and leaves their table alone when they are the same', () => {
    const bench = new Bench();
    set(bench, { Roots: [root('a', false), root('b')] });
    set(bench);
    expect(readCa(bench.store.view).roots.map(({ ID }) => ID)).toEqual(['b']);
    const { rootsIndex } = readCa(bench.store.view);
    set(bench);
    expect(readCa(bench.store.view).rootsIndex).toBe(rootsIndex);
  });

  it.each([
    ['the roots changed meanwhile', { RootsIndex: 1 }, 'could not atomically update roots and config'],
    ['the configuration changed meanwhile', { ConfigurationIndex: 1 }, 'could not atomically update roots and config'],
    ['no root is active', { Roots: [root('b', false)] }, 'there must be exactly one active CA'],
    ['two roots are active', { Roots: [root('a'), root('b')] }, 'there must be exactly one active CA'],
  ])('is refused whole when %s', (_name, change, text) => {
    const bench = new Bench();
    bench.apply('ca.nextSerial', {});
    set(bench);
    const before = readCa(bench.store.view);
    expect(() => set(bench, change)).toThrow(Refusal);
    expect(() => set(bench, change)).toThrow(text);
    expect(readCa(bench.store.view)).toEqual(before);
  });
});

describe('reads', () => {
  it('answer null before there is a CA', () => {
    const bench = new Bench();
    expect(bench.query('ca.roots', {})).toMatchObject({ value: null });
    expect(bench.query('ca.configuration', {})).toMatchObject({ value: null });
  });

  it('give the roots by id, with the trust domain, and an index that moves with either', () => {
    const bench = new Bench();
    set(bench, { Roots: [root('c'), root('a', false), root('b', false)] });
    const { index, value } = bench.query('ca.roots', {});
    expect(index).toBe(bench.index);
    expect(value).toMatchObject({ ActiveRootID: 'c', TrustDomain: 'abc.consul' });
    expect(value?.Roots?.map(({ ID }) => ID)).toEqual(['a', 'b', 'c']);
    expect(bench.query('ca.roots', {}).value).toBe(value);
  });

  it('never show a key or the cluster id', () => {
    const bench = new Bench();
    set(bench);
    const shown = JSON.stringify([bench.query('ca.roots', {}), bench.query('ca.configuration', {})]);
    expect(shown).not.toMatch(/SECRET|ClusterID/);
  });
});
