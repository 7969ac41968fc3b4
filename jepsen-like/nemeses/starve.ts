/** One server gets a tenth to a fifth of a CPU, as a container with a quota that is too small: it lives by fits and starts. */
import { CpuQuota } from '../real/cpu-quota.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

export const starve: Nemesis = {
  name: 'starve',
  does: 'one server gets 10 to 20% of one CPU (a control group): it lives by fits and starts',
  lastsMs: { least: 3_000, most: 8_000 },
  missing: () => CpuQuota.missing(),
  async strike(context) {
    const { cluster, chance } = context;
    const server = await victim(context);
    if (!cluster.isRunning(server)) return missed(`server ${server} was not running`);
    const share = 0.1 + chance() * 0.1;
    const quota = CpuQuota.of(cluster.pid(server), share);
    return {
      what: `server ${server} has ${Math.round(share * 100)}% of a CPU`,
      heal() {
        const times = quota.lift();
        return Promise.resolve(times > 0 ? `it had to wait in ${times} tenths of a second` : undefined);
      },
    };
  },
};
