/**
 * Autopilot keeps the set of Raft servers healthy: it says which servers are, promotes new ones once they have been healthy
 * long enough, and takes out those that are dead, as long as that leaves a quorum out of danger. Pure: what the leader sees
 * goes in, the state for operators and the changes to make come out.
 */
export interface AutopilotSettings {
  readonly cleanupDeadServers: boolean;
  readonly lastContactThresholdMs: number;
  /** Entries that a healthy server may be behind. */
  readonly maxTrailingLogs: number;
  /** Dead servers are not removed when fewer voters than this would stay; 0 is no limit. */
  readonly minQuorum: number;
  /** A new server becomes a voter after this long in health. */
  readonly serverStabilizationTimeMs: number;
}

/** One server of the Raft configuration or of the pool, as the leader sees it now. */
export interface SeenServer {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly build: string;
  /** By gossip: alive, failed, left, none when gossip does not know it. */
  readonly gossip: 'alive' | 'failed' | 'left' | 'leaving' | 'none';
  /** Where gossip says its RPC listens, if that differs from the Raft configuration: it moved. */
  readonly movedTo?: string;
  /** Its place in the Raft configuration. */
  readonly suffrage: 'voter' | 'learner' | 'none';
  readonly isLeader: boolean;
  /** A voter that came back without its log: it does not count, and never will again as the voter that it was. */
  readonly logLost: boolean;
  /** Milliseconds since it last answered the leader; 0 for the leader, Infinity when it never did. */
  readonly lastContactMs: number;
  readonly lastTerm: number;
  readonly lastIndex: number;
}

export interface ServerHealth extends SeenServer {
  readonly healthy: boolean;
  /** Milliseconds since 1970 from which on it has been as healthy, or as unhealthy, as it is. */
  readonly stableSinceMs: number;
}

export interface ClusterHealth {
  readonly healthy: boolean;
  /** How many voters may fail before the quorum is lost. */
  readonly failureTolerance: number;
  readonly servers: readonly ServerHealth[];
}

export interface LeaderView {
  readonly nowMs: number;
  readonly term: number;
  readonly lastIndex: number;
  readonly servers: readonly SeenServer[];
}

export function assess(
  view: LeaderView,
  settings: AutopilotSettings,
  before: ClusterHealth | undefined,
): ClusterHealth {
  const servers = view.servers
    .filter(({ suffrage }) => suffrage !== 'none')
    .map((server): ServerHealth => {
      const healthy = isHealthy(server, view, settings);
      const earlier = before?.servers.find(({ id }) => id === server.id);
      const stableSinceMs = earlier !== undefined && earlier.healthy === healthy ? earlier.stableSinceMs : view.nowMs;
      return { ...server, healthy, stableSinceMs };
    });
  const voters = servers.filter(({ suffrage }) => suffrage === 'voter');
  const healthyVoters = voters.filter(({ healthy }) => healthy).length;
  return {
    healthy: servers.every(({ healthy }) => healthy),
    failureTolerance: Math.max(0, healthyVoters - quorum(voters.length)),
    servers,
  };
}

function isHealthy(server: SeenServer, view: LeaderView, settings: AutopilotSettings): boolean {
  return (
    server.gossip === 'alive' &&
    !server.logLost &&
    server.lastContactMs <= settings.lastContactThresholdMs &&
    server.lastTerm === view.term &&
    server.lastIndex + settings.maxTrailingLogs >= view.lastIndex
  );
}

export interface AutopilotChanges {
  /** Servers of the pool that are not yet in the Raft configuration. */
  readonly add: readonly { readonly id: string; readonly address: string }[];
  readonly promote: readonly string[];
  /** Voters that lost their log: as learners they get a new one. */
  readonly demote: readonly string[];
  /** New addresses of servers that moved: the identity counts, not the address. */
  readonly readdress: Readonly<Record<string, string>>;
  readonly remove: readonly { readonly id: string; readonly reason: string }[];
}

/** What to change now. At most half of the voters, rounded down, less one, are taken out for being dead: never the quorum. */
export function decide(view: LeaderView, health: ClusterHealth, settings: AutopilotSettings): AutopilotChanges {
  const add = view.servers
    .filter(({ suffrage, gossip }) => suffrage === 'none' && gossip === 'alive')
    .map(({ id, address }) => ({ id, address }));
  const promote = health.servers
    .filter(({ suffrage, healthy }) => suffrage === 'learner' && healthy)
    .filter(({ stableSinceMs }) => view.nowMs - stableSinceMs >= settings.serverStabilizationTimeMs)
    .map(({ id }) => id);
  const moved = view.servers.filter(
    ({ suffrage, gossip, movedTo }) => suffrage !== 'none' && gossip === 'alive' && movedTo !== undefined,
  );
  const readdress = Object.fromEntries(moved.map(({ id, movedTo }) => [id, movedTo!]));
  // Nothing is lost by it: until then such a voter is as good as dead.
  const demote = view.servers.filter(({ suffrage, logLost }) => suffrage === 'voter' && logLost).map(({ id }) => id);
  return { add, promote, demote, readdress, remove: removals(health, settings) };
}

function removals(health: ClusterHealth, settings: AutopilotSettings): { id: string; reason: string }[] {
  const inConfiguration = health.servers.filter(({ isLeader }) => !isLeader);
  // Who left said so: it goes at once. Who is a dead learner holds nobody up.
  const left = inConfiguration
    .filter(({ gossip }) => gossip === 'left')
    .map(({ id }) => ({ id, reason: 'it left the cluster' }));
  if (!settings.cleanupDeadServers) return left;
  const dead = inConfiguration.filter(({ gossip }) => gossip === 'failed' || gossip === 'none');
  const removable: { id: string; reason: string }[] = dead
    .filter(({ suffrage }) => suffrage === 'learner')
    .map(({ id }) => ({ id, reason: 'it is dead and was not yet a voter' }));
  const voters = health.servers.filter(({ suffrage, gossip }) => suffrage === 'voter' && gossip !== 'left');
  const deadVoters = dead.filter(({ suffrage }) => suffrage === 'voter');
  const stay = voters.length - deadVoters.length;
  // "Never half or more at once": with half gone, it may be we who are cut off.
  const safe = deadVoters.length * 2 < voters.length && stay >= settings.minQuorum && stay >= 1;
  if (safe && replacementsExist(health)) {
    for (const { id } of deadVoters) removable.push({ id, reason: 'it is dead and a new server has taken its place' });
  }
  return [...left, ...removable];
}

/**
 * A dead voter is only removed once a healthy server has come: until then it may be the one that comes back, and removing it
 * would make the cluster smaller without anybody wishing so.
 */
function replacementsExist(health: ClusterHealth): boolean {
  return health.servers.some(
    ({ suffrage, healthy, gossip }) => suffrage === 'learner' && healthy && gossip === 'alive',
  );
}

const quorum = (voters: number): number => Math.floor(voters / 2) + 1;
