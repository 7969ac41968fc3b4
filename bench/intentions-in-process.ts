/**
 * Decisions in one process: how many a second, how long the slowest take, and whether either grows with the number of
 * intentions. Two shapes of the same number: many destinations of a few sources each, and one destination with all.
 *
 * `hot` asks about the same hundred pairs again and again, as proxies do: the figure is that of the algorithm. `cold` asks
 * about pairs all over the index, so that at a million intentions nearly every step is a miss of the processor's caches: the
 * figure is that of the memory.
 */
import { performance } from 'node:perf_hooks';
import { clientNamed, DecisionIndex, type Mesh, type RuleSource } from '../src/mesh/index.ts';
import { seededRandom } from '../src/std/random.ts';
import { figure, printTable } from './lib/table.ts';

const mesh: Mesh = {
  trustDomain: 'bench.consul',
  datacenter: 'dc1',
  defaultPolicy: { allow: true, from: 'acl-disabled' },
};
const sourcesEach = 10;
const random = seededRandom('intentions');

function source(name: string, precedence: number): RuleSource {
  const Action = random.chance(0.5) ? 'allow' : 'deny';
  return { Name: name, Action, Permissions: null, Precedence: precedence, LegacyID: '' };
}

function entry(destination: string, count: number, from = 0): { Name: string; Sources: RuleSource[] } {
  const Sources = Array.from({ length: count - 1 }, (_, i) => source(`source-${from + i}`, 9));
  return { Name: destination, Sources: [...Sources, source('*', 8)] };
}

interface Shape {
  readonly name: string;
  readonly destinations: number;
  readonly sources: number;
}

function build({ destinations, sources }: Shape): DecisionIndex {
  const index = new DecisionIndex();
  for (let i = 0; i < destinations; i++) index.put(entry(`service-${i}`, sources, i % 7));
  index.put({ Name: '*', Sources: [source('source-1', 6), source('*', 5)] });
  return index;
}

interface Question {
  readonly kind: string;
  readonly ask: (at: number, shape: Shape) => readonly [string, string];
}

const questions: readonly Question[] = [
  {
    kind: 'exact',
    ask: (at, { destinations, sources }) => [
      `source-${(at % (sources - 1)) + ((at % destinations) % 7)}`,
      `service-${at % destinations}`,
    ],
  },
  { kind: 'wildcard source', ask: (at, { destinations }) => [`nobody-${at % 997}`, `service-${at % destinations}`] },
  { kind: 'miss (falls to * => *)', ask: (at) => [`nobody-${at % 997}`, `elsewhere-${at % 9973}`] },
];

const asked = 1_000_000;

interface Speed {
  readonly perSecond: number;
  readonly meanNs: number;
  readonly p99Ns: number;
}

function measure(index: DecisionIndex, shape: Shape, question: Question, distinct: number): Speed {
  const pairs = Array.from({ length: distinct }, () => {
    const [name, destination] = question.ask(random.int(0, 2 ** 30), shape);
    return [clientNamed(name, mesh), destination] as const;
  });
  let allowed = 0;
  const run = (from: number, count: number): void => {
    for (let i = from; i < from + count; i++) {
      const [client, destination] = pairs[i % pairs.length]!;
      if (index.decide(client, destination, mesh).allowed) allowed++;
    }
  };
  run(0, 200_000);
  const start = performance.now();
  run(0, asked);
  const perSecond = asked / ((performance.now() - start) / 1000);

  // The clock costs about as much as a decision: the slowest are timed in batches of ten.
  const batch = 10;
  const times: number[] = [];
  for (let i = 0; i < 200_000; i += batch) {
    const begin = process.hrtime.bigint();
    run(i, batch);
    times.push(Number(process.hrtime.bigint() - begin) / batch);
  }
  times.sort((a, b) => a - b);
  // Printed nowhere, but a count that is used keeps the decisions from being optimised away.
  if (allowed < 0) throw new Error('fewer than none were allowed');
  return { perSecond, meanNs: 1e9 / perSecond, p99Ns: times[Math.floor(times.length * 0.99)] ?? Number.NaN };
}

/** One source of one destination changes, as the state machine reports it. Microseconds. */
function updateCost(index: DecisionIndex, shape: Shape): string {
  const rounds = Math.max(3, Math.min(2000, Math.floor(2_000_000 / shape.sources)));
  const changes = Array.from({ length: rounds }, () => {
    const destination = `service-${random.int(0, shape.destinations - 1)}`;
    const row = index.row(destination);
    const before = row?.entry as { Name: string; Sources: RuleSource[] } | undefined;
    const after = { Name: destination, Sources: [...(before?.Sources ?? [])] };
    after.Sources[0] = source(`new-${random.int(0, 1e6)}`, 9);
    return { before, after };
  });
  const start = performance.now();
  for (const change of changes) index.apply(change);
  return figure(((performance.now() - start) / rounds) * 1000, 1);
}

function heapMiB(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

export function benchInProcess(counts: readonly number[]): void {
  const rows: string[][] = [];
  for (const count of counts) {
    const shapes: readonly Shape[] = [
      {
        name: `${figure(count / sourcesEach)} destinations x ${sourcesEach}`,
        destinations: count / sourcesEach,
        sources: sourcesEach,
      },
      { name: `1 destination x ${figure(count)}`, destinations: 1, sources: count },
    ];
    for (const shape of shapes) {
      const before = heapMiB();
      const start = performance.now();
      const index = build(shape);
      const buildMs = performance.now() - start;
      const memory = heapMiB() - before;
      for (const [i, question] of questions.entries()) {
        const shared = i === 0 ? [figure(count), shape.name, figure(buildMs), figure(memory, 1)] : ['', '', '', ''];
        const update = i === 0 ? updateCost(build(shape), shape) : '';
        const hot = measure(index, shape, question, 100);
        const cold = measure(index, shape, question, 200_000);
        const speeds = [
          figure(hot.perSecond),
          figure(hot.meanNs),
          figure(hot.p99Ns),
          figure(cold.meanNs),
          figure(cold.p99Ns),
        ];
        rows.push([...shared, question.kind, ...speeds, update]);
      }
    }
  }
  printTable(
    'Decisions in process',
    [
      'intentions',
      'shape',
      'build ms',
      'MiB',
      'question',
      'hot /s',
      'hot ns',
      'hot p99',
      'cold ns',
      'cold p99',
      'update µs',
    ],
    rows,
  );
}
