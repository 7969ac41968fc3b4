/** Every workload by name. */
import { append } from './append.ts';
import { bank } from './bank.ts';
import { catalog } from './catalog.ts';
import { connections } from './connections.ts';
import { intentions } from './intentions.ts';
import { lock } from './lock.ts';
import { queue } from './queue.ts';
import { register } from './register.ts';
import { restore } from './restore.ts';
import { rotation } from './rotation.ts';
import { serials } from './serials.ts';
import { sessions } from './sessions.ts';
import { set } from './set.ts';
import { transactions } from './transactions.ts';
import { watch } from './watch.ts';
import type { Workload } from './workload.ts';

export const workloads: Readonly<Record<string, Workload>> = Object.fromEntries(
  [
    ...[register, set, append, queue, transactions, bank, watch, catalog],
    ...[lock, sessions, intentions, connections, serials, rotation, restore],
  ].map((workload) => [workload.name, workload]),
);
