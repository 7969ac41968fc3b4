/**
 * When a new cluster begins. With `bootstrap_expect = n`, a server that sees n servers which all expect n, none of which
 * has ever been part of a cluster, starts Raft with exactly these. Each of them decides alone and must come to the same
 * configuration: they sort by id, and Raft's first entry is then the same on all.
 *
 * A server that already has a log never bootstraps: a wiped cluster and a lost network look alike from inside, and two
 * clusters under one name would be worse than none.
 */
import { rpcAddress, type ServerMember } from './tags.ts';

export interface BootstrapView {
  readonly expect: number;
  readonly datacenter: string;
  /** Whether this server's log or configuration holds anything. */
  readonly hasState: boolean;
  /** Alive servers that gossip shows, ourselves included. */
  readonly servers: readonly ServerMember[];
  /** What each other server answered about itself, by id: whether it has a Raft configuration. Absent: no answer yet. */
  readonly hasPeers: ReadonlyMap<string, boolean>;
  readonly ownId: string;
}

export type BootstrapDecision =
  | { readonly kind: 'start'; readonly voters: readonly { readonly id: string; readonly address: string }[] }
  | { readonly kind: 'wait'; readonly reason: string }
  /** Never: somebody already leads a cluster, which will take this server in. */
  | { readonly kind: 'join'; readonly reason: string };

export function decideBootstrap(view: BootstrapView): BootstrapDecision {
  if (view.hasState) return { kind: 'join', reason: 'this server already belongs to a cluster' };
  const servers = view.servers
    .filter((server) => server.datacenter === view.datacenter && server.status === 'alive')
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  for (const server of servers) {
    if (server.bootstrap && server.id !== view.ownId) {
      return { kind: 'join', reason: `${server.name} bootstraps alone: this server waits to be taken in` };
    }
    if (server.expect !== 0 && server.expect !== view.expect) {
      return {
        kind: 'wait',
        reason: `${server.name} expects ${server.expect} servers, this one ${view.expect}: they must agree on bootstrap_expect`,
      };
    }
  }
  for (const server of servers) {
    if (view.hasPeers.get(server.id) === true) {
      return { kind: 'join', reason: `${server.name} already belongs to a cluster: this server waits to be taken in` };
    }
  }
  if (servers.length < view.expect)
    return { kind: 'wait', reason: `${servers.length} of ${view.expect} servers are here` };
  const silent = servers.find((server) => server.id !== view.ownId && !view.hasPeers.has(server.id));
  if (silent !== undefined)
    return { kind: 'wait', reason: `${silent.name} has not said yet whether it belongs to a cluster` };
  return { kind: 'start', voters: servers.map((server) => ({ id: server.id, address: rpcAddress(server) })) };
}
