/**
 * Every query of the state machine, asked about the small world that the simulation's clients make. What they answer, and the index that
 * they report, is compared from state to state and from server to server (`invariants/query-indexes.ts`).
 */
import { crc32 } from 'node:zlib';
import { type QueryArgs, type QueryName, queries, type Store } from '../../src/fsm/index.ts';
import type { Answers } from '../invariants/invariant.ts';

export const nodes = ['host-1', 'host-2', 'host-3', 'host-4'];
export const services = ['web', 'db', 'cache'];
const byName = services.map((name) => ({ name }));
const noSession = '0'.repeat(36);

/** The compiler asks for an entry for each query that is added. */
const questions: { readonly [N in QueryName]: readonly QueryArgs<N>[] } = {
  'autopilot.configuration': [{}],
  'ca.configuration': [{}],
  'ca.roots': [{}],
  'catalog.connect': byName,
  'catalog.node': nodes.map((node) => ({ node })),
  'catalog.nodes': [{}, { nodeMeta: { rack: 'r1' } }],
  'catalog.service': [...byName, { name: 'web', tags: ['new'] }],
  'catalog.services': [{}, { nodeMeta: { rack: 'r1' } }],
  'configEntry.get': [
    { kind: 'service-defaults', name: 'web' },
    { kind: 'service-intentions', name: 'db' },
  ],
  'configEntry.list': [{ kind: '' }, { kind: 'service-defaults' }],
  'configEntry.resolve': [
    { name: 'web', upstreams: ['db', 'cache'] },
    { name: 'db', upstreams: [] },
  ].map(({ name, upstreams }) => ({ service: name, upstreams, mode: '', meshGateway: '' })),
  'coordinate.node': nodes.slice(0, 2).map((node) => ({ node })),
  'coordinate.nodes': [{}],
  'health.checks': [{ service: 'web' }, { service: 'web', nodeMeta: { rack: 'r1' } }],
  'health.connect': byName,
  'health.node': nodes.slice(0, 2).map((node) => ({ node })),
  'health.service': [...byName, { name: 'web', passing: true }],
  'health.state': ['any', 'passing', 'critical'].map((state) => ({ state })),
  'intention.exact': [
    { source: 'web', destination: 'db' },
    { source: '*', destination: 'cache' },
  ],
  'intention.get': [{ id: noSession }],
  'intention.ground': ['db', 'cache', '*'].map((destination) => ({ destination })),
  'intention.list': [{}],
  'intention.match': [
    { by: 'destination', names: ['db', 'cache'] },
    { by: 'source', names: ['web'] },
  ],
  'internal.node': [{ node: 'host-1' }],
  'internal.nodes': [{}],
  'internal.services': [{}],
  'kv.get': ['k1', 'k1/note', 'lock/1', 'never'].map((key) => ({ key })),
  'kv.keys': [{ prefix: '', separator: '/' }],
  'kv.list': ['', 'k1', 'lock/', 'never'].map((prefix) => ({ prefix })),
  'session.info': [{ id: noSession }],
  'session.list': [{}],
  'session.node': nodes.slice(0, 2).map((node) => ({ node })),
  'txn.read': [{ Ops: [] }],
};

/** An answer that a table's memo keeps is the same object, and is hashed once. */
const hashes = new WeakMap<object, number>();

function hashOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return crc32(String(value));
  const known = hashes.get(value);
  if (known !== undefined) return known;
  const hash = crc32(JSON.stringify(value, asText));
  hashes.set(value, hash);
  return hash;
}

const asText = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
};

const asked = Object.entries(questions).flatMap(([name, args]) =>
  (args as readonly object[]).map((each) => ({ name: name as QueryName, args: each })),
);

const texts = asked.map(({ name, args }) => `${name} ${JSON.stringify(args)}`);

export function answerAll(store: Store): Answers {
  const answers = asked.map(({ name, args }) => {
    const { index, value } = store.read(queries[name] as never, args as never) as { index: number; value: unknown };
    return { index, hash: hashOf(value) };
  });
  return {
    questions: texts,
    indexes: answers.map(({ index }) => index),
    hashes: answers.map(({ hash }) => hash),
  };
}
