/** Every command by name: the vocabulary of the log. Add yours here; names and versions are for ever. */
import { kvSet } from './kv-set.ts';

export const commands = {
  'kv.set': kvSet,
} as const;

export type Commands = typeof commands;
export type CommandName = keyof Commands;
export type CommandArgs<N extends CommandName> = Parameters<Commands[N]['apply']>[1];
export type CommandResult<N extends CommandName> = ReturnType<Commands[N]['apply']>;
