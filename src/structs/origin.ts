/**
 * Where a command came from. It travels in every log entry from the first one: provenance, history and undo are views of
 * the log.
 */
export interface Origin {
  /** Accessor id of the token, never its secret; '' for anonymous. */
  readonly accessor: string;
  /** Name of the agent that took the request. */
  readonly agent: string;
  /** Address of the client, `ip:port`; '' for the agent's own doing. */
  readonly address: string;
  /** What was asked: `PUT /v1/kv/a`, `anti-entropy`, `leader/reap`. */
  readonly call: string;
  /** Wall clock of the leader when it proposed, ms since 1970. Set by the leader. */
  readonly timeMs: number;
}
