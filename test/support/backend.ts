/**
 * A cluster of one without a log: commands go straight to a store in memory. What a door asks is answered by the real
 * commands and queries; only Raft, gossip and the disk are missing.
 */
import { randomUUID } from 'node:crypto';
import type {
  Answer,
  Backend,
  BackendCode,
  Caller,
  CallName,
  Calls,
  ReadOptions,
  Snapshots,
} from '../../src/api/backend.ts';
import { BackendError } from '../../src/api/backend.ts';
import {
  type Command,
  type CommandArgs,
  type CommandName,
  type CommandResult,
  commands,
  encodeEnvelope,
  MemoryStorage,
  type Query,
  type QueryArgs,
  type QueryName,
  type QueryValue,
  queries,
  Refusal,
  Settled,
  Store,
} from '../../src/fsm/index.ts';
import { second } from '../../src/std/duration.ts';

export class TestBackend implements Backend {
  readonly datacenter = 'dc1';
  readonly nodeName: string;
  readonly store: Store;
  /** Every request is refused with this, when set. */
  failure: BackendError | undefined;
  /** What `call` answers, beside `session.renew`. */
  readonly answers: { [N in CallName]?: Calls[N]['result'] } = {
    'status.leader': '127.0.0.1:8300',
    'status.peers': ['127.0.0.1:8300'],
    'catalog.datacenters': ['dc1'],
  };
  #index = 0;
  readonly #lockDelays = new Map<string, number>();

  constructor(nodeName = 'n1') {
    this.nodeName = nodeName;
    const started = performance.now();
    this.store = new Store(new MemoryStorage(), {
      clock: {
        monotonicMs: () => performance.now() - started,
        wallMs: () => Date.now(),
        after(delayMs, callback) {
          const timer = setTimeout(callback, delayMs);
          return () => clearTimeout(timer);
        },
      },
    });
  }

  async apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    this.#admit(caller);
    const command = commands[name] as unknown as Command<CommandArgs<N>, CommandResult<N>>;
    const prepared = command.prepare?.(args, this.#leader()) ?? args;
    if (prepared instanceof Settled) return prepared.result;
    const origin = { accessor: '', agent: this.nodeName, address: caller.address, call: caller.call, timeMs: 0 };
    const data = encodeEnvelope({ name, version: command.version, origin, args: prepared });
    const [result] = this.store.apply([{ index: ++this.#index, data }]);
    if (!result!.ok) throw result!.error;
    return result!.value as CommandResult<N>;
  }

  async query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    this.#admit(options.caller);
    const query = queries[name] as unknown as Query<QueryArgs<N>, QueryValue<N>>;
    const { minIndex = 0, waitMs = 300_000, signal } = options;
    const found =
      minIndex > 0
        ? await this.store.blocking(query, args, { minIndex, waitMs, ...(signal === undefined ? {} : { signal }) })
        : this.store.read(query, args);
    return { ...found, knownLeader: true, lastContactMs: 0 };
  }

  async call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> {
    this.#admit(caller);
    if (name === 'session.renew') {
      const { id } = args as Calls['session.renew']['args'];
      return this.store.read(queries['session.info'], { id }).value as Calls[N]['result'];
    }
    if (name === 'coordinate.update') {
      await this.apply('coordinate.update', { Updates: [args as Calls['coordinate.update']['args']] }, caller);
      return null as Calls[N]['result'];
    }
    if (name === 'operator.removePeer') {
      const { id, address } = args as Calls['operator.removePeer']['args'];
      const what = id === '' ? `address "${address}"` : `id "${id}"`;
      throw new Refusal('failed', `${what} was not found in the Raft configuration`);
    }
    const answer = this.answers[name];
    if (answer === undefined) throw new BackendError('stopped', `nobody answers ${name} here`);
    return answer as Calls[N]['result'];
  }

  #admit({ datacenter }: Caller): void {
    if (this.failure !== undefined) throw this.failure;
    if (datacenter !== '' && datacenter !== this.datacenter) throw new BackendError('noPath', 'No path to datacenter');
  }

  #leader(): Parameters<NonNullable<Command<unknown, unknown>['prepare']>>[1] {
    return {
      nowMs: Date.now(),
      datacenter: this.datacenter,
      uuid: randomUUID,
      read: this.store.view,
      lockDelayUntilMs: (key) => this.#lockDelays.get(key) ?? 0,
      sessionTtlMinNs: 10 * second,
    };
  }
}

export function backendFailure(code: BackendCode, message: string): BackendError {
  return new BackendError(code, message);
}

/** Snapshots of nothing: a fixed archive, and a restore that only drains. */
export const noSnapshots: Snapshots = {
  async save() {
    async function* archive() {
      yield new Uint8Array([31, 139]);
    }
    return { index: 7, knownLeader: true, lastContactMs: 0, archive: archive() };
  },
  async restore(archive) {
    for await (const _ of archive);
  },
};
