/**
 * One declaration of every setting: default, unit, bounds, and why the default is what it is.
 */
import { RaftError } from './errors.ts';

export interface RaftSettings {
  /** Milliseconds between two ticks: the resolution of every timer below. 10 keeps a fail-over within a median of 100 ms. */
  readonly tickMs: number;
  /** Ticks between heartbeats of a leader. 30 ms: each one renews the lease, and costs some 60 microseconds a follower. */
  readonly heartbeatTicks: number;
  /**
   * The same for a leader that was neither written to nor read from for `idleAfterTicks`. 90 ms: a third of the CPU of an idle server is
   * its heartbeats. The first `lease` read after a pause costs a round trip, since the lease has lapsed; a dead leader is found no later,
   * as the silence that tells begins with its last heartbeat. At most a third of the election timeout unless said otherwise.
   */
  readonly idleHeartbeatTicks: number;
  readonly idleAfterTicks: number;
  /**
   * Ticks of silence after which a follower stops believing in its leader (the actual wait is drawn from [n, 2n) at each
   * reset). 300 ms: longer than any pause of a healthy loop.
   */
  readonly electionTimeoutTicks: number;
  /**
   * Ticks without a quorum's answers after which a leader steps down. 1 s: on a machine with too much to do its followers may be kept
   * from their CPU for longer than an election timeout, wake together, and find its messages first; a leader that had given up by then
   * would have thrown away what waits in it. Nothing hangs on it but how long clients of a leader that was cut off wait: reads have a
   * lease, and the others elect without asking it.
   */
  readonly quorumSilenceTicks: number;
  /**
   * How long after a contact with a leader a voter refuses its vote to others, even when the leader's connection broke. The
   * leader answers `lease` reads for (1 - leaseDriftMargin) of it. Two heartbeats: short, so that a dead leader is soon replaced;
   * when it has lapsed, a `lease` read costs a round trip instead.
   */
  readonly leaseMs: number;
  /** Share of the lease given up to clocks that run at different speeds. 0.2 covers 10% fast here and 10% slow there. */
  readonly leaseDriftMargin: number;
  /**
   * Ticks that the news of a commit may wait for an append to carry it, once commits follow each other closely; a lone commit
   * is told at once. 1: a steady writer's next entry brings it (a message and its answer saved for each write and follower),
   * and followers lag by 10 ms at most.
   */
  readonly commitNoticeTicks: number;
  /** Most bytes of entries in one append message. 1 MiB: two of the largest values. A single larger entry still travels alone. */
  readonly appendBytesMax: number;
  /** Most entries in one append message. */
  readonly appendEntriesMax: number;
  /**
   * Most append messages on their way to one follower when the next would hold all that is left to send: it waits for more entries
   * to share its costs. 2: one is being written there while another travels.
   */
  readonly partialAppendsMax: number;
  /** Most append messages on their way to one follower. */
  readonly inflightMessagesMax: number;
  /** Most bytes of entries on their way to one follower. */
  readonly inflightBytesMax: number;
  /**
   * Most entries on their way to one follower that catches up. What is on its way can arrive in one turn of its event loop, and be
   * read and sent in one turn here: 4,096 small entries cost either some 25 ms, and still make 40,000 a second over 100 ms.
   */
  readonly inflightEntriesMax: number;
  /** Most bytes a leader keeps appended but not yet committed; beyond, proposals are refused as `overloaded`. */
  readonly uncommittedBytesMax: number;
  /** Largest payload of one proposal. */
  readonly proposalBytesMax: number;
  /**
   * Most memory of entries that are kept for followers that have not been sent them yet, bytes. 4 MiB: some 6,000 small entries, or
   * four full appends; a follower further behind is served from the disk, as fast.
   */
  readonly tailBytesMax: number;
  /** Most bytes of entries handed to the state machine at once: bounds how long the event loop is held. */
  readonly applyBytesMax: number;
  readonly applyEntriesMax: number;
  /** How long the state machine may hold the event loop at once: runs that took longer are followed by shorter ones. */
  readonly applyMs: number;
  /** Entries applied since the last checkpoint after which a new one is made; more where the state is large: see the next. */
  readonly checkpointEntries: number;
  /**
   * Bytes of the last checkpoint that each entry applied since then pays for, before another one is made: what checkpoints cost an entry
   * does not grow with the state. 1 KiB: a state of 200 MB is written again after 200,000 entries, not after 65,536.
   */
  readonly checkpointBytesPerEntry: number;
  /** Entries kept behind a checkpoint, so that a follower that is a little late needs no checkpoint. */
  readonly trailingEntries: number;
  /** Bytes of a chunk when a checkpoint is sent. Bounds the memory of a transfer. */
  readonly checkpointChunkBytes: number;
  /** How far behind (entries) a learner may be to be made a voter. */
  readonly promotionLagEntriesMax: number;
}

