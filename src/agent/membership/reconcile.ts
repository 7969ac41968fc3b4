/**
 * Membership as the catalog should show it: what the leader writes when it learns of a member, and what its periodic pass
 * repairs. Pure: members and rows in, changes out; the leader proposes them.
 */
import type { HealthCheck, Node, NodeService } from '../../structs/index.ts';
import { type PoolMember, type ServerMember, serverOf } from './tags.ts';

/** The catalog's view of one member. */
export interface CatalogView {
  readonly node: Node | undefined;
  readonly serfHealth: HealthCheck | undefined;
  /** The instance with id `consul`, which marks a server. */
  readonly consulService: NodeService | undefined;
}

export type MemberChange =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'register';
      readonly node: string;
      readonly id: string;
      readonly address: string;
      readonly status: 'passing' | 'critical';
      readonly output: string;
      /** Node fields of the catalog stay as they are. */
      readonly skipNodeUpdate: boolean;
      readonly server: ServerMember | undefined;
      readonly serviceMeta: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'deregister'; readonly node: string };

export const serfHealth = 'serfHealth';
export const serfHealthName = 'Serf Health Status';
const aliveOutput = 'Agent alive and reachable';
const failedOutput = 'Agent not live or unreachable';

export function reconcileMember(
  member: PoolMember,
  catalog: CatalogView,
  own: { readonly name: string; readonly datacenter: string },
): MemberChange {
  if (!belongsToCatalog(member, catalog, own.datacenter)) return { kind: 'none' };
  switch (member.status) {
    case 'alive':
      return alive(member, catalog);
    case 'failed':
      return failed(member, catalog);
    case 'left':
      // A leader never takes itself out: a follower does it after the next election.
      return member.name === own.name || catalog.node === undefined
        ? { kind: 'none' }
        : { kind: 'deregister', node: member.name };
    default:
      return { kind: 'none' };
  }
}

/**
 * Agents of this datacenter, and whoever the catalog got from gossip before. Anything else may live in the pool (a plain Serf
 * agent that carries events, say) without becoming a node.
 */
function belongsToCatalog(member: PoolMember, { serfHealth: check }: CatalogView, datacenter: string): boolean {
  const isAgent = member.tags.role === 'node' || serverOf(member) !== undefined;
  return (isAgent && member.tags.dc === datacenter) || check !== undefined;
}

/** Nodes with a serfHealth check whom gossip no longer knows were reaped while nobody led. */
export function reapedNodes(checks: Iterable<HealthCheck>, members: ReadonlySet<string>, ownName: string): string[] {
  const gone: string[] = [];
  for (const check of checks) {
    if (check.CheckID === serfHealth && !members.has(check.Node) && check.Node !== ownName) gone.push(check.Node);
  }
  return gone;
}

function alive(member: PoolMember, { node, serfHealth: check, consulService }: CatalogView): MemberChange {
  const server = serverOf(member);
  const serviceMeta = server === undefined ? {} : consulServiceMeta(member, server);
  const upToDate =
    node?.Address === member.address &&
    check?.Status === 'passing' &&
    (server === undefined || (consulService !== undefined && sameMap(consulService.Meta ?? {}, serviceMeta)));
  if (upToDate) return { kind: 'none' };
  const id = member.tags.id ?? '';
  return {
    kind: 'register',
    node: member.name,
    id,
    address: member.address,
    status: 'passing',
    output: aliveOutput,
    // The agent may have registered itself since the catalog was looked at: what it says of its node must not be lost.
    skipNodeUpdate: node === undefined || (node.ID === id && node.Address === member.address),
    server,
    serviceMeta,
  };
}

function failed(member: PoolMember, { node, serfHealth: check }: CatalogView): MemberChange {
  if (node === undefined) return { kind: 'none' };
  if (check?.Status === 'critical' && node.Address === member.address) return { kind: 'none' };
  return {
    kind: 'register',
    node: member.name,
    id: member.tags.id ?? '',
    address: member.address,
    status: 'critical',
    output: failedOutput,
    skipNodeUpdate: true,
    server: undefined,
    serviceMeta: {},
  };
}

/** Meta of the `consul` service of a server, as tools of the field read it. */
export function consulServiceMeta(member: PoolMember, server: ServerMember): Record<string, string> {
  return {
    non_voter: 'false',
    read_replica: 'false',
    raft_version: '3',
    serf_protocol_current: String(member.protocolCur),
    serf_protocol_min: String(member.protocolMin),
    serf_protocol_max: String(member.protocolMax),
    version: server.build,
  };
}

function sameMap(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
