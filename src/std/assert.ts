/**
 * Assertions that stay on in production. A broken invariant stops the process: it is never caught, because a replica
 * that goes on after one is worse than a replica that is gone. Never assert on what a packet or a client can send.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

export function assert(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new AssertionError(message);
}
