/**
 * The decision of a proxy, made locally out of the intentions its agent matched for the service: the same function that
 * answers `intention check`, so that what an operator is told is what happens on the wire.
 */
import type { ServiceId } from '../ca/identity/index.ts';
import { type Client, indexIntentions, type Mesh, type RuleIntention, reasonOf } from '../mesh/index.ts';
import { isObject } from './options.ts';
import type { Authorize } from './snapshot.ts';

/** What `match?by=destination` said, decoded. */
export interface MatchedIntentions {
  readonly intentions: readonly RuleIntention[];
  /** What holds where no intention does, from the agent's `X-Consul-Default-Acl-Policy`. */
  readonly defaultAllow: boolean;
}

/** `GET /v1/connect/intentions/match?by=destination&name=N`: an object with the name as asked. */
export function decodeMatch(json: unknown, defaultPolicy: string | undefined): MatchedIntentions {
  if (!isObject(json)) throw new Error('intentions are not an object');
  const lists = Object.values(json);
  const intentions = lists.flatMap((list) => (Array.isArray(list) ? list : [])).map(decodeIntention);
  // An agent that does not say what holds by default is not asked to guess: nothing does.
  return { intentions, defaultAllow: defaultPolicy === 'allow' };
}

function decodeIntention(raw: unknown): RuleIntention {
  if (!isObject(raw) || typeof raw.SourceName !== 'string' || typeof raw.DestinationName !== 'string') {
    throw new Error('an intention has no SourceName or DestinationName');
  }
  return {
    SourceName: raw.SourceName,
    DestinationName: raw.DestinationName,
    Action: typeof raw.Action === 'string' ? raw.Action : '',
    Permissions: Array.isArray(raw.Permissions) ? raw.Permissions : null,
    ID: typeof raw.ID === 'string' ? raw.ID : '',
  };
}

/** `own` is the identity of the service that decides: it names the mesh and the datacenter. */
export function authorizeBy(matched: MatchedIntentions, own: ServiceId): Authorize {
  const index = indexIntentions(matched.intentions);
  const mesh: Mesh = {
    trustDomain: own.trustDomain.toLowerCase(),
    datacenter: own.datacenter,
    defaultPolicy: { allow: matched.defaultAllow, from: matched.defaultAllow ? 'acl-disabled' : 'acl-policy' },
  };
  return (source) => {
    if (source.kind !== 'service') return { allowed: false, reason: 'the certificate does not name a service' };
    const client: Client = { ...source, trustDomain: source.trustDomain.toLowerCase() };
    const decision = index.decide(client, own.service, mesh);
    return { allowed: decision.allowed, reason: reasonOf(decision, client, mesh) };
  };
}
