/**
 * Autopilot on the leader: looks every two seconds and after each change of a member, keeps the health that operators read,
 * and carries out one change of the Raft configuration at a time.
 */

import { Refusal } from '../../fsm/index.ts';
import type { Raft, RaftStatus } from '../../raft/index.ts';
import type { Clock } from '../../std/clock.ts';
import { millisecond } from '../../std/duration.ts';
import type { AutopilotConfiguration, AutopilotHealth, AutopilotState } from '../../structs/index.ts';
import { type PoolMember, rpcAddress, serverOf } from '../membership/tags.ts';
import type { ExtraDuty, MemberSource } from '../server/index.ts';
import {
  type AutopilotChanges,
  type AutopilotSettings,
  assess,
  type ClusterHealth,
  decide,
  type LeaderView,
  type SeenServer,
  type ServerHealth,
} from './autopilot.ts';

export interface AutopilotParts {
  readonly raft: Raft;
  readonly members: MemberSource;
  readonly clock: Clock;
  /** The id of the server that answers at an address; rejects when none does. */
  answering(address: string): Promise<string>;
  /** As stored; null before a leader stored the first one. */
  configuration(): AutopilotConfiguration | null;
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

const lookMs = 2_000;
/** How long a server has to answer before it is taken in. */
const answerMs = 1_000;

export class AutopilotDuty implements ExtraDuty {
  readonly name = 'autopilot';
  readonly #parts: AutopilotParts;
  #health: ClusterHealth | undefined;
  #cancelTimer: () => void = () => undefined;
  #cancelMembers: () => void = () => undefined;
  #active = false;
  #changing = false;
  #again = false;

  constructor(parts: AutopilotParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#active = true;
    this.#cancelMembers = this.#parts.members.onChange(() => this.#look());
    this.#look();
  }

  stop(): void {
    this.#active = false;
    this.#cancelTimer();
    this.#cancelMembers();
    this.#health = undefined;
  }

