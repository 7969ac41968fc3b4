/**
 * Makes a failing run smaller: leaves out halves, then quarters… of its scheduled faults, then the weather (loss, delay, drift), as long as
 * the same invariant still breaks (delta debugging, Zeller 2002).
 */
import type { Mutation } from '../mutations/mutation.ts';
import type { ScheduledFault } from './faults.ts';
import type { Swarm } from './swarm.ts';
import { type RunResult, World } from './world.ts';

const calmer: readonly ((swarm: Swarm) => Swarm)[] = [
  (swarm) => ({ ...swarm, network: { ...swarm.network, lossRate: 0 } }),
  (swarm) => ({ ...swarm, network: { ...swarm.network, duplicateRate: 0 } }),
  (swarm) => ({ ...swarm, network: { ...swarm.network, lateRate: 0 } }),
  (swarm) => ({ ...swarm, clockDrift: 0 }),
  (swarm) => ({ ...swarm, clients: 1 }),
  (swarm) => ({ ...swarm, keys: 1 }),
  (swarm) => ({ ...swarm, payloadBytes: 0 }),
];

export async function shrink(
  failing: RunResult,
  unsafeMs: number,
  mutation?: Mutation,
  runsMax = 150,
): Promise<RunResult> {
  let best = failing;
  let runs = 0;
  let adjust = (swarm: Swarm): Swarm => swarm;
  const attempt = async (faults: readonly ScheduledFault[], change: (swarm: Swarm) => Swarm): Promise<boolean> => {
    if (++runs > runsMax) return false;
    const result = await new World({
      seed: failing.seed,
      state: failing.state,
      unsafeMs,
      faults,
      adjust: change,
      mutation,
    }).run();
    if (result.violation?.invariant !== failing.violation?.invariant) return false;
    best = result;
    return true;
  };
  for (const calm of calmer) {
    const change = (before: typeof adjust) => (swarm: Swarm) => calm(before(swarm));
    const next = change(adjust);
    if (await attempt(best.faults, next)) adjust = next;
  }
  for (let size = Math.ceil(best.faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.faults.length; ) {
      const without = [...best.faults.slice(0, at), ...best.faults.slice(at + size)];
      if (!(await attempt(without, adjust))) at += size;
      if (runs > runsMax) return best;
    }
  }
  return best;
}