export const defaultSettings: RaftSettings = {
  tickMs: 10,
  heartbeatTicks: 3,
  idleHeartbeatTicks: 9,
  idleAfterTicks: 100,
  electionTimeoutTicks: 30,
  quorumSilenceTicks: 100,
  leaseMs: 60,
  leaseDriftMargin: 0.2,
  commitNoticeTicks: 1,
  appendBytesMax: 1024 * 1024,
  appendEntriesMax: 1024,
  partialAppendsMax: 2,
  inflightMessagesMax: 64,
  inflightBytesMax: 8 * 1024 * 1024,
  inflightEntriesMax: 4096,
  uncommittedBytesMax: 64 * 1024 * 1024,
  proposalBytesMax: 4 * 1024 * 1024,
  tailBytesMax: 4 * 1024 * 1024,
  applyBytesMax: 4 * 1024 * 1024,
  applyEntriesMax: 1024,
  applyMs: 10,
  checkpointEntries: 65_536,
  checkpointBytesPerEntry: 1024,
  trailingEntries: 16_384,
  checkpointChunkBytes: 256 * 1024,
  promotionLagEntriesMax: 1024,
};

/** Fills in defaults and checks the relations between settings. Throws `badOptions`, naming both sides. */
export function resolveSettings(partial: Partial<RaftSettings> = {}): RaftSettings {
  const merged = { ...defaultSettings, ...partial };
  const fitting = Math.min(defaultSettings.idleHeartbeatTicks, Math.floor(merged.electionTimeoutTicks / 3));
  const settings: RaftSettings = {
    ...merged,
    idleHeartbeatTicks: partial.idleHeartbeatTicks ?? Math.max(merged.heartbeatTicks, fitting),
  };
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw new RaftError('badOptions', { detail: `${name} must be a number >= 0, is ${String(value)}` });
    }
  }
  const {
    heartbeatTicks,
    idleHeartbeatTicks,
    electionTimeoutTicks,
    quorumSilenceTicks,
    tickMs,
    leaseMs,
    leaseDriftMargin,
  } = settings;
  const wrong = (detail: string): never => {
    throw new RaftError('badOptions', { detail });
  };
  if (tickMs < 1) wrong(`tickMs must be at least 1, is ${tickMs}`);
  if (heartbeatTicks < 1) wrong(`heartbeatTicks must be at least 1, is ${heartbeatTicks}`);
  if (electionTimeoutTicks < 2 * heartbeatTicks) {
    wrong(`electionTimeoutTicks (${electionTimeoutTicks}) must be at least twice heartbeatTicks (${heartbeatTicks})`);
  }
  if (idleHeartbeatTicks < heartbeatTicks || electionTimeoutTicks < 2 * idleHeartbeatTicks) {
    wrong(
      `idleHeartbeatTicks (${idleHeartbeatTicks}) must not be below heartbeatTicks (${heartbeatTicks}), nor above half of electionTimeoutTicks (${electionTimeoutTicks})`,
    );
  }
  if (quorumSilenceTicks < electionTimeoutTicks) {
    wrong(
      `quorumSilenceTicks (${quorumSilenceTicks}) must not be below electionTimeoutTicks (${electionTimeoutTicks})`,
    );
  }
  if (leaseMs > electionTimeoutTicks * tickMs) {
    wrong(`leaseMs (${leaseMs}) must not exceed electionTimeoutTicks x tickMs (${electionTimeoutTicks * tickMs})`);
  }
  if (leaseDriftMargin >= 1) wrong(`leaseDriftMargin must be below 1, is ${leaseDriftMargin}`);
  if (settings.inflightMessagesMax < 1) wrong('inflightMessagesMax must be at least 1');
  if (settings.inflightEntriesMax < 1) wrong('inflightEntriesMax must be at least 1');
  if (settings.checkpointBytesPerEntry < 1) wrong('checkpointBytesPerEntry must be at least 1');
  if (settings.appendEntriesMax < 1) wrong('appendEntriesMax must be at least 1');
  return settings;
}
