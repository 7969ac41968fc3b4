/**
 * The sources of one destination, arranged so that at most one look-up a form (URI, name, trust domain, everyone) finds
 * what speaks about a client. Names beyond a handful go into a Map; a handful is faster and far smaller as a list, and
 * most destinations have no more.
 */
import { foldDestination, parseIntentionSource, type ServiceUri } from '../../structs/intention-source.ts';

/** What a decision needs of a source; an entry's source and an intention both can be seen as one. */
export interface RuleSource {
  readonly Name: string;
  /** `allow` or `deny`; '' with Permissions. */
  readonly Action: string;
  readonly Permissions: readonly unknown[] | null;
  readonly Precedence: number;
  /** '' for those without. */
  readonly LegacyID: string;
}

export interface RuleEntry<S extends RuleSource = RuleSource> {
  /** The destination as it was spelled. */
  readonly Name: string;
  readonly Sources: readonly S[] | null;
}

/** Up to this many names are compared one by one: less memory, and fewer cache misses than a Map of its own has. */
const listMax = 16;

export class DestinationRow<S extends RuleSource = RuleSource> {
  readonly entry: RuleEntry<S>;
  /** The destination as it was spelled. */
  readonly destination: string;
  readonly any: S | undefined;
  #named: readonly S[] | Map<string, S>;
  #uris: Map<string, S> | undefined;
  #trustDomains: Map<string, S> | undefined;

  constructor(entry: RuleEntry<S>) {
    this.entry = entry;
    this.destination = entry.Name;
    const named: S[] = [];
    let any: S | undefined;
    for (const source of entry.Sources ?? []) {
      const form = parseIntentionSource(source.Name);
      // Stored sources are validated; one that is not a source of any form can match nobody.
      if (!form.ok) continue;
      switch (form.value.kind) {
        case 'any':
          any = source;
          break;
        case 'service':
          named.push(source);
          break;
        case 'uri':
          this.#uris = (this.#uris ?? new Map()).set(uriKey(form.value.uri), source);
          break;
        case 'trust-domain':
          this.#trustDomains = (this.#trustDomains ?? new Map()).set(form.value.trustDomain, source);
          break;
      }
    }
    this.any = any;
    this.#named = named.length <= listMax ? named : new Map(named.map((source) => [source.Name, source]));
  }

  get key(): string {
    return foldDestination(this.destination);
  }

  named(service: string): S | undefined {
    const named = this.#named;
    if (named instanceof Map) return named.get(service);
    for (let i = 0; i < named.length; i++) if (named[i]!.Name === service) return named[i];
    return undefined;
  }

  uri(client: ServiceUri): S | undefined {
    return this.#uris?.get(uriKey(client));
  }

  ofTrustDomain(trustDomain: string): S | undefined {
    return this.#trustDomains?.get(trustDomain);
  }
}

/** NUL cannot stand in a part: parsing refuses control characters. */
function uriKey(uri: ServiceUri): string {
  return `${uri.trustDomain}\0${uri.namespace}\0${uri.datacenter}\0${uri.service}`;
}
