/**
 * Every setting of the pool, once: its meaning, unit and default. The profiles are memberlist's, since members with
 * different timing share one pool: a value that differs from the neighbours' is a source of false alarms.
 */
export type Profile = 'lan' | 'wan' | 'local';

export interface GossipConfig {
  // --- failure detection (SWIM §3, §4; Lifeguard §IV)
  /** Between two probes; one random member is probed each time. */
  readonly probeIntervalMs: number;
  /** How long a direct ack may take before indirect probes start; keep above the 99th percentile of round trips. */
  readonly probeTimeoutMs: number;
  /** Members asked to probe on our behalf. */
  readonly indirectChecks: number;
  /** Suspicion lasts at least this × log10(members) × probeIntervalMs. */
  readonly suspicionMult: number;
  /** ... and at most this × that, if nobody else confirms. */
  readonly suspicionMaxTimeoutMult: number;
  /** The health score runs from 0 to this - 1 and stretches the probe interval by (score + 1). */
  readonly awarenessMaxMultiplier: number;
  /** Also ping over TCP when UDP is silent. */
  readonly tcpPings: boolean;
  /** A timer later than this shows that this process, not the pool, was slow (own addition; see DESIGN.md). */
  readonly lateTimerMs: number;

  // --- dissemination
  readonly gossipIntervalMs: number;
  /** Members that receive each gossip round. */
  readonly gossipNodes: number;
  /** Dead members still receive gossip for this long, so that they can refute. */
  readonly gossipToTheDeadMs: number;
  /** A broadcast is sent this × ceil(log10(members + 1)) times. */
  readonly retransmitMult: number;
  /** Full state exchange with one random member; stretched in pools above 32 members. 0 switches it off. */
  readonly pushPullIntervalMs: number;
  readonly tcpTimeoutMs: number;
  /** A dead member's name may be taken over by another address after this; 0: never. */
  readonly deadNodeReclaimMs: number;

  // --- packets
  readonly compression: boolean;
  /** Largest UDP payload sent, CRC not counted. */
  readonly udpPacketBytesMax: number;
  /** Parallel inbound TCP exchanges; more are closed without answer. */
  readonly streamsMax: number;

  // --- Serf
  /** Serf protocol spoken: 4 has queries, 5 relays. */
  readonly delegateProtocol: number;
  readonly broadcastTimeoutMs: number;
  readonly leavePropagateDelayMs: number;
  readonly reapIntervalMs: number;
  readonly reconnectIntervalMs: number;
  /** failed -> reaped. */
  readonly reconnectTimeoutMs: number;
  /** left -> reaped. */
  readonly tombstoneTimeoutMs: number;
  readonly recentIntentTimeoutMs: number;
  /** Slots of the duplicate filters, in Lamport times. */
  readonly eventBuffer: number;
  readonly queryBuffer: number;
  readonly queryTimeoutMult: number;
  readonly querySizeMax: number;
  readonly queryResponseSizeMax: number;
  readonly userEventSizeMax: number;
  readonly queueCheckIntervalMs: number;
  readonly queueDepthMax: number;
  readonly queueDepthMin: number;
  /** Delivery of CC user events and member events is held back to merge repeats; 0: at once. */
  readonly coalescePeriodMs: number;
  readonly quiescentPeriodMs: number;
  readonly coordinates: boolean;
}

const hour = 3_600_000;

const lan: GossipConfig = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectChecks: 3,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  awarenessMaxMultiplier: 8,
  tcpPings: true,
  lateTimerMs: 100,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToTheDeadMs: 30_000,
  retransmitMult: 4,
  pushPullIntervalMs: 30_000,
  tcpTimeoutMs: 10_000,
  deadNodeReclaimMs: 0,
  compression: true,
  udpPacketBytesMax: 1_400,
  streamsMax: 128,
  delegateProtocol: 5,
  broadcastTimeoutMs: 5_000,
  leavePropagateDelayMs: 1_000,
  reapIntervalMs: 15_000,
  reconnectIntervalMs: 30_000,
  reconnectTimeoutMs: 24 * hour,
  tombstoneTimeoutMs: 24 * hour,
  recentIntentTimeoutMs: 300_000,
  eventBuffer: 512,
  queryBuffer: 512,
  queryTimeoutMult: 16,
  querySizeMax: 1_024,
  queryResponseSizeMax: 1_024,
  userEventSizeMax: 512,
  queueCheckIntervalMs: 30_000,
  queueDepthMax: 4_096,
  queueDepthMin: 0,
  coalescePeriodMs: 0,
  quiescentPeriodMs: 0,
  coordinates: true,
};

/** Long round trips and loss between datacenters: slower, more patient, one more gossip target. */
const wan: GossipConfig = {
  ...lan,
  probeIntervalMs: 5_000,
  probeTimeoutMs: 3_000,
  suspicionMult: 6,
  gossipIntervalMs: 500,
  gossipNodes: 4,
  gossipToTheDeadMs: 60_000,
  pushPullIntervalMs: 60_000,
  tcpTimeoutMs: 30_000,
};

/** One host, no loss: quick answers. */
const local: GossipConfig = {
  ...lan,
  probeTimeoutMs: 200,
  indirectChecks: 1,
  suspicionMult: 3,
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 15_000,
  retransmitMult: 2,
  pushPullIntervalMs: 15_000,
  tcpTimeoutMs: 1_000,
};

const profiles: Readonly<Record<Profile, GossipConfig>> = { lan, wan, local };

/** The profile with single settings over it. Throws RangeError, naming the settings, when they contradict each other. */
export function gossipConfig(profile: Profile = 'lan', overrides: Partial<GossipConfig> = {}): GossipConfig {
  const defined = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const config: GossipConfig = { ...profiles[profile], ...defined };
  for (const [name, value] of Object.entries(config)) {
    if (typeof value === 'number' && !(value >= 0))
      throw new RangeError(`gossip: ${name} must not be negative: ${value}`);
  }
  const wrong = contradictions(config);
  if (wrong.length > 0) throw new RangeError(`gossip: ${wrong.join('; ')}`);
  return config;
}

function contradictions(c: GossipConfig): string[] {
  const wrong: string[] = [];
  if (c.probeTimeoutMs > c.probeIntervalMs) {
    wrong.push(`probeTimeoutMs (${c.probeTimeoutMs}) must not exceed probeIntervalMs (${c.probeIntervalMs})`);
  }
  if (c.probeIntervalMs === 0) wrong.push('probeIntervalMs must be above 0');
  if (c.gossipIntervalMs === 0) wrong.push('gossipIntervalMs must be above 0');
  if (c.awarenessMaxMultiplier < 1) wrong.push('awarenessMaxMultiplier must be at least 1');
  if (c.suspicionMaxTimeoutMult < 1) wrong.push('suspicionMaxTimeoutMult must be at least 1');
  if (c.udpPacketBytesMax < 512 || c.udpPacketBytesMax > 65_507) wrong.push('udpPacketBytesMax must be 512 to 65507');
  if (c.delegateProtocol !== 4 && c.delegateProtocol !== 5) wrong.push('delegateProtocol must be 4 or 5');
  if (c.userEventSizeMax > 9 * 1024) wrong.push('userEventSizeMax must not exceed 9216');
  return wrong;
}
