/**
 * How many bytes of request bodies the door holds, over all connections: a body is in memory until its answer is out, and
 * answers wait while a disk is slow or nobody leads. What would pass the bound is refused (503, Retry-After) before it is read.
 *
 * Small bodies are not counted: they come one a connection, and counting would cost every small write more than it guards.
 */
import type { ServerResponse } from 'node:http';
import { BackendError } from '../backend.ts';

/** Up to here a body is not counted. */
const uncountedBytesMax = 16 * 1024;

export class BodyBudget {
  readonly #bytesMax: number;
  readonly #held = new Map<ServerResponse, number>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of counted bodies whose answers are not out yet. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** The body of this exchange has `size` bytes by now. An error: that is too much at present, and nothing was counted. */
  hold(response: ServerResponse, size: number): BackendError | undefined {
    if (size <= uncountedBytesMax) return undefined;
    const before = this.#held.get(response);
    const bytes = this.#bytes + size - (before ?? 0);
    if (bytes > this.#bytesMax) {
      const fields = { heldBytes: this.#bytes, heldBytesMax: this.#bytesMax };
      return new BackendError('overloaded', 'too many large requests are under way: try again later', fields);
    }
    if (before === undefined) response.once('close', () => this.#release(response));
    this.#bytes = bytes;
    this.#held.set(response, size);
    return undefined;
  }

  #release(response: ServerResponse): void {
    this.#bytes -= this.#held.get(response) ?? 0;
    this.#held.delete(response);
  }
}
