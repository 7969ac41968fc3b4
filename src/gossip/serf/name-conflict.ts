/**
 * Somebody else uses our name: the pool is asked whom it means, and who has no majority must go. A third member, whose
 * name it is not, only counts what it saw.
 */
import type { Endpoint } from '../swim/types.ts';
import { encodeUtf8 } from '../wire/utf8.ts';
import { internalQuery, winsConflict } from './internal-queries.ts';
import type { QueryEvent } from './queries.ts';

export interface NameConflictHooks {
  /** Asks the pool; undefined when it could not. */
  ask(name: string, payload: Uint8Array): number | undefined;
  lost(): void;
}

export class NameConflict {
  private readonly self: { readonly name: string; readonly at: Endpoint };
  private readonly hooks: NameConflictHooks;
  private running: { readonly query: number; readonly responses: { payload: Uint8Array }[] } | undefined;

  constructor(self: { readonly name: string; readonly at: Endpoint }, hooks: NameConflictHooks) {
    this.self = self;
    this.hooks = hooks;
  }

  claimed(name: string): void {
    if (name !== this.self.name || this.running !== undefined) return;
    const query = this.hooks.ask(internalQuery.conflict, encodeUtf8(name));
    if (query !== undefined) this.running = { query, responses: [] };
  }

  /** True if the event belongs to our question. */
  heard(event: QueryEvent): boolean {
    const { running } = this;
    if (event.query !== running?.query) return false;
    if (event.kind === 'queryResponse') running.responses.push(event);
    if (event.kind === 'queryOver') {
      this.running = undefined;
      if (!winsConflict(this.self.at, running.responses)) this.hooks.lost();
    }
    return true;
  }
}
