/**
 * How a client's write reaches a server: into its log as it is, where registers are replicated, or through Heddle's own commands. Those
 * write the same registers as keys, by themselves and in transactions; `bystanders.ts` has what a control plane keeps beside them.
 */
import type { CommandArgs, CommandName } from '../../src/fsm/index.ts';
import type { Raft } from '../../src/raft/index.ts';
import { bytesOf } from './heddle-state.ts';
import { type Command, encodeCommand } from './machine.ts';
import type { SimServer } from './server.ts';
import type { CommandResult } from './state.ts';

export interface Written {
  readonly index: number;
  readonly applied: boolean;
}

export async function propose(server: SimServer, command: Command): Promise<Written> {
  if (server.heddle === undefined) {
    const { index, result } = await server.raft!.propose(encodeCommand(command));
    return { index, applied: (result as CommandResult).applied };
  }
  const content = { Key: command.key, Value: bytesOf(command.value, command.padding), Flags: 0 };
  if (command.expect !== undefined) {
    const Index = server.heddle.modifyIndex(command.key);
    const { index, result } = await carry(server, command, 'kv.cas', { ...content, Index });
    return { index, applied: result as boolean };
  }
  // As an operator would: a key and what belongs to it, together or not at all.
  if (command.value % 4 === 0) {
    const KV = { ...content, Verb: 'set', Index: 0, Session: '', Namespace: '' };
    const Note = { ...KV, Key: `${command.key}/note`, Flags: command.value };
    const none = { Node: null, Service: null, Check: null };
    const { index } = await carry(server, command, 'txn', {
      Ops: [
        { KV, ...none },
        { KV: Note, ...none },
      ],
    });
    return { index, applied: true };
  }
  const { index } = await carry(server, command, 'kv.set', content);
  return { index, applied: true };
}

export async function carry<N extends CommandName>(
  server: SimServer,
  command: Command,
  name: N,
  args: CommandArgs<N>,
): Promise<{ readonly index: number; readonly result: unknown }> {
  let index = 0;
  const send = async (envelope: string): ReturnType<Raft['propose']> => {
    const proposed = await server.raft!.propose(encodeCommand({ ...command, envelope }));
    index = proposed.index;
    return proposed;
  };
  const random = server.world.random.stream(`uuid/${command.id}`);
  const result = await server.heddle!.propose(name, args, { id: server.id, random, send });
  return { index, result };
}
