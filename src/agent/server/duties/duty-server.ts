import type { CommandArgs, CommandName, CommandResult, ReadTx } from '../../../fsm/index.ts';
import type { Clock } from '../../../std/clock.ts';

/** What the duties need of the server they run in. */
export interface DutyServer {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly clock: Clock;
  /** The state; do not keep it across an await. */
  view(): ReadTx;
  /** Writes through the log as the leader itself. `call` says what for: `leader/session-ttl`. */
  write<N extends CommandName>(name: N, args: CommandArgs<N>, call: string): Promise<CommandResult<N>>;
  warn(message: string, fields: Record<string, unknown>): void;
}
