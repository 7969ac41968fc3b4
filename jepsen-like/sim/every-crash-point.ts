/**
 * One short run in which everything happens that is ever written (elections, conflicts, checkpoints, an installation in chunks, a change
 * of members), and then that run again for each of its points of persistence, with a death there.
 */
import type { Mutation } from '../mutations/mutation.ts';
import { type CrashPoint, waysToDie } from './crash-points.ts';
import type { ScheduledFault } from './faults.ts';
import { quiet } from './scripts/tools.ts';
import type { Swarm } from './swarm.ts';
import { type RunResult, World } from './world.ts';

const unsafeMs = 2_400;

const adjust = (swarm: Swarm): Swarm => {
  const { script: _none, ...base } = quiet(swarm);
  return {
    ...base,
    profile: 'mixed',
    servers: 3,
    spares: 1,
    clients: 4,
    keys: 6,
    thinkMs: 60,
    settings: {
      ...base.settings,
      appendEntriesMax: 4,
      checkpointEntries: 8,
      trailingEntries: 0,
      promotionLagEntriesMax: 8,
    },
  };
};

const fault = (atMs: number, kind: ScheduledFault['kind'], durationMs: number, salt = 1): ScheduledFault => ({
  ...{ atMs, kind, durationMs, salt },
});

/** A leader is cut off with entries that nobody has, and needs a checkpoint when it is back; members change meanwhile. */
const faults: readonly ScheduledFault[] = [
  fault(500, 'isolateLeader', 400),
  fault(1_000, 'membership', 0, 2),
  fault(1_250, 'membership', 0, 3),
  fault(1_500, 'transfer', 0, 4),
  fault(1_650, 'isolateLeader', 300, 5),
  fault(2_050, 'membership', 0, 6),
  fault(2_250, 'membership', 0, 7),
];

export function runOf(
  seed: string,
  crashAt?: CrashPoint,
  mutation?: Mutation,
  sink?: (line: string) => void,
): Promise<RunResult> {
  return new World({
    ...{ seed, unsafeMs, faults, adjust, mutation },
    ...(crashAt === undefined ? {} : { crashAt }),
    ...(sink === undefined ? {} : { sink }),
  }).run();
}

export interface Progress {
  /** Points of persistence of the run. */
  readonly points: number;
  /** Deaths that were tried. */
  readonly deaths: number;
  readonly kinds: ReadonlyMap<string, number>;
}

/** Calls `failed` with each death after which something did not hold. `every`: only one point in so many, for a taste. */
export async function everyCrashPoint(
  seed: string,
  options: {
    readonly every?: number;
    readonly mutation?: Mutation;
    readonly failed: (at: CrashPoint, what: string, result: RunResult) => boolean;
  },
): Promise<Progress> {
  const whole = await runOf(seed, undefined, options.mutation);
  const points = whole.crashPoints.filter((_, i) => i % (options.every ?? 1) === 0);
  const kinds = new Map<string, number>();
  let deaths = 0;
  for (const point of points) {
    kinds.set(point.what, (kinds.get(point.what) ?? 0) + 1);
    for (const at of waysToDie(point)) {
      deaths++;
      const result = await runOf(seed, at, options.mutation);
      if (result.violation !== undefined && !options.failed(at, point.what, result)) {
        return { points: points.length, deaths, kinds };
      }
    }
  }
  return { points: points.length, deaths, kinds };
}
