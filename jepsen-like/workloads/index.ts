/** Every workload by name. */
import { append } from './append.ts';
import { intentions } from './intentions.ts';
import { lock } from './lock.ts';
import { queue } from './queue.ts';
import { serials } from './serials.ts';
import { set } from './set.ts';
import type { Workload } from './workload.ts';

export const workloads: Readonly<Record<string, Workload>> = Object.fromEntries(
  [set, append, queue, lock, intentions, serials].map((workload) => [workload.name, workload]),
);
