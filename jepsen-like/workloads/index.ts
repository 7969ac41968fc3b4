/** Every workload by name. */
import { append } from './append.ts';
import { connections } from './connections.ts';
import { intentions } from './intentions.ts';
import { lock } from './lock.ts';
import { queue } from './queue.ts';
import { register } from './register.ts';
import { serials } from './serials.ts';
import { sessions } from './sessions.ts';
import { set } from './set.ts';
import type { Workload } from './workload.ts';

export const workloads: Readonly<Record<string, Workload>> = Object.fromEntries(
  [register, set, append, queue, lock, sessions, intentions, connections, serials].map((workload) => [
    workload.name,
    workload,
  ]),
);
