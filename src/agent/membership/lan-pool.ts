/**
 * This agent's place in the LAN pool: its tags, whom it admits, how it joins, and who the servers are. Servers and clients
 * both have one; what they make of the members is their own affair.
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
import { type AgentTags, admissionFault, encodeTags, type PoolMember, type ServerMember, serverOf } from './tags.ts';

export interface LanPoolOptions {
  readonly nodeName: string;
  readonly tags: AgentTags;
  readonly bindAddress: string;
  /** 0: chosen by the system. */
  readonly bindPort: number;
  readonly advertiseAddress: string;
  readonly profile: Profile;
  readonly config?: Partial<GossipConfig>;
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
  readonly reconnectTimeoutMs?: number;
  readonly startJoin: readonly string[];
  readonly retryJoin: readonly string[];
  readonly retryIntervalMs: number;
  readonly retryMax: number;
}

export interface LanPoolEdges {
  readonly clock: Clock;
  readonly log: Logger;
  readonly gossip?: GossipEdges;
}

export class LanPool {
  readonly gossip: Gossip;
  readonly #options: LanPoolOptions;
  readonly #edges: LanPoolEdges;
  readonly #callbacks = new Set<() => void>();
  #loop: JoinLoop | undefined;
  #left = false;

  /** Binds and announces this agent. Throws GossipError for an option or an address that cannot be. */
  static async open(options: LanPoolOptions, edges: LanPoolEdges): Promise<LanPool> {
    if (options.folder !== undefined) await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const gossip = await GossipNode.open(gossipOptions(options), {
      clock: edges.clock,
      logger: gossipLog(edges.log.named('serf.lan')),
      ...edges.gossip,
    });
    return new LanPool(options, edges, gossip);
  }

  private constructor(options: LanPoolOptions, edges: LanPoolEdges, gossip: Gossip) {
    this.#options = options;
    this.#edges = edges;
    this.gossip = gossip;
    for (const event of ['join', 'leave', 'failed', 'update', 'reap'] as const) {
      gossip.on(event, (member) => {
        const address = `${member.address}:${member.port}`;
        edges.log.info(`LAN member ${told[event]}`, { member: member.name, address, status: member.status });
        for (const callback of this.#callbacks) callback();
      });
    }
  }

  members(): readonly PoolMember[] {
    return this.gossip.members();
  }

  /** Servers of this datacenter that gossip holds for alive. */
  servers(): readonly ServerMember[] {
    return this.members()
      .map(serverOf)
      .filter(
        (server): server is ServerMember =>
          server?.status === 'alive' && server.datacenter === this.#options.tags.datacenter,
      );
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  /** Joins what the configuration names: `join` once, or the start fails; `retry_join` in the background. */
  async joinConfigured(exhausted: (error: Error) => void): Promise<void> {
    const { startJoin, retryJoin, retryIntervalMs, retryMax } = this.#options;
    if (startJoin.length > 0) await this.join(startJoin);
    if (retryJoin.length === 0) return;
    const { clock, log } = this.#edges;
    this.#loop = new JoinLoop(
      { addresses: retryJoin, intervalMs: retryIntervalMs, attemptsMax: retryMax },
      {
        clock,
        join: (addresses) => this.join(addresses),
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

function gossipOptions(options: LanPoolOptions): GossipOptions {
  const keyringPath = keyringPathOf(options);
  const own = { name: options.nodeName, id: options.tags.id, datacenter: options.tags.datacenter };
  return {
    name: options.nodeName,
    bindAddress: options.bindAddress,
    bindPort: options.bindPort,
    advertiseAddress: options.advertiseAddress,
    tags: encodeTags(options.tags),
    profile: options.profile,
    config: {
      ...options.config,
      ...(options.reconnectTimeoutMs === undefined ? {} : { reconnectTimeoutMs: options.reconnectTimeoutMs }),
    },
    ...(options.encryptKey === undefined ? {} : { keyring: [options.encryptKey] }),
    ...(keyringPath === undefined ? {} : { keyringPath }),
    encryptVerifyIncoming: options.encryptVerifyIncoming,
    encryptVerifyOutgoing: options.encryptVerifyOutgoing,
    ...(options.folder === undefined ? {} : { snapshotPath: `${options.folder}/local.snapshot` }),
    rejoinAfterLeave: options.rejoinAfterLeave,
    admit: (member) => admissionFault(member, own),
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
function keyringPathOf({ folder, encryptKey, keyringFile }: LanPoolOptions): string | undefined {
  if (folder === undefined || !keyringFile) return undefined;
  const path = join(folder, 'local.keyring');
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
