/** The leader's way into the log: a command is prepared (ids, time, defaults), told where it comes from, and proposed. */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../../api/backend.ts';
import {
  type ApplyResult,
  type Command,
  type CommandArgs,
  type CommandName,
  type CommandResult,
  commands,
  encodeEnvelope,
  type LeaderContext,
  type ReadTx,
  Settled,
} from '../../fsm/index.ts';
import type { Raft } from '../../raft/index.ts';
import { attempt } from '../../std/awaitable.ts';
import type { Clock } from '../../std/clock.ts';

export interface ProposerParts {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly raft: Pick<Raft, 'propose'>;
  readonly clock: Clock;
  view(): ReadTx;
  lockDelayUntilMs(key: string, nowMs: number): number;
  readonly sessionTtlMinNs: number;
  /** Random version 4 UUIDs, for a world in which chance is seeded; the system's if absent. */
  readonly uuid?: () => string;
}

export class Proposer {
  readonly #parts: ProposerParts;

  constructor(parts: ProposerParts) {
    this.#parts = parts;
  }

  /** Resolves once the command is committed and applied here. Throws its Refusal, or Raft's error. */
  propose<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    return attempt(() => this.#propose(name, args, caller));
  }

  #propose<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    const command = commands[name] as unknown as Command<CommandArgs<N>, CommandResult<N>>;
    const prepared = command.prepare === undefined ? args : command.prepare(args, this.#leaderContext());
    if (prepared instanceof Settled) return Promise.resolve(prepared.result as CommandResult<N>);
    const { nodeName, clock, raft } = this.#parts;
    const { address, call } = caller;
    const origin = { accessor: '', agent: nodeName, address, call, timeMs: clock.wallMs() };
    const { version } = command;
    return raft.propose(encodeEnvelope({ name, version, origin, args: prepared })).then(resultOf<CommandResult<N>>);
  }

  #leaderContext(): LeaderContext {
    const { datacenter, clock, sessionTtlMinNs } = this.#parts;
    const nowMs = clock.wallMs();
    return {
      nowMs,
      datacenter,
      uuid: this.#parts.uuid ?? randomUUID,
      read: this.#parts.view(),
      lockDelayUntilMs: (key) => this.#parts.lockDelayUntilMs(key, nowMs),
      sessionTtlMinNs,
    };
  }
}

function resultOf<Result>({ result }: { readonly result: unknown }): Result {
  const outcome = result as ApplyResult;
  if (!outcome.ok) throw outcome.error;
  return outcome.value as Result;
}
