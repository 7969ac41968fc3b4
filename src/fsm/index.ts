/** The replicated state: tables, the commands that change them, the queries that read them, the watches that wake readers. */

export type { CheckpointFile } from './checkpoint/checkpoint-files.ts';
export { DurableState, type Opened } from './checkpoint/durable-state.ts';
export { stateHash } from './checkpoint/state-hash.ts';
export {
  isKnownRecord,
  StateFileReader,
  type StateHeader,
  type StateRecord,
  writeState,
} from './checkpoint/state-records.ts';
export { checkArguments, externalCommands } from './commands/arguments.ts';
export { readCa, type StoredCa } from './commands/ca-state.ts';
export { type CommandArgs, type CommandName, type CommandResult, type Commands, commands } from './commands/index.ts';
export * from './contract.ts';
export { type Envelope, encodeEnvelope } from './envelope.ts';
export * from './errors.ts';
export { type Queries, type QueryArgs, type QueryName, type QueryValue, queries } from './queries/index.ts';
export type { DecisionGround } from './queries/intention.ts';
export { type AppliedCommand, type ApplyResult, Store, type StoreListener, type StoreOptions } from './store.ts';
export { LmdbStorage } from './tables/lmdb-storage.ts';
export { MemoryStorage } from './tables/memory-storage.ts';
export type { Storage } from './tables/storage.ts';
export type { BlockingOptions, BlockingResult } from './watches/blocking-query.ts';
