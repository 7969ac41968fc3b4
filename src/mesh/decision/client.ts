/**
 * Who asks to connect, and what the mesh knows about itself. A client is read from its certificate's URI, so it always
 * names a trust domain and a datacenter; both count. One that carries another trust domain, an unknown datacenter or
 * another namespace is *outside the mesh*: plain names in intentions are names of this mesh's services and do not mean it.
 */

export interface Client {
  /** Lower case; '' when the mesh has no trust domain yet and the client is named rather than proven. */
  readonly trustDomain: string;
  readonly namespace: string;
  readonly datacenter: string;
  readonly service: string;
}

export interface Mesh {
  /** Lower case; '' until the CA is initialised. */
  readonly trustDomain: string;
  /** The datacenter that decides. */
  readonly datacenter: string;
  /** Further datacenters under the same trust domain. */
  readonly otherDatacenters?: ReadonlySet<string>;
  /** What holds where no intention does. */
  readonly defaultPolicy: DefaultPolicy;
}

export interface DefaultPolicy {
  readonly allow: boolean;
  /** Who says so: ACLs are off (then it allows), their `default_policy`, or `default_intention_policy`, which goes before. */
  readonly from: 'acl-disabled' | 'acl-policy' | 'intention-policy';
}

/** The client that a plain name means: that service of this mesh, here. */
export function clientNamed(service: string, mesh: Mesh): Client {
  return { trustDomain: mesh.trustDomain, namespace: 'default', datacenter: mesh.datacenter, service };
}

/** Why a client is outside the mesh, or null when it is one of ours. */
export function outsideMesh(client: Client, mesh: Mesh): 'trust-domain' | 'datacenter' | 'namespace' | null {
  if (client.trustDomain !== mesh.trustDomain) return 'trust-domain';
  if (client.datacenter !== mesh.datacenter && mesh.otherDatacenters?.has(client.datacenter) !== true) {
    return 'datacenter';
  }
  return client.namespace === 'default' ? null : 'namespace';
}
