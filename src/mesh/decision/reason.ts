/** Decisions in words. The texts of matched intentions and of the default are those existing tools show. */
import type { Client, DefaultPolicy, Mesh } from './client.ts';
import { outsideMesh } from './client.ts';
import { type Decision, hasPermissions } from './decide.ts';
import type { RuleSource } from './row.ts';

export function reasonOf(decision: Decision, client: Client, mesh: Mesh): string {
  const { source } = decision;
  if (source !== undefined) {
    return `Matched ${decision.cause === 'l7' ? 'L7' : 'L4'} intention: ${ruleText(source, decision.destination)}`;
  }
  if (decision.cause === 'outside-mesh') return outsideText(client, mesh);
  return defaultText(mesh.defaultPolicy);
}

/** `default/web => default/db (ID: …, Precedence: 9, Action: DENY)` */
export function ruleText(source: RuleSource, destination: string): string {
  const id = source.LegacyID === '' ? '' : `ID: ${source.LegacyID}, `;
  const what = hasPermissions(source)
    ? `Permissions: ${source.Permissions?.length}`
    : `Action: ${source.Action.toUpperCase()}`;
  return `${qualified(source.Name)} => ${qualified(destination)} (${id}Precedence: ${source.Precedence}, ${what})`;
}

function defaultText(policy: DefaultPolicy): string {
  switch (policy.from) {
    case 'acl-disabled':
      return 'ACLs disabled, access is allowed by default';
    case 'acl-policy':
      return 'Default behavior configured by ACLs';
    case 'intention-policy':
      return `No intention applies, access is ${policy.allow ? 'allowed' : 'denied'} by default_intention_policy`;
  }
}

function outsideText(client: Client, mesh: Mesh): string {
  const rule = 'and no intention allows its URI';
  switch (outsideMesh(client, mesh)) {
    case 'trust-domain':
      return mesh.trustDomain === ''
        ? `The mesh has no trust domain yet, so the client's "${client.trustDomain}" cannot be its own`
        : `Client is of trust domain "${client.trustDomain}", this mesh is "${mesh.trustDomain}", ${rule}`;
    case 'datacenter':
      return `Client is of datacenter "${client.datacenter}", which this mesh does not know, ${rule}`;
    default:
      return `Client is of namespace "${client.namespace}", this mesh has only "default", ${rule}`;
  }
}

/** URIs stand as they are; names carry their namespace, of which there is one. */
function qualified(name: string): string {
  return name.startsWith('spiffe://') ? name : `default/${name}`;
}
