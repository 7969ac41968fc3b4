/**
 * A share of one CPU for a process, as a container gets it: a control group with a quota a tenth of a second, in either version of
 * the kernel's interface. Whoever has used up his share stands still until the next tenth.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const periodMicroseconds = 100_000;
const prefix = 'heddle-quota-';

/** Where this process is in the hierarchy that knows of CPU; undefined: there is none, or none that is mounted. */
function ownGroup(): string | undefined {
  if (!existsSync('/proc/self/cgroup')) return undefined;
  const memberships = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const split = memberships.map((line) => /^\d+:([^:]*):(.*)$/.exec(line)!);
  const first = split.find(([, controllers]) => controllers!.split(',').includes('cpu'));
  const mount = mounts.find(([, , type, options]) =>
    first === undefined ? type === 'cgroup2' : type === 'cgroup' && options!.split(',').includes('cpu'),
  );
  const path = (first ?? split.find(([, controllers]) => controllers === ''))?.[2];
  return mount === undefined || path === undefined ? undefined : join(mount[1]!, path);
}

export class CpuQuota {
  readonly #pid: number;
  readonly #outside: string;
  readonly #group: string;

  private constructor(pid: number, outside: string, group: string) {
    this.#pid = pid;
    this.#outside = outside;
    this.#group = group;
  }

  /** Why there can be none here, or undefined. */
  static missing(): string | undefined {
    const outside = ownGroup();
    if (outside === undefined) return 'no control groups for CPU here';
    const group = join(outside, `${prefix}${process.pid}-try`);
    try {
      clearDead(outside);
      mkdirSync(group);
    } catch (error) {
      return `no control group can be made: ${(error as Error).message}`;
    }
    const isThere = ['cpu.cfs_quota_us', 'cpu.max'].some((name) => existsSync(join(group, name)));
    rmdirSync(group);
    return isThere ? undefined : 'control groups have no CPU quota here';
  }

  /** From now on, until `lift`, the process has this share of one CPU. */
  static of(pid: number, share: number): CpuQuota {
    const outside = ownGroup()!;
    const group = join(outside, `${prefix}${process.pid}-${pid}`);
    mkdirSync(group);
    const quota = String(Math.round(share * periodMicroseconds));
    if (existsSync(join(group, 'cpu.max'))) {
      writeFileSync(join(group, 'cpu.max'), `${quota} ${periodMicroseconds}`);
    } else {
      writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodMicroseconds));
      writeFileSync(join(group, 'cpu.cfs_quota_us'), quota);
    }
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    return new CpuQuota(pid, outside, group);
  }

  /** The process may run again as it likes. Returns in how many periods it had to stand still. */
  lift(): number {
    const told = readFileSync(join(this.#group, 'cpu.stat'), 'utf8');
    if (readFileSync(join(this.#group, 'cgroup.procs'), 'utf8') !== '')
      writeFileSync(join(this.#outside, 'cgroup.procs'), String(this.#pid));
    rmdirSync(this.#group);
    return Number(/^nr_throttled (\d+)$/m.exec(told)?.[1] ?? 0);
  }
}

/** Groups of harnesses that were killed. */
function clearDead(outside: string): void {
  for (const name of readdirSync(outside)) {
    const owner = name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : undefined;
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) rmdirSync(join(outside, name));
  }
}