  /** `/v1/operator/autopilot/health`. */
  health(): AutopilotHealth {
    if (this.#health === undefined) return { Healthy: false, FailureTolerance: 0, Servers: null };
    const { healthy, failureTolerance, servers } = this.#health;
    return {
      Healthy: healthy,
      FailureTolerance: failureTolerance,
      Servers: servers.map((server) => ({
        ID: server.id,
        Name: server.name,
        Address: server.address,
        SerfStatus: server.gossip,
        Version: server.build,
        Leader: server.isLeader,
        LastContact: contactNs(server.lastContactMs),
        LastTerm: server.lastTerm,
        LastIndex: server.lastIndex,
        Healthy: server.healthy,
        Voter: server.suffrage === 'voter',
        StableSince: new Date(Math.floor(server.stableSinceMs / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
      })),
    };
  }

  /** `/v1/operator/autopilot/state`. Throws a Refusal before the first look. */
  state(): AutopilotState {
    if (this.#health === undefined) throw new Refusal('failed', 'Failed to get autopilot state: no state found');
    const { healthy, failureTolerance, servers } = this.#health;
    return {
      Healthy: healthy,
      FailureTolerance: failureTolerance,
      OptimisticFailureTolerance: 0,
      Servers: Object.fromEntries(servers.map((server) => [server.id, stateOf(server)])),
      Leader: servers.find(({ isLeader }) => isLeader)?.id ?? '',
      Voters: servers.filter(({ suffrage }) => suffrage === 'voter').map(({ id }) => id),
    };
  }

  #look(): void {
    this.#cancelTimer();
    if (!this.#active) return;
    this.#cancelTimer = this.#parts.clock.after(lookMs, () => this.#look());
    const configuration = this.#parts.configuration();
    if (configuration === null) return;
    const settings = settingsOf(configuration);
    const view = leaderView(this.#parts.raft.status(), this.#parts.members.members(), this.#parts.clock.wallMs());
    this.#health = assess(view, settings, this.#health);
    void this.#carryOut(decide(view, this.#health, settings));
  }

  /**
   * Of servers that gossip shows, those that answer for themselves. Gossip needs seconds to notice a death, and whoever took a dead
   * server out (`remove-peer`) does not want it back for that; at its address another may live by now.
   */
  async #thatAnswer(servers: AutopilotChanges['add']): Promise<AutopilotChanges['add']> {
    const answers = await Promise.all(
      servers.map(({ address }) =>
        Promise.race([
          this.#parts.answering(address).catch(() => undefined),
          new Promise<undefined>((resolve) => void this.#parts.clock.after(answerMs, () => resolve(undefined))),
        ]),
      ),
    );
    return servers.filter(({ id }, i) => answers[i] === id);
  }

  async #carryOut(changes: AutopilotChanges): Promise<void> {
    if (this.#changing) {
      this.#again = true;
      return;
    }
    const { raft, info, warn } = this.#parts;
    const { promote, demote, readdress, remove } = changes;
    const wishes = changes.add.length + promote.length + demote.length + remove.length + Object.keys(readdress).length;
    if (wishes === 0) return;
    this.#changing = true;
    try {
      const add = await this.#thatAnswer(changes.add);
      for (const { id, reason } of remove) info('removing a server from the Raft configuration', { id, reason });
      for (const id of demote) info('a voter came back without its log: it is taken in anew, as a learner', { id });
      for (const { id, address } of add) info('taking a server into the Raft configuration', { id, address });
      for (const id of promote) info('a server becomes a voter', { id });
      const present = raft.status().configuration.addresses;
      // Removals first and alone: a change that adds and removes at once could lose the quorum in the middle.
      if (remove.length > 0)
        await raft.changeMembership({ remove: remove.map(({ id }) => id).filter((id) => id in present) });
      else if (demote.length > 0) await raft.changeMembership({ demote });
      else if (add.length + promote.length + Object.keys(readdress).length > 0)
        await raft.changeMembership({ addLearners: add, promote, readdress });
    } catch (error) {
      // Leadership may have been lost, or another change is under way; the next look decides anew.
      warn('a change of the Raft configuration was not carried out', { error: String(error) });
    } finally {
      this.#changing = false;
      // What was seen meanwhile is carried out now, not at the next look.
      if (this.#again) setImmediate(() => this.#look());
      this.#again = false;
    }
  }
}

function settingsOf(configuration: AutopilotConfiguration): AutopilotSettings {
  return {
    cleanupDeadServers: configuration.CleanupDeadServers,
    lastContactThresholdMs: configuration.LastContactThreshold / millisecond,
    maxTrailingLogs: configuration.MaxTrailingLogs,
    minQuorum: configuration.MinQuorum,
    serverStabilizationTimeMs: configuration.ServerStabilizationTime / millisecond,
  };
}

/** What the leader sees: its Raft configuration, its peers' progress, and the pool. */
function leaderView(status: RaftStatus, members: readonly PoolMember[], nowMs: number): LeaderView {
  const { configuration, term } = status;
  const seen = new Map<string, SeenServer>();
  const voters = new Set(configuration.voters);
  for (const [id, address] of Object.entries(configuration.addresses)) {
    const isLeader = id === status.id;
    const peer = status.peers.find((each) => each.id === id);
    seen.set(id, {
      id,
      name: '(unknown)',
      address,
      build: '',
      gossip: isLeader ? 'alive' : 'none',
      suffrage: voters.has(id) ? 'voter' : 'learner',
      isLeader,
      logLost: peer?.logLost ?? false,
      lastContactMs: isLeader ? 0 : (peer?.lastContactMs ?? Number.POSITIVE_INFINITY),
      // A peer that answers in this term has its log in agreement up to what it matches.
      lastTerm: isLeader || (peer !== undefined && Number.isFinite(peer.lastContactMs)) ? term : 0,
      lastIndex: isLeader ? status.lastLogIndex : (peer?.matchIndex ?? 0),
    });
  }
  for (const member of members) {
    const server = serverOf(member);
    if (server === undefined || server.id === '') continue;
    const known = seen.get(server.id);
    const address = rpcAddress(server);
    seen.set(server.id, {
      ...(known ?? {
        suffrage: 'none',
        isLeader: false,
        logLost: false,
        lastContactMs: Number.POSITIVE_INFINITY,
        lastTerm: 0,
        lastIndex: 0,
      }),
      id: server.id,
      name: server.name,
      address: known?.address ?? address,
      ...(known !== undefined && known.address !== address ? { movedTo: address } : {}),
      build: server.build,
      gossip: server.status,
    });
  }
  return { nowMs, term, lastIndex: status.lastLogIndex, servers: [...seen.values()] };
}

function contactNs(lastContactMs: number): number {
  return Number.isFinite(lastContactMs) ? Math.round(lastContactMs * millisecond) : -1;
}

function stateOf(server: ServerHealth): NonNullable<AutopilotState['Servers']>[string] {
  return {
    ID: server.id,
    Name: server.name,
    Address: server.address,
    NodeStatus: server.gossip === 'none' ? 'unknown' : server.gossip,
    Version: server.build,
    LastContact: contactNs(server.lastContactMs),
    LastTerm: server.lastTerm,
    LastIndex: server.lastIndex,
    Healthy: server.healthy,
    StableSince: new Date(server.stableSinceMs).toISOString(),
    ReadReplica: false,
    Status: server.isLeader ? 'leader' : server.suffrage === 'voter' ? 'voter' : 'non-voter',
    Meta: {},
    NodeType: 'voter',
  };
}
