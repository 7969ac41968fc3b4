/** What a command of the command line is: one file each in commands/, loaded only when it runs. */
import type { FlagSpec, FlagValues } from './flags.ts';
import type { ApiClient } from './http-client.ts';

/**
 * Which shared HTTP flags a command takes: `client` (address, token, TLS), `server` (datacenter, stale), `tenancy`
 * (namespace, accepted for compatibility).
 */
export type FlagGroup = 'client' | 'server' | 'tenancy';

export interface Command {
  /** Follows the command's words in the usage line: `[options] KEY [DATA]`. */
  readonly usage: string;
  /** Paragraphs below the usage line: what it does, examples. */
  readonly description: string;
  readonly groups: readonly FlagGroup[];
  readonly flags: readonly FlagSpec[];
  /** Exit code after a flag error; 1 unless said. */
  readonly usageExit?: number;
  /** What is said behind the usage after a flag error. */
  readonly flagErrorTail?: (error: string) => string;
  /** Returns the exit code. Expected failures are printed by the command; what it throws is printed by the frame. */
  run(invocation: Invocation): Promise<number>;
}

export interface Invocation {
  readonly args: readonly string[];
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: Io;
  /** A client for the agent that flags and environment name. */
  readonly client: ApiClient;
  /** The help text of this very command, for usage errors that show it. */
  readonly help: string;
  /** Aborted by INT or TERM: long-running commands end on it. */
  readonly signal: AbortSignal;
}

export interface Io {
  /** Prints text and a newline on standard output. */
  out(text: string): void;
  /** Prints text and a newline on standard error. */
  error(text: string): void;
  /** Writes bytes as they are. */
  write(data: Uint8Array | string): void;
  readStdin(): Promise<Uint8Array>;
}

/** Printed by the frame as it is, with exit code 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
