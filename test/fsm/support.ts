/** A store on the simulated disk, and commands prepared as a leader prepares them, with ids and time from a counter. */
import {
  type ApplyResult,
  type CommandArgs,
  type CommandName,
  type CommandResult,
  commands,
  encodeEnvelope,
  type LeaderContext,
  MemoryStorage,
  type QueryArgs,
  type QueryName,
  type QueryValue,
  queries,
  type ReadTx,
  Settled,
  type Storage,
  Store,
} from '../../src/fsm/index.ts';
import type { Clock } from '../../src/std/clock.ts';
import { second } from '../../src/std/duration.ts';
import { decode, registerRequest } from '../../src/structs/index.ts';

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = [];
  monotonicMs(): number {
    return this.#nowMs;
  }
  wallMs(): number {
    return this.#nowMs;
  }
  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter((timer) => timer.dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => timer.dueMs > this.#nowMs);
    for (const timer of due) timer.callback();
  }
  get pending(): number {
    return this.#timers.length;
  }
}

export class Bench {
  readonly clock = new ManualClock();
  readonly store: Store;
  #index: number;
  #ids = 0;
  readonly lockDelays = new Map<string, number>();

  constructor(storage: Storage = new MemoryStorage()) {
    this.store = new Store(storage, { clock: this.clock });
    this.#index = this.store.raftIndex;
  }

  get index(): number {
    return this.#index;
  }

  /** Prepares, encodes and applies one command as an entry of its own. Throws its Refusal. */
  apply<N extends CommandName>(name: N, args: CommandArgs<N>): CommandResult<N> {
    const data = this.prepare(name, args);
    if (data instanceof Settled) return data.result as CommandResult<N>;
    const [result] = this.applyRaw([data]);
    if (result === undefined) throw new TypeError('no result');
    if (!result.ok) throw result.error;
    return result.value as CommandResult<N>;
  }

  applyRaw(batch: readonly Uint8Array[]): readonly ApplyResult[] {
    return this.store.apply(batch.map((data) => ({ index: ++this.#index, data })));
  }

  prepare<N extends CommandName>(name: N, args: CommandArgs<N>): Uint8Array | Settled<unknown> {
    const command = commands[name] as unknown as {
      readonly version: number;
      prepare?(args: unknown, leader: LeaderContext): unknown;
    };
    const prepared = command.prepare === undefined ? args : command.prepare(args, this.leader());
    if (prepared instanceof Settled) return prepared;
    const origin = { accessor: '', agent: 'test', address: '', call: 'test', timeMs: 0 };
    return encodeEnvelope({ name, version: command.version, origin, args: prepared });
  }

  leader(): LeaderContext {
    const read: ReadTx = this.store.view;
    return {
      nowMs: this.clock.wallMs(),
      datacenter: 'dc1',
      uuid: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`,
      read,
      lockDelayUntilMs: (key) => this.lockDelays.get(key) ?? 0,
      sessionTtlMinNs: 10 * second,
    };
  }

  query<N extends QueryName>(name: N, args: QueryArgs<N>): { readonly index: number; readonly value: QueryValue<N> } {
    const query = queries[name] as unknown as Parameters<Store['read']>[0];
    return this.store.read(query, args) as { readonly index: number; readonly value: QueryValue<N> };
  }

  /** Registers what a client would send as JSON. */
  register(body: Record<string, unknown>): boolean {
    const request = decode(registerRequest, body, { naming: 'api', unknown: 'refuse' });
    if (!request.ok) throw new TypeError(request.error);
    return this.apply('catalog.register', request.value);
  }
}
