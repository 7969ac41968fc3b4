/** Broadcasts that somebody waits for: until they were told often enough, or until the time is up. */
import type { SerfContext } from './context.ts';

export class Waits {
  private readonly context: SerfContext;
  private readonly open = new Set<string>();
  private last = 0;

  constructor(context: SerfContext) {
    this.context = context;
  }

  /** The token to queue the broadcast with; the wait ends in `waitDone`. */
  begin(): string {
    const token = `wait-${++this.last}`;
    this.open.add(token);
    this.context.outbox.after(this.context.config.broadcastTimeoutMs, { kind: 'waitTimeout', token });
    return token;
  }

  over(token: string, timedOut: boolean): void {
    if (this.open.delete(token)) this.context.outbox.notify({ kind: 'waitDone', token, timedOut });
  }
}
