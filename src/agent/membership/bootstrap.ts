/**
 * When a new cluster begins. With `bootstrap_expect = n`, n servers that see each other, which all expect n and none of which
 * has ever been part of a cluster, begin one.
 *
 * Two clusters under one name would be worse than none, so one server begins it and all of them must agree first: the one
 * with the lowest id asks each for its consent to exactly this set, and a server consents to one set at a time (consents
 * expire, so that a beginner that died does not hold up the others). Two sets that share a server can therefore not both
 * begin. The others open their Raft once somebody has begun, and are found by it.
 *
 * A server that already has a log never takes part: a wiped cluster and a lost network look alike from inside.
 */
import { rpcAddress, type ServerMember } from './tags.ts';

export interface Voter {
  readonly id: string;
  readonly address: string;
}

export interface BootstrapView {
  readonly expect: number;
  readonly datacenter: string;
  /** Alive servers that gossip shows, ourselves included. */
  readonly servers: readonly ServerMember[];
  /** What each other server answered about itself, by id: whether it belongs to a cluster. Absent: no answer yet. */
  readonly hasPeers: ReadonlyMap<string, boolean>;
  readonly ownId: string;
}

export type BootstrapDecision =
  | { readonly kind: 'begin'; readonly voters: readonly Voter[] }
  | { readonly kind: 'wait'; readonly reason: string }
  /** Somebody already has a cluster, which will take this server in. */
  | { readonly kind: 'join'; readonly reason: string };

export function decideBootstrap(view: BootstrapView): BootstrapDecision {
  const servers = view.servers
    .filter((server) => server.datacenter === view.datacenter && server.status === 'alive')
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  for (const server of servers) {
    if (server.id !== view.ownId && (server.bootstrap || view.hasPeers.get(server.id) === true)) {
      return { kind: 'join', reason: `${server.name} belongs to a cluster, which takes this server in` };
    }
  }
  if (view.expect === 0) return { kind: 'join', reason: 'this server waits for a cluster to take it in' };
  for (const server of servers) {
    if (server.expect !== 0 && server.expect !== view.expect) {
      return {
        kind: 'wait',
        reason: `${server.name} expects ${server.expect} servers, this one ${view.expect}: they must agree on bootstrap_expect`,
      };
    }
  }
  if (servers.length < view.expect)
    return { kind: 'wait', reason: `${servers.length} of ${view.expect} servers are here` };
  const silent = servers.find((server) => server.id !== view.ownId && !view.hasPeers.has(server.id));
  if (silent !== undefined)
    return { kind: 'wait', reason: `${silent.name} has not said yet whether it belongs to a cluster` };
  if (servers[0]!.id !== view.ownId) return { kind: 'wait', reason: `${servers[0]!.name} begins the cluster` };
  return { kind: 'begin', voters: servers.map((server) => ({ id: server.id, address: rpcAddress(server) })) };
}

/** How long a server stands by its consent. The one that asked must have begun by half of that. */
export const consentMs = 20_000;

/** A server's consent: to one set of voters at a time, and to none once it belongs to a cluster. */
export class BootstrapConsent {
  #given: { readonly set: string; readonly untilMs: number } | undefined;

  ask(voters: readonly Voter[], nowMs: number, belongs: boolean): boolean {
    if (belongs) return false;
    const set = JSON.stringify(voters.map(({ id, address }) => [id, address]));
    if (this.#given !== undefined && this.#given.untilMs > nowMs && this.#given.set !== set) return false;
    this.#given = { set, untilMs: nowMs + consentMs };
    return true;
  }
}
