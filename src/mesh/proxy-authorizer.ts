/**
 * The sidecar's side of the decision: a function from a client's identity to a verdict, out of what the agent's `match`
 * answers about the proxy's own service. No I/O, constant time; build a new one when the answer changes.
 */
import {
  type Client,
  type DefaultPolicy,
  indexIntentions,
  type Mesh,
  type RuleIntention,
  reasonOf,
} from './decision/index.ts';

export interface ProxyAuthority {
  /** The service the proxy stands before. */
  readonly destination: string;
  /** All that `match?by=destination` answers for it, wildcards included. */
  readonly intentions: readonly RuleIntention[];
  /** From the proxy's own leaf. */
  readonly trustDomain: string;
  readonly datacenter: string;
  /** Datacenters under the same trust domain, where there are more. */
  readonly otherDatacenters?: ReadonlySet<string>;
  readonly defaultPolicy: DefaultPolicy;
}

/** Any SPIFFE ID; only a service's can be let in. */
export type PeerId = ({ readonly kind: 'service' } & Client) | { readonly kind: 'agent' | 'signing' };

export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

export function proxyAuthorizer(authority: ProxyAuthority): (source: PeerId) => Verdict {
  const index = indexIntentions(authority.intentions);
  const mesh: Mesh = { ...authority, trustDomain: authority.trustDomain.toLowerCase() };
  return (source) => {
    if (source.kind !== 'service') {
      return { allowed: false, reason: `The client's certificate names ${nameOfKind[source.kind]}, not a service` };
    }
    const client = { ...source, trustDomain: source.trustDomain.toLowerCase() };
    const decision = index.decide(client, authority.destination, mesh);
    return { allowed: decision.allowed, reason: reasonOf(decision, client, mesh) };
  };
}

const nameOfKind = { agent: 'an agent', signing: 'a certificate authority' } as const;
