/**
 * This agent's place in a gossip pool: its tags, whom it admits, how it joins, and who the servers are. Every agent is in the
 * LAN pool of its datacenter, servers also in the WAN pool that they share with those of other datacenters; what they make of
 * the members is their own affair.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Gossip,
  type GossipConfig,
  type GossipEdges,
  GossipNode,
  type GossipOptions,
  type Profile,
} from '../../gossip/index.ts';
import type { Clock } from '../../std/clock.ts';
import { parseDuration } from '../../std/duration.ts';
import type { Logger } from '../log.ts';
import { JoinLoop } from './join-loop.ts';
import { type PoolMember, type ServerMember, serverOf } from './tags.ts';

export type Scope = 'LAN' | 'WAN';

export interface AgentPoolOptions {
  readonly scope: Scope;
  /** Unique in the pool: the node's name, on the WAN `node.dc`. */
  readonly name: string;
  readonly datacenter: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Why somebody may not be in this pool, or undefined. */
  readonly admit: (member: PoolMember) => string | undefined;
  readonly bindAddress: string;
  /** 0: chosen by the system. */
  readonly bindPort: number;
  readonly advertiseAddress: string;
  readonly profile: Profile;
  readonly config: Partial<GossipConfig>;
  /** Base64; absent: gossip is not encrypted. */
  readonly encryptKey?: string;
  /** Whether keys are kept in a file of `folder`. */
  readonly keyringFile: boolean;
  readonly encryptVerifyIncoming: boolean;
  readonly encryptVerifyOutgoing: boolean;
  /** Where keys and members are remembered; absent: nowhere. */
  readonly folder?: string;
  readonly rejoinAfterLeave: boolean;
  readonly allowedCidrs: readonly string[];
  readonly startJoin: readonly string[];
  readonly retryJoin: readonly string[];
  readonly retryIntervalMs: number;
  readonly retryMax: number;
}

export interface AgentPoolEdges {
  readonly clock: Clock;
  readonly log: Logger;
  readonly gossip?: GossipEdges;
}

export class AgentPool {
  readonly gossip: Gossip;
  readonly #options: AgentPoolOptions;
  readonly #edges: AgentPoolEdges;
  readonly #callbacks = new Set<() => void>();
  #loop: JoinLoop | undefined;
  #left = false;

  /** Binds and announces this agent. Throws GossipError for an option or an address that cannot be. */
  static async open(options: AgentPoolOptions, edges: AgentPoolEdges): Promise<AgentPool> {
    if (options.folder !== undefined) await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const gossip = await GossipNode.open(gossipOptions(options), {
      clock: edges.clock,
      logger: gossipLog(edges.log.named(`serf.${options.scope.toLowerCase()}`)),
      ...edges.gossip,
    });
    return new AgentPool(options, edges, gossip);
  }

  private constructor(options: AgentPoolOptions, edges: AgentPoolEdges, gossip: Gossip) {
    this.#options = options;
    this.#edges = edges;
    this.gossip = gossip;
    for (const event of ['join', 'leave', 'failed', 'update', 'reap'] as const) {
      gossip.on(event, (member) => {
        const address = `${member.address}:${member.port}`;
        edges.log.info(`${options.scope} member ${told[event]}`, {
          member: member.name,
          address,
          status: member.status,
        });
        for (const callback of this.#callbacks) callback();
      });
    }
  }

  members(): readonly PoolMember[] {
    return this.gossip.members();
  }

  /** Servers of this datacenter that this pool holds for alive. */
  servers(): readonly ServerMember[] {
    return this.members()
      .map(serverOf)
      .filter(
        (server): server is ServerMember =>
          server?.status === 'alive' && server.datacenter === this.#options.datacenter,
      );
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  /** Joins what the configuration names: `start_join` once, or the start fails; `retry_join` in the background. */
  async joinConfigured(exhausted: (error: Error) => void): Promise<void> {
    const { scope, startJoin, retryJoin, retryIntervalMs, retryMax } = this.#options;
    if (startJoin.length > 0) await this.join(startJoin);
    if (retryJoin.length === 0) return;
    const { clock, log } = this.#edges;
    this.#loop = new JoinLoop(
      { cluster: scope, addresses: retryJoin, intervalMs: retryIntervalMs, attemptsMax: retryMax },
      {
        clock,
        join: (addresses) => this.join(addresses),
        alone: () => this.#alone(),
        info: (message, fields) => log.info(message, fields),
        warn: (message, fields) => log.warn(message, fields),
      },
    );
    this.#loop.run().catch((error: unknown) => exhausted(error as Error));
  }

  /** How many members were reached; rejects when none was. */
  async join(addresses: readonly string[]): Promise<number> {
    const { joined } = await this.gossip.join(addresses, { ignoreOldEvents: true });
    return joined;
  }

  #alone(): boolean {
    return this.members().every(({ name, status }) => name === this.#options.name || status !== 'alive');
  }

  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#loop?.stop();
    await this.gossip.leave();
  }

  async stop(): Promise<void> {
    this.#loop?.stop();
    await this.gossip.stop();
  }
}

const told = { join: 'joined', leave: 'left', failed: 'failed', update: 'changed', reap: 'was forgotten' } as const;

/** What each pool remembers has names of its own. */
const fileOf: Readonly<Record<Scope, string>> = { LAN: 'local', WAN: 'remote' };

function gossipOptions(options: AgentPoolOptions): GossipOptions {
  const keyringPath = keyringPathOf(options);
  return {
    name: options.name,
    bindAddress: options.bindAddress,
    bindPort: options.bindPort,
    advertiseAddress: options.advertiseAddress,
    tags: options.tags,
    profile: options.profile,
    config: options.config,
    ...(options.encryptKey === undefined ? {} : { keyring: [options.encryptKey] }),
    ...(keyringPath === undefined ? {} : { keyringPath }),
    encryptVerifyIncoming: options.encryptVerifyIncoming,
    encryptVerifyOutgoing: options.encryptVerifyOutgoing,
    ...(options.folder === undefined
      ? {}
      : { snapshotPath: join(options.folder, `${fileOf[options.scope]}.snapshot`) }),
    rejoinAfterLeave: options.rejoinAfterLeave,
    admit: options.admit,
    sameOwner: (dead, claimed) => (dead.tags.id ?? '') !== '' && dead.tags.id === claimed.tags.id,
    ...(options.allowedCidrs.length === 0 ? {} : { allowedCidrs: options.allowedCidrs }),
    reconnectTimeoutOf: ({ tags }) => {
      const parsed = tags.rc_tm === undefined ? undefined : parseDuration(tags.rc_tm);
      return parsed?.ok === true && parsed.value > 0 ? parsed.value / 1e6 : undefined;
    },
    // The pool of an agent decides by node id whom it admits; a vote over a name would stop the wrong one.
    nameConflictResolution: false,
  };
}

/** A file that is there counts, with a key in the configuration or without; a first key makes one. */
function keyringPathOf({ scope, folder, encryptKey, keyringFile }: AgentPoolOptions): string | undefined {
  if (folder === undefined || !keyringFile) return undefined;
  const path = join(folder, `${fileOf[scope]}.keyring`);
  return encryptKey !== undefined || existsSync(path) ? path : undefined;
}

function gossipLog(log: Logger): NonNullable<GossipEdges['logger']> {
  return {
    debug: (fields, message) => log.debug(message, fields),
    info: (fields, message) => log.info(message, fields),
    warn: (fields, message) => log.warn(message, fields),
    error: (fields, message) => log.error(message, fields),
  };
}
