/** A running query of ours as the application holds it: responses as they come, until the time is up. */
import type { QueryHandle, QueryResponse } from './api.ts';

export class RunningQuery implements QueryHandle {
  readonly deadlineMs: number;
  readonly acks = new Set<string>();
  readonly responses: QueryResponse[] = [];
  readonly done: Promise<void>;
  private readonly end: () => void;
  private over = false;
  private resolveDone: () => void = () => {};
  private waiting: (() => void)[] = [];

  /** `end` closes the query below; it then comes back as `finish`. */
  constructor(deadlineMs: number, end: () => void) {
    this.deadlineMs = deadlineMs;
    this.end = end;
    this.done = new Promise((resolve) => {
      this.resolveDone = resolve;
    });
  }

  heardAck(from: string): void {
    this.acks.add(from);
  }

  heardResponse(response: QueryResponse): void {
    this.responses.push(response);
    this.wake();
  }

  finish(): void {
    this.over = true;
    this.resolveDone();
    this.wake();
  }

  close(): void {
    if (!this.over) this.end();
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<QueryResponse> {
    for (let next = 0; ; ) {
      const response = this.responses[next];
      if (response !== undefined) {
        next++;
        yield response;
      } else if (this.over) return;
      else await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}
