/**
 * The real state machine in the simulation: every command that clients send is prepared by the leader's own way into the log, applied by
 * the real store on every server, and read by the real queries. Tables lie in `MemoryStorage`, which keeps LMDB's contract (the same
 * tests hold both).
 */
import { LockDelays, Proposer } from '../../src/agent/server/index.ts';
import {
  type ApplyResult,
  type CommandArgs,
  type CommandName,
  MemoryStorage,
  queries,
  Store,
  type StoreOptions,
  stateHash,
} from '../../src/fsm/index.ts';
import type { CommittedEntry, Raft } from '../../src/raft/index.ts';
import type { Clock } from '../../src/std/clock.ts';
import { second } from '../../src/std/duration.ts';
import type { Random } from '../../src/std/random.ts';
import type { Answers } from '../invariants/invariant.ts';
import { answerAll } from './every-query.ts';
import type { Command } from './machine.ts';
import type { Register, ReplicatedState, Saved } from './state.ts';

export interface HeddleStateParts {
  readonly clock: Clock;
  readonly commands: StoreOptions['commands'];
  /** Asks for a turn of this process's event loop. */
  defer(work: () => void): void;
}

export class HeddleState implements ReplicatedState {
  #storage = new MemoryStorage();
  #store: Store;
  #lockDelays = new LockDelays();
  readonly #parts: HeddleStateParts;

  constructor(parts: HeddleStateParts) {
    this.#parts = parts;
    this.#store = this.#open();
  }

  open(): void {
    this.#store.close();
    this.#lockDelays = new LockDelays();
    this.#store = this.#open();
  }

  #open(): Store {
    const { clock, commands, defer } = this.#parts;
    const store = new Store(this.#storage, { clock, defer, ...(commands === undefined ? {} : { commands }) });
    const lockDelays = this.#lockDelays;
    store.listen({ applied: (command) => lockDelays.applied(command, clock.wallMs()) });
    return store;
  }

  register(key: string): Register {
    const { index, value } = this.#store.read(queries['kv.get'], { key });
    return { value: value?.Value == null ? null : numberOf(value.Value), index };
  }

  /** What a compare-and-set has to name: 0 for a key that is absent here. */
  modifyIndex(key: string): number {
    return this.#store.view.table('kv').get([key])?.ModifyIndex ?? 0;
  }

  apply(entries: readonly CommittedEntry[], commands: readonly Command[]): readonly ApplyResult[] {
    return this.#store.apply(
      entries.map(({ index }, i) => ({ index, data: Buffer.from(commands[i]!.envelope ?? '', 'base64') })),
    );
  }

  fingerprint(): string {
    return stateHash(this.#storage);
  }

  answers(): Answers {
    return answerAll(this.#store);
  }

  save(): Saved {
    const rows = Array.from(
      this.#storage.range(''),
      ({ key, value }) => [key, Buffer.from(value).toString('base64')] as const,
    );
    return { rows };
  }

  load(saved: Saved | undefined): void {
    const storage = new MemoryStorage();
    storage.transact(() => {
      for (const [key, value] of saved?.rows ?? []) storage.put(key, Buffer.from(value, 'base64'));
    });
    this.#storage = storage;
    this.#store.replaceStorage(storage);
  }

  /** The leader's way into the log; `send` stands for Raft. Rejects with a Refusal too. */
  propose<N extends CommandName>(
    name: N,
    args: CommandArgs<N>,
    server: { readonly id: string; readonly random: Random; send(envelope: string): ReturnType<Raft['propose']> },
  ): Promise<unknown> {
    const { clock } = this.#parts;
    const raft: Pick<Raft, 'propose'> = { propose: (data) => server.send(Buffer.from(data).toString('base64')) };
    const proposer = new Proposer({
      ...{ datacenter: 'dc1', nodeName: server.id, raft, clock, sessionTtlMinNs: 10 * second },
      view: () => this.#store.view,
      lockDelayUntilMs: (key, nowMs) => this.#lockDelays.until(key, nowMs),
      uuid: () => uuid(server.random),
    });
    return proposer.propose(name, args, { datacenter: '', token: '', address: '', call: 'simulation' });
  }
}

/** A value ends with its number; what precedes it is padding. */
export const bytesOf = (value: number, padding = ''): Uint8Array => new TextEncoder().encode(`${padding}.${value}`);

function numberOf(bytes: Uint8Array): number {
  const text = new TextDecoder().decode(bytes);
  return Number(text.slice(text.lastIndexOf('.') + 1));
}

function uuid(random: Random): string {
  const hex = (digits: number): string => Array.from({ length: digits }, () => random.int(0, 15).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}
