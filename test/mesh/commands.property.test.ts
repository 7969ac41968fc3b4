/**
 * Any sequence of writes by the three APIs over the real commands and queries, against a model that is a plain list. Each
 * view (list, by id, by names, match by either side) must say the same, and a refused write must change none of them.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Refusal } from '../../src/fsm/index.ts';
import {
  decodeConfigEntry,
  type Intention,
  type IntentionSource,
  intention,
  type ServiceIntentions,
} from '../../src/structs/index.ts';
import { TestBackend } from '../support/backend.ts';
import { caller } from './support.ts';

const anySource = fc.constantFrom('web', 'Web', 'api', '*', 'spiffe://td/*', 'spiffe://td/ns/default/dc/dc1/svc/web');
const anyDestination = fc.constantFrom('db', 'DB', 'api', '*');
const anyAction = fc.constantFrom('allow', 'deny', 'deny', 'bad');
const number = fc.nat({ max: 30 });

type Write =
  | { kind: 'create'; source: string; destination: string; action: string; meta: boolean }
  | { kind: 'update'; which: number; source: string; action: string }
  | { kind: 'delete'; which: number }
  | { kind: 'upsert'; source: string; destination: string; action: string }
  | { kind: 'deleteExact'; source: string; destination: string }
  | { kind: 'entry'; destination: string; sources: string[] }
  | { kind: 'deleteEntry'; destination: string };

const anyWrite: fc.Arbitrary<Write> = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    source: anySource,
    destination: anyDestination,
    action: anyAction,
    meta: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('update' as const), which: number, source: anySource, action: anyAction }),
  fc.record({ kind: fc.constant('delete' as const), which: number }),
  fc.record({
    kind: fc.constant('upsert' as const),
    source: anySource,
    destination: anyDestination,
    action: anyAction,
  }),
  fc.record({ kind: fc.constant('deleteExact' as const), source: anySource, destination: anyDestination }),
  fc.record({
    kind: fc.constant('entry' as const),
    destination: anyDestination,
    sources: fc.array(anySource, { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('deleteEntry' as const), destination: anyDestination }),
);

const options = { caller, consistency: 'default' as const };

async function perform(backend: TestBackend, write: Write, ids: readonly string[]): Promise<void> {
  const blank = { ...intention.zero(), SourceType: 'consul' };
  switch (write.kind) {
    case 'create': {
      const names = { SourceName: write.source, DestinationName: write.destination, Action: write.action };
      const Meta = write.meta ? { team: 'a' } : null;
      await backend.apply('intention.create', { Intention: { ...blank, ...names, Meta } }, caller);
      return;
    }
    case 'update': {
      const ID = ids[write.which % Math.max(1, ids.length)] ?? '11111111-2222-3333-4444-555555555555';
      const now = (await backend.query('intention.get', { id: ID }, options)).value;
      const names = { SourceName: write.source, DestinationName: now?.DestinationName ?? 'db', Action: write.action };
      await backend.apply('intention.update', { ID, Intention: { ...blank, ...names } }, caller);
      return;
    }
    case 'delete': {
      const ID = ids[write.which % Math.max(1, ids.length)] ?? '11111111-2222-3333-4444-555555555555';
      await backend.apply('intention.delete', { ID }, caller);
      return;
    }
    case 'upsert': {
      const content = { Permissions: null, Description: '', Type: '', Meta: null };
      const names = { Source: write.source, Destination: write.destination, Action: write.action };
      await backend.apply('intention.upsert', { ...names, ...content }, caller);
      return;
    }
    case 'deleteExact':
      await backend.apply('intention.deleteExact', { Source: write.source, Destination: write.destination }, caller);
      return;
    case 'entry': {
      const Sources = write.sources.map((Name) => ({ Name, Action: 'allow' }));
      const decoded = decodeConfigEntry({ Kind: 'service-intentions', Name: write.destination, Sources });
      if (decoded.ok) await backend.apply('configEntry.set', { Entry: decoded.value }, caller);
      return;
    }
    case 'deleteEntry':
      await backend.apply('configEntry.delete', { Kind: 'service-intentions', Name: write.destination }, caller);
  }
}

interface Pair {
  readonly entry: ServiceIntentions;
  readonly source: IntentionSource;
}

async function stored(backend: TestBackend): Promise<Pair[]> {
  const { value } = await backend.query('configEntry.list', { kind: 'service-intentions' }, options);
  return (value as readonly ServiceIntentions[]).flatMap((entry) =>
    (entry.Sources ?? []).map((source) => ({ entry, source })),
  );
}

const key = (each: Intention): string => `${each.SourceName} => ${each.DestinationName}`;

async function everyViewAgrees(backend: TestBackend): Promise<void> {
  const pairs = await stored(backend);
  const list = (await backend.query('intention.list', {}, options)).value;
  const ids = pairs.filter(({ source }) => source.LegacyID !== '').length;
  const lookups = [...backend.store.view.table('intentionLookups').range([])].length;
  expect(lookups, 'one look-up a source and one an id, none left over').toBe(pairs.length + ids);
  expect(list.map(key).sort()).toEqual(pairs.map(({ entry, source }) => `${source.Name} => ${entry.Name}`).sort());
  for (const { entry, source } of pairs) {
    const names = { source: source.Name, destination: entry.Name.toUpperCase() };
    expect((await backend.query('intention.exact', names, options)).value?.SourceName).toBe(source.Name);
    if (source.LegacyID === '') continue;
    const byId = (await backend.query('intention.get', { id: source.LegacyID }, options)).value;
    expect([byId?.SourceName, byId?.DestinationName]).toEqual([source.Name, entry.Name]);
  }
  for (const name of ['web', 'Web', 'spiffe://td', '*']) {
    const [found] = (await backend.query('intention.match', { by: 'source', names: [name] }, options)).value;
    const wanted = new Set([name === 'spiffe://td' ? 'spiffe://td/*' : name, '*']);
    expect(found).toEqual(list.filter((each) => wanted.has(each.SourceName)));
  }
  for (const name of ['db', 'Db', 'api', 'none', '*']) {
    const [found] = (await backend.query('intention.match', { by: 'destination', names: [name] }, options)).value;
    const wanted = new Set([name.toLowerCase(), '*']);
    expect(found).toEqual(list.filter((each) => wanted.has(each.DestinationName.toLowerCase())));
    const ground = (await backend.query('intention.ground', { destination: name }, options)).value;
    const grounded = [ground.exact, ground.wildcard].flatMap((entry) => entry?.Sources ?? []);
    expect(grounded).toHaveLength(found!.length);
  }
}

it('all views of the intentions say the same, whatever was written and refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyWrite, { minLength: 1, maxLength: 25 }), async (writes) => {
      const backend = new TestBackend('n1');
      const ids = new Set<string>();
      for (const write of writes) {
        const before = JSON.stringify(await stored(backend));
        let refused = false;
        try {
          await perform(backend, write, [...ids]);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          refused = true;
        }
        const pairs = await stored(backend);
        if (refused) expect(JSON.stringify(pairs)).toBe(before);
        for (const { source } of pairs) if (source.LegacyID !== '') ids.add(source.LegacyID);
        const alive = new Set(pairs.map(({ source }) => source.LegacyID));
        for (const id of ids) {
          const { value } = await backend.query('intention.get', { id }, options);
          expect(value !== null, 'an id answers exactly as long as its source is there').toBe(alive.has(id));
        }
      }
      await everyViewAgrees(backend);
    }),
    { numRuns: 150 },
  );
});
