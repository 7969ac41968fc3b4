/** What scenes are made of: looks at servers, a quiet world, pauses. */
import type { SimServer } from '../server.ts';
import type { Swarm } from '../swarm.ts';
import type { Stage, Waiting } from './director.ts';

export const state = (server: SimServer) => server.node?.core.state;
export const lastIndex = (server: SimServer): number => state(server)?.log.lastIndex ?? 0;
export const durable = (server: SimServer): number =>
  Math.min(lastIndex(server), state(server)?.persistence.durableIndex ?? 0);
export const leads = (server: SimServer): boolean => state(server)?.leadership !== undefined;
export const firstOf = (server: SimServer): number => state(server)?.leadership?.firstIndex ?? Number.POSITIVE_INFINITY;

/** Nothing but the script disturbs. */
export const quiet = (swarm: Swarm): Swarm => ({
  ...swarm,
  spares: 0,
  clients: 8,
  readers: 0,
  keys: 2,
  thinkMs: 15,
  wander: 0.5,
  mix: ['write', 'write', 'read'],
  payloadBytes: 0,
  faults: {},
  clockDrift: 0,
  network: {
    ...{ lossRate: 0, duplicateRate: 0, delayMsMin: 0.1, delayMsMean: 0.5, lateRate: 0, breaksAreSeen: true },
  },
  disk: { latencyMsMean: 0.3, slowServer: false },
  settings: {
    electionTimeoutTicks: 15,
    heartbeatTicks: 3,
    appendEntriesMax: 1,
    inflightMessagesMax: 4,
    checkpointEntries: 1_000,
  },
});

export function* pauseOf(stage: Stage, ms: number): Waiting {
  const untilMs = stage.world.time.nowMs + ms;
  // Events come often enough: somebody always ticks.
  yield () => stage.world.time.nowMs >= untilMs;
}

export function* aLeader(stage: Stage): Generator<() => boolean, SimServer, void> {
  yield () => stage.leader !== undefined;
  return stage.leader!;
}
