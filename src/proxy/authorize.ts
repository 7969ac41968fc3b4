/**
 * The decision of a proxy, made locally out of the intentions its agent matched for the service: the same function that
 * answers `intention check`, so that what an operator is told is what happens on the wire.
 */
import type { ServiceId } from '../ca/identity/index.ts';
import {
  type Client,
  type DefaultPolicy,
  indexIntentions,
  type Mesh,
  type RuleIntention,
  reasonOf,
} from '../mesh/decision/index.ts';
import { isObject } from './options.ts';
import type { Authorize } from './snapshot.ts';

/** What `match?by=destination` said, decoded. */
export interface MatchedIntentions {
  readonly intentions: readonly RuleIntention[];
  readonly defaultPolicy: DefaultPolicy;
}

/** Headers of the agent's answer, names in lower case. */
type PolicyHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What the agent says of the default: its own policy for intentions where it has one, else that of ACLs. */
function defaultPolicyOf(headers: PolicyHeaders): DefaultPolicy {
  const own = headers['x-heddle-default-intention-policy'];
  if (own !== undefined) return { allow: own === 'allow', from: 'intention-policy' };
  // An agent that does not say what holds by default is not asked to guess: nothing does.
  const allow = headers['x-consul-default-acl-policy'] === 'allow';
  return { allow, from: allow ? 'acl-disabled' : 'acl-policy' };
}

/** `GET /v1/connect/intentions/match?by=destination&name=N`: an object with the name as asked. */
export function decodeMatch(json: unknown, headers: PolicyHeaders): MatchedIntentions {
  if (!isObject(json)) throw new Error('intentions are not an object');
  const lists = Object.values(json);
  const intentions = lists.flatMap((list) => (Array.isArray(list) ? list : [])).map(decodeIntention);
  return { intentions, defaultPolicy: defaultPolicyOf(headers) };
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
    defaultPolicy: matched.defaultPolicy,
  };
  return (source) => {
    if (source.kind !== 'service') return { allowed: false, reason: 'the certificate does not name a service' };
    const client: Client = { ...source, trustDomain: source.trustDomain.toLowerCase() };
    const decision = index.decide(client, own.service, mesh);
    return { allowed: decision.allowed, reason: reasonOf(decision, client, mesh) };
  };
}
