/**
 * The one decision: may this client open a connection to that destination? `check`, `authorize` and every proxy ask here.
 *
 * The destination's own intentions come first, then those of the destination `*`; within each the most exact source first:
 *
 *     destination    client's URI    client's name    client's trust domain    everyone
 *     exact               9                9                   8                  8
 *     *                   6                6                   5                  5
 *
 * The first that applies decides; there is no "deny overrides". An intention with layer-7 permissions is a refusal here,
 * since a layer-4 proxy cannot evaluate them. A client outside the mesh (client.ts) is admitted only by an intention that
 * names its URI or trust domain: names do not mean it, `*` can refuse it but never admit it, and the default policy is for
 * this mesh's own services.
 */
import { type Client, type Mesh, outsideMesh } from './client.ts';
import type { DestinationRow, RuleSource } from './row.ts';

export type Cause = 'l4' | 'l7' | 'outside-mesh' | 'default';

export interface Decision<S extends RuleSource = RuleSource> {
  readonly allowed: boolean;
  readonly cause: Cause;
  /** The intention that decided, for causes `l4` and `l7`. */
  readonly source: S | undefined;
  /** Its destination as spelled in its entry; '' without one. */
  readonly destination: string;
}

/** `row` holds the destination's own intentions, `wildcardRow` those of the destination `*`; either may be missing. */
export function decide<S extends RuleSource>(
  client: Client,
  row: DestinationRow<S> | undefined,
  wildcardRow: DestinationRow<S> | undefined,
  mesh: Mesh,
): Decision<S> {
  const outside = outsideMesh(client, mesh) !== null;
  if (row !== undefined) {
    const source = firstApplying(row, client, outside);
    if (source !== undefined) return verdict(source, row.destination);
  }
  if (wildcardRow !== undefined && wildcardRow !== row) {
    const source = firstApplying(wildcardRow, client, outside);
    if (source !== undefined) return verdict(source, wildcardRow.destination);
  }
  if (outside) return { allowed: false, cause: 'outside-mesh', source: undefined, destination: '' };
  return { allowed: mesh.defaultPolicy.allow, cause: 'default', source: undefined, destination: '' };
}

function firstApplying<S extends RuleSource>(row: DestinationRow<S>, client: Client, outside: boolean): S | undefined {
  const exact =
    row.uri(client) ?? (outside ? undefined : row.named(client.service)) ?? row.ofTrustDomain(client.trustDomain);
  if (exact !== undefined) return exact;
  return row.any !== undefined && outside && admits(row.any) ? undefined : row.any;
}

function verdict<S extends RuleSource>(source: S, destination: string): Decision<S> {
  const l7 = hasPermissions(source);
  return { allowed: !l7 && source.Action === 'allow', cause: l7 ? 'l7' : 'l4', source, destination };
}

/** Whether a source could let a client in, at any layer. */
export function admits(source: RuleSource): boolean {
  return source.Action === 'allow' || hasPermissions(source);
}

export function hasPermissions(source: RuleSource): boolean {
  return source.Permissions !== null && source.Permissions.length > 0;
}
