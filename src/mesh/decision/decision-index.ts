/**
 * The decision index: a row a destination, found by name without letter case. A decision costs the same whatever the number
 * of intentions, and a change touches the row of its own destination and nothing else.
 */
import { compareText, foldDestination, intentionPrecedence, wildcard } from '../../structs/intention-source.ts';
import type { Client, Mesh } from './client.ts';
import { type Decision, decide } from './decide.ts';
import { type Explanation, explain } from './explain.ts';
import { DestinationRow, type RuleEntry, type RuleSource } from './row.ts';

export class DecisionIndex<S extends RuleSource = RuleSource> {
  readonly #rows = new Map<string, DestinationRow<S>>();

  /** Destinations that have intentions. */
  get size(): number {
    return this.#rows.size;
  }

  /** Replaces what is known about the entry's destination. */
  put(entry: RuleEntry<S>): void {
    const row = new DestinationRow(entry);
    this.#rows.set(row.key, row);
  }

  remove(destination: string): void {
    this.#rows.delete(foldDestination(destination));
  }

  /** A change as the state machine reports it: what was stored before, what is stored after. */
  apply(change: { readonly before: RuleEntry<S> | undefined; readonly after: RuleEntry<S> | undefined }): void {
    if (change.after !== undefined) this.put(change.after);
    else if (change.before !== undefined) this.remove(change.before.Name);
  }

  row(destination: string): DestinationRow<S> | undefined {
    return this.#rows.get(foldDestination(destination));
  }

  decide(client: Client, destination: string, mesh: Mesh): Decision<S> {
    return decide(client, this.row(destination), this.#rows.get(wildcard), mesh);
  }

  explain(client: Client, destination: string, mesh: Mesh): Explanation {
    return explain(client, this.row(destination), this.#rows.get(wildcard), mesh);
  }
}

/** An intention as lists and `match` print it; what a proxy is fed with. */
export interface RuleIntention {
  readonly SourceName: string;
  readonly DestinationName: string;
  readonly Action?: string;
  readonly Permissions?: readonly unknown[] | null;
  readonly ID?: string;
}

/** The index of a list of intentions in any order: a proxy's, which holds those about its own service. */
export function indexIntentions(intentions: readonly RuleIntention[]): DecisionIndex {
  const byDestination = new Map<string, { Name: string; Sources: RuleSource[] }>();
  for (const intention of intentions) {
    const key = foldDestination(intention.DestinationName);
    const entry = byDestination.get(key) ?? { Name: intention.DestinationName, Sources: [] };
    entry.Sources.push({
      Name: intention.SourceName,
      Action: intention.Action ?? '',
      Permissions: intention.Permissions ?? null,
      Precedence: intentionPrecedence(intention.SourceName, intention.DestinationName),
      LegacyID: intention.ID ?? '',
    });
    byDestination.set(key, entry);
  }
  const index = new DecisionIndex();
  for (const key of [...byDestination.keys()].sort(compareText)) index.put(byDestination.get(key)!);
  return index;
}
