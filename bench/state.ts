/**
 * What the replicated state costs, in-process: applying, reading, and how it grows with the number of keys.
 * Run: `npm run build && node dist/bench/state.js [keys …]` (default: 10000 100000).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type CommandArgs, type CommandName, DurableState, encodeEnvelope, queries } from '../src/fsm/index.ts';
import { systemClock } from '../src/raft/index.ts';
import { healthCheck, nodeService } from '../src/structs/index.ts';

const origin = { accessor: '', agent: 'bench', address: '127.0.0.1:1', call: 'PUT /v1/kv/a', timeMs: 0 };
const value = Buffer.alloc(64, 'v');
const batchSize = 64;

class BenchState {
  readonly state: DurableState;
  #index: number;

  constructor(state: DurableState) {
    this.state = state;
    this.#index = state.appliedIndex;
  }

  apply<N extends CommandName>(...commands: { readonly name: N; readonly args: CommandArgs<N> }[]): void {
    const entries = commands.map(({ name, args }) => ({
      index: ++this.#index,
      data: encodeEnvelope({ name, version: 1, origin, args }),
    }));
    for (const result of this.state.apply(entries)) if (!result.ok) throw result.error;
  }
}

/** Median of rounds, microseconds a call. */
function measure(work: (i: number) => void, calls = 200): number {
  const rounds = 9;
  let i = 0;
  for (; i < calls; i++) work(i);
  const times = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint();
    for (let call = 0; call < calls; call++) work(i++);
    return Number(process.hrtime.bigint() - start) / 1_000 / calls;
  });
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

const rows: (readonly [what: string, us: string])[] = [];
const report = (what: string, us: number): void => void rows.push([what, us.toFixed(us < 10 ? 2 : 0)]);
const set = (key: string, salt: number) => {
  const Value = Buffer.from(value);
  Value.writeDoubleLE(salt);
  return { name: 'kv.set', args: { Key: key, Value, Flags: 0 } } as const;
};

function register(name: string, i: number, output: string): CommandArgs<'catalog.register'> {
  const check = (CheckID: string, ServiceID: string) => ({
    ...healthCheck.zero(),
    ...{ Node: `n${i}`, CheckID, Name: CheckID, Status: 'passing', ServiceID, Output: output },
  });
  return {
    ...{ Datacenter: 'dc1', ID: '', Node: `n${i}`, Address: '10.0.0.1', TaggedAddresses: null, NodeMeta: { k: 'v' } },
    Service: { ...nodeService.zero(), ID: `${name}${i}`, Service: name, Tags: ['a'], Port: 80, Meta: { v: '1' } },
    ...{ Check: null, Checks: [check('serfHealth', ''), check(`c:${name}`, `${name}${i}`)], SkipNodeUpdate: false },
  };
}

function measureCatalog(bench: BenchState): void {
  const { store } = bench.state;
  for (const count of [10, 1_000]) {
    const name = `web${count}`;
    for (let i = 0; i < count; i++) bench.apply({ name: 'catalog.register', args: register(name, i, '') });
    const read = (): void => void store.read(queries['health.service'], { name });
    report(`health.service, ${count} instances`, measure(read, 20_000));
    const change = (i: number): void => {
      bench.apply({ name: 'catalog.register', args: register(name, 3, String(i)) });
      read();
    };
    report(`health.service, ${count} instances, after a change (apply included)`, measure(change, 30));
  }
  const same = register('web10', 5, '');
  report(
    'catalog.register, nothing new',
    measure(() => bench.apply({ name: 'catalog.register', args: same })),
  );
}

/** Ten thousand readers blocked on one service, a change: until all have their answer, and how long the loop was held. */
async function measureWake(bench: BenchState): Promise<void> {
  const { store } = bench.state;
  const args = { name: 'web10' };
  const minIndex = store.read(queries['health.service'], args).index;
  const readers = Array.from({ length: 10_000 }, () =>
    store.blocking(queries['health.service'], args, { minIndex, waitMs: 600_000 }),
  );
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.reset();
  const start = performance.now();
  bench.apply({ name: 'catalog.register', args: register('web10', 3, 'wake') });
  await Promise.all(readers);
  const tookUs = (performance.now() - start) * 1_000;
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.disable();
  report('10000 blocked readers of one service: all answered', tookUs);
  report('10000 blocked readers of one service: longest hold of the event loop', delay.max / 1_000);
}

async function measureKeys(directory: string, keys: number): Promise<void> {
  const key = (i: number): string => `bench/${String(i % keys).padStart(7, '0')}`;
  const open = (): Promise<DurableState> => DurableState.open(directory, { clock: systemClock });
  const bench = new BenchState(await open());
  for (let at = 0; at < keys; at += 1_000) {
    bench.apply(...Array.from({ length: Math.min(1_000, keys - at) }, (_, j) => set(key(at + j), 0)));
  }
  const { store } = bench.state;
  const spread = (i: number): string => key((i * 7_919) % keys);
  report(
    `${keys} keys: kv.set, one a transaction`,
    measure((i) => bench.apply(set(spread(i), i + 1)), 500),
  );
  const batch = (i: number): void =>
    bench.apply(...Array.from({ length: batchSize }, (_, j) => set(spread(i * batchSize + j), i + 2)));
  report(`${keys} keys: kv.set, ${batchSize} a transaction, each`, measure(batch, 20) / batchSize);
  report(
    `${keys} keys: kv.get`,
    measure((i) => void store.read(queries['kv.get'], { key: spread(i) }), 5_000),
  );
  const ten = (i: number): string => spread(i).slice(0, -1);
  report(
    `${keys} keys: kv.list of ten`,
    measure((i) => void store.read(queries['kv.list'], { prefix: ten(i) }), 500),
  );
  let start = performance.now();
  const file = await bench.state.checkpoint();
  report(`${keys} keys: checkpoint of ${(file.sizeBytes / 1e6).toFixed(1)} MB`, (performance.now() - start) * 1_000);
  await bench.state.close();
  start = performance.now();
  const again = await open();
  report(`${keys} keys: open`, (performance.now() - start) * 1_000);
  rows.push([`${keys} keys: resident memory, MB`, (process.memoryUsage().rss / 1e6).toFixed(0)]);
  await again.close();
}

const directory = mkdtempSync(join(tmpdir(), 'heddle-bench-state-'));
try {
  const catalog = await DurableState.open(join(directory, 'catalog'), { clock: systemClock });
  const bench = new BenchState(catalog);
  measureCatalog(bench);
  await measureWake(bench);
  await catalog.close();
  const asked = process.argv.slice(2).map(Number);
  for (const keys of asked.length > 0 ? asked : [10_000, 100_000])
    await measureKeys(join(directory, String(keys)), keys);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const width = Math.max(...rows.map(([what]) => what.length));
console.log(`${'what'.padEnd(width)}  microseconds`);
for (const [what, us] of rows) console.log(`${what.padEnd(width)}  ${us.padStart(12)}`);
